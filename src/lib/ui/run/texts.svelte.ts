import type { Compared, Dropped, Pooling, TokenizerFacts, Written } from '#lib/worker/protocol.ts';
import type { Desk } from '../desk.ts';
import type { Task } from '../tasks.svelte.ts';
import { words } from './words.ts';

/** The tokenizer, and what is done with text. */
export class TextState {
  tokenizer = $state.raw<TokenizerFacts | null>(null);
  prompt = $state('');
  count = $state(200);
  temperature = $state(0.8);
  /** As typed; empty for all. */
  topK = $state<number | null>(null);
  topP = $state<number | null>(null);
  seed = $state(1);
  written = $state.raw<Written | null>(null);
  /** Set while the model writes or reads. */
  running = $state.raw<Task | null>(null);
  /** One text on each line. */
  lines = $state('');
  pooling = $state<Pooling>('mean');
  compared = $state.raw<Compared | null>(null);
  /** Kept to open them again after a crash of the worker. */
  #files: File[] = [];
  readonly #desk: Desk;

  readonly texts = $derived(
    this.lines
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean),
  );

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Other weights: a text of before would mislead. */
  modelChanged(): void {
    this.written = null;
    this.compared = null;
  }

  /**
   * Another checkpoint may hold a vocabulary or lie beside a tokenizer, which opens with the model;
   * the tokenizer of the one before is closed.
   */
  checkpointChanged(dropped: Dropped | null): void {
    this.#files = dropped ? tokenizerIn(dropped) : [];
    this.tokenizer = null;
    this.modelChanged();
  }

  /** Opens a tokenizer: of files, those beside the checkpoint, or the vocabulary in it. */
  async openTokenizer(files: File[] = this.#files): Promise<void> {
    const failure = words.tokenizer.notOpened;
    const result = await this.#desk.tasks.run(words.tokenizer.opening, failure, ({ signal }) =>
      this.#desk.client.call('tokenizer', { files }, { signal }),
    );
    if (!result || !this.#desk.problems.check(failure, result)) return;
    this.#files = files;
    this.tokenizer = result.tokenizer;
  }

  async write(): Promise<void> {
    if (this.running) return;
    const settings = {
      prompt: this.prompt,
      count: this.count,
      seed: this.seed,
      sampling: { temperature: this.temperature, topK: this.topK || null, topP: this.topP || null },
    };
    const failure = words.write.failed;
    const result = await this.#desk.tasks.run(words.write.writing, failure, (task) => {
      this.running = task;
      this.written = null;
      return this.#desk.client.call('write', settings, {
        signal: task.signal,
        onProgress: (written) => {
          this.written = written;
          task.fraction = written.tokens / settings.count;
          task.detail = words.write.progress(written.tokens, written.tokensPerSecond);
        },
      });
    });
    this.running = null;
    if (result && this.#desk.problems.check(failure, result)) this.written = result.written;
  }

  async compare(): Promise<void> {
    if (this.running || this.texts.length === 0) return;
    const args = { texts: this.texts, pooling: this.pooling };
    const failure = words.compare.failed;
    const result = await this.#desk.tasks.run(words.compare.reading, failure, (task) => {
      this.running = task;
      return this.#desk.client.call('compare', args, {
        signal: task.signal,
        onProgress: ({ done, total }) => {
          task.fraction = done / total;
          task.detail = words.compare.progress(done, total);
        },
      });
    });
    this.running = null;
    if (result && this.#desk.problems.check(failure, result)) this.compared = result.compared;
  }
}

/** Files of a tokenizer that belong together: tokenizer.json, what came before it, nanoGPT's. */
const tokenizerSets = [
  ['tokenizer.json'],
  ['vocab.json', 'merges.txt'],
  ['vocab.txt'],
  ['meta.pkl'],
];

/** Whether files are a tokenizer's, as far as their names tell. */
export function isTokenizer(files: readonly File[]): boolean {
  const names = tokenizerSets.flat();
  return files.length > 0 && files.every(({ name }) => names.includes(name));
}

/** The tokenizer's files in a folder, nearest to its top. */
function tokenizerIn(dropped: Dropped): File[] {
  if ('file' in dropped) return [];
  const byDepth = dropped.files.toSorted((a, b) => a.path.length - b.path.length);
  const find = (name: string) => byDepth.find(({ file }) => file.name === name)?.file ?? null;
  const found = tokenizerSets.map((names) => names.map(find).filter((file) => file !== null));
  return found.find((files, at) => files.length === tokenizerSets[at]!.length) ?? [];
}
