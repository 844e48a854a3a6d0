/**
 * A language model at work: text in, tokens out. A graph is traced for one length, so a growing
 * text would need a new one for every token. Where it may, the text is filled up at its end to a
 * few fixed lengths and the logits are read at its last real token. That is right for a causal
 * model alone, one that never looks ahead: then what stands behind a position cannot change it.
 * Whether it is so is not guessed but seen: before the first token, the prompt is run both ways
 * and the logits compared. Models that give the last position alone, as nanoGPT does, or that look
 * ahead, are traced for each length, until the window is full and the length stays.
 */
import type { Graph } from '#lib/architecture/graph.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { padded, paddedLength, write } from '#lib/inputs/generation.ts';
import { sampler } from '#lib/inputs/sampling.ts';
import type { Tokenizer } from '#lib/inputs/tokenizer.ts';
import type { Values } from './arrays.ts';
import type { InputSpec, ModelTask, WriteSettings, Written } from './protocol.ts';
import { predict, type Runner } from './running.ts';
import { besideValue } from './task.ts';

/** Models that set no bound themselves look back this far: longer is slow without a cache. */
const LONGEST_WINDOW = 1024;
/** Both ways of running a causal model differ by rounding alone. */
const SAME = 1e-3;
/** Reports go to the page this often at most. */
const REPORT_MILLISECONDS = 50;

/** Writes on from a prompt and reports what is there, until `count` tokens or an ending. */
export async function writeText(
  runner: Runner,
  tokenizer: Tokenizer,
  task: ModelTask,
  { prompt, count, sampling, seed }: WriteSettings,
  { signal, progress }: { signal: AbortSignal; progress(written: Written): void },
): Promise<Written> {
  const ids = tokenizer.encode(prompt);
  checkIds(ids, tokenizer, task);
  const reader = await LogitsReader.start(runner, task, ids, signal);
  const written: number[] = [];
  const started = performance.now();
  let reported = -Infinity;
  const state = (): Written => ({
    prompt,
    text: tokenizer.decode(written),
    tokens: written.length,
    read: ids.length,
    tokensPerSecond: written.length / Math.max((performance.now() - started) / 1000, 1e-3),
    how: reader.how,
  });
  const tokens = write({
    prompt: ids,
    count,
    window: reader.window,
    endings: tokenizer.endings,
    logits: (window) => reader.logits(window, signal),
    choose: sampler(sampling, seed),
  });
  for await (const token of tokens) {
    signal.throwIfAborted();
    if (tokenizer.endings.includes(token)) break;
    written.push(token);
    if (performance.now() - reported < REPORT_MILLISECONDS) continue;
    reported = performance.now();
    progress(state());
  }
  return state();
}

/** Throws where ids are none of the model's. */
export function checkIds(
  ids: readonly number[],
  tokenizer: Tokenizer,
  { vocabulary }: ModelTask,
): void {
  const refuse = (message: string, advice: string) =>
    new FindingError({ code: 'text-unsuitable', message: `text: ${message}`, advice });
  if (ids.length === 0)
    throw refuse('the prompt has no tokens', 'Write a few words to begin with.');
  const largest = Math.max(...ids);
  if (vocabulary !== null && largest >= vocabulary) {
    throw refuse(
      `the prompt has the token ${largest}, the model knows ${vocabulary}; the tokenizer is ${tokenizer.title}`,
      'Use the tokenizer that the model was trained with.',
    );
  }
}

/** Gives the logits behind a window of tokens, in the way that is right for the model. */
class LogitsReader {
  readonly #runner: Runner;
  readonly #task: ModelTask;
  /** Tokens that forward takes at most; of fixed lengths, that length. */
  readonly window: number;
  #isPadded = false;

  private constructor(runner: Runner, task: ModelTask) {
    this.#runner = runner;
    this.#task = task;
    this.window = windowOf(runner, task);
  }

  static async start(
    runner: Runner,
    task: ModelTask,
    prompt: readonly number[],
    signal: AbortSignal,
  ): Promise<LogitsReader> {
    const reader = new LogitsReader(runner, task);
    // One token less than the window, so that there is room to fill up.
    const trial = prompt.slice(-Math.max(1, reader.window - 1));
    const plain = await reader.#run(trial, trial.length, signal);
    if (plain.isEvery && trial.length < reader.window) {
      const filled = await reader.#run(
        trial,
        paddedLength(trial.length + 1, reader.window),
        signal,
      );
      reader.#isPadded = isSame(plain.logits, filled.logits);
    }
    return reader;
  }

  get how(): string {
    const way = this.#isPadded
      ? 'causal: filled up to fixed lengths'
      : 'traced for each length until the window is full';
    return `window of ${this.window} tokens, ${way}`;
  }

  async logits(ids: readonly number[], signal: AbortSignal): Promise<Float32Array> {
    const length = this.#isPadded ? paddedLength(ids.length, this.window) : ids.length;
    return (await this.#run(ids, length, signal)).logits;
  }

  /** Runs tokens filled up to a length; the logits behind the last real one. */
  async #run(ids: readonly number[], length: number, signal: AbortSignal) {
    const inputs = textInputs(this.#task.inputs, padded(ids, length));
    const { outputs } = await predict(this.#runner, inputs, signal);
    const { values, shape } = outputs[0]!;
    const width = shape.at(-1)!;
    const positions = values.length / width;
    const isEvery = positions === length;
    if (!isEvery && positions !== 1) {
      throw new FindingError({
        code: 'text-output',
        message: `text: the model gives [${shape.join(', ')}] for ${length} tokens, expected logits of one position or of each`,
        advice: 'Run it on tensors of token ids to see what it gives.',
      });
    }
    const at = isEvery ? ids.length - 1 : 0;
    return { isEvery, logits: Float32Array.from(values.subarray(at * width, (at + 1) * width)) };
  }
}

/** Token ids as the inputs of forward, a batch of one; masks are ones, segments zeros. */
export function textInputs(specs: readonly InputSpec[], ids: readonly number[]): Values[] {
  return specs.map(({ name }, at) => ({
    shape: [1, ids.length],
    dtype: 'int64',
    values: at === 0 ? Int32Array.from(ids) : new Int32Array(ids.length).fill(besideValue(name)),
  }));
}

function isSame(a: Float32Array, b: Float32Array): boolean {
  const largest = a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return a.every((value, at) => Math.abs(value - b[at]!) <= SAME * largest);
}

/** The longest text that forward takes, found by trying: by twos up, then halving in between. */
export function windowOf({ graph }: Pick<Runner, 'graph'>, task: ModelTask): number {
  const fits = (length: number): boolean => {
    try {
      return looksUpInside(graph(task.inputs.map((spec) => ({ ...spec, shape: [1, length] }))));
    } catch (error) {
      if (error instanceof FindingError) return false;
      throw error;
    }
  };
  let most = task.inputs[0]!.shape[1]!;
  while (most < LONGEST_WINDOW && fits(most * 2)) most *= 2;
  if (most >= LONGEST_WINDOW) return most;
  for (let step = most / 2; step >= 1; step /= 2) {
    if (fits(Math.floor(most + step))) most = Math.floor(most + step);
  }
  return most;
}

/** Whether every position that the source counts out has its row in the table of positions. */
function looksUpInside({ nodes }: Graph): boolean {
  return nodes.every((node) => {
    if (node.op !== 'embedding') return true;
    const index = nodes[node.inputs[0]]!;
    const rows = nodes[node.inputs[1]]!.shape[0]!;
    return index.op !== 'constant' || index.attrs.values.every((value) => value < rows);
  });
}
