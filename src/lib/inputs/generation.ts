/** Writing on from a prompt, one token at a time, within what a model can look back on. */

export interface Writing {
  readonly prompt: readonly number[];
  /** Tokens to write at most. */
  readonly count: number;
  /** Tokens that the model looks back on; what lies further back slides out of the window. */
  readonly window: number;
  /** Ids that end the text. */
  readonly endings: readonly number[];
  /** The logits of the token behind `ids`, which are at most `window` many. */
  logits(ids: readonly number[]): Promise<Float32Array>;
  choose(logits: Float32Array): number;
}

/** The tokens that follow the prompt, an ending included. */
export async function* write(writing: Writing): AsyncGenerator<number> {
  const { prompt, count, window, endings } = writing;
  if (prompt.length === 0) throw new RangeError('generation: the prompt is empty');
  const ids = [...prompt];
  for (let written = 0; written < count; written++) {
    const next = writing.choose(await writing.logits(ids.slice(-window)));
    ids.push(next);
    yield next;
    if (endings.includes(next)) return;
  }
}

/** Shorter windows are filled up to this many tokens. */
const SHORTEST = 16;

/** Lengths that a growing text is filled up to, so that few graphs serve it: powers of two. */
export function paddedLength(length: number, window: number): number {
  return Math.min(window, Math.max(SHORTEST, 2 ** Math.ceil(Math.log2(length))));
}

/** A sequence filled up at its end. */
export function padded(ids: readonly number[], length: number, filler = 0): number[] {
  return [...ids, ...Array.from({ length: length - ids.length }, () => filler)];
}
