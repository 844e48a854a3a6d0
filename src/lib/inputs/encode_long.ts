/**
 * A long text as token ids, piece by piece, so that a worker stays responsive: a megabyte takes a
 * tokenizer seconds. The ids are those of the whole text. Each piece is encoded with the words before
 * it, whose ids are then taken off; it begins with a blank behind a letter or digit, and only where
 * these words keep their ids with the piece behind them.
 */
import type { Tokenizer } from './tokenizer.ts';

/** Characters of a piece: some tenths of a second. */
const PIECE = 2 ** 15;
/** Characters before a piece that it is encoded with, at least. */
const CONTEXT = 64;
/** Characters at the beginning whose words tell what the tokenizer puts behind a text. */
const PROBED = 1000;
/** Places that are tried for the end of a piece. */
const TRIES = 8;

/** Ids in pieces; the whole at once where no place is good for an end. */
export async function* encodeLong(
  tokenizer: Tokenizer,
  text: string,
  signal?: AbortSignal,
  piece = PIECE,
): AsyncGenerator<number[]> {
  const ending = endingOf(tokenizer, text);
  /** Ids without those that end a text. */
  const encode = (part: string) => tokenizer.encode(part).slice(0, -ending || undefined);
  let start = 0;
  let context = 0;
  for (;;) {
    const cut = cutAfter(text, start + piece, encode);
    const end = cut?.end ?? text.length;
    const ids = tokenizer.encode(text.slice(context, end));
    const known = encode(text.slice(context, start)).length;
    const first = start === 0 ? 0 : known;
    yield ids.slice(first, cut ? ids.length - ending : undefined);
    if (!cut) return;
    ({ end: start, context } = cut);
    await new Promise((resume) => setTimeout(resume));
    signal?.throwIfAborted();
  }
}

/**
 * How many ids the tokenizer puts behind every text, as BERT's [SEP]: those that the first words of
 * this one, each by itself, all end with. None where all of them are the same word.
 */
function endingOf(tokenizer: Tokenizer, text: string): number {
  const words = new Set(text.slice(0, PROBED).match(/(?<!\S)[\p{L}\p{N}]+(?=\s)/gu));
  if (words.size < 2) return 0;
  const [first, ...others] = Array.from(words, (word) => tokenizer.encode(word).toReversed());
  const different = first!.findIndex((id, at) => others.some((other) => other[at] !== id));
  return different === -1 ? 0 : different;
}

interface Cut {
  readonly end: number;
  /** Where the words begin that the next piece is encoded with. */
  readonly context: number;
}

/** The first good place from `from` on to end a piece; null where there is none. */
function cutAfter(text: string, from: number, encode: (part: string) => number[]): Cut | null {
  let at = from;
  for (let turn = 0; turn < TRIES; turn++) {
    const end = blankAfter(text, at);
    if (end === -1) return null;
    const context = blankAfter(text, Math.max(0, end - 2 * CONTEXT));
    const before = encode(text.slice(context, end));
    const both = encode(text.slice(context, wholeCharacter(text, end + CONTEXT)));
    if (context < end && before.every((id, place) => id === both[place])) return { end, context };
    at = end + 1;
  }
  return null;
}

/** The first blank from `from` on that follows a letter or a digit; −1 where there is none. */
function blankAfter(text: string, from: number): number {
  const pattern = /(?<=[\p{L}\p{N}])\s/gu;
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? -1;
}

/** The place itself, or the next one where it would cut a character of two halves. */
function wholeCharacter(text: string, at: number): number {
  return /[\ud800-\udbff]/.test(text.charAt(at - 1)) ? at + 1 : at;
}
