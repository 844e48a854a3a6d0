import type {
  Augmentation,
  ClassNames,
  DataFacts,
  DataWish,
  Example,
  Finding,
} from '#lib/worker/protocol.ts';
import type { Desk } from '../desk.ts';
import { words as page } from './words/page.ts';

const words = page.data;

export type DataFiles = readonly { readonly path: string; readonly file: File }[];

/** Examples that are shown of a batch. */
const SHOWN = 12;

/** The open data set, what is wished of it, and some of its examples as a model would see them. */
export class DataState {
  opened = $state.raw<DataFacts | null>(null);
  wish = $state.raw<DataWish>({});
  /** Why the last wish could not be met; the data is as it was before. */
  findings = $state.raw<Finding[]>([]);
  busy = $state(false);
  examples = $state.raw<Example[]>([]);
  /** Of the examples that are shown: the next number gives others. */
  draw = $state(0);
  /** Names of the classes: a sample's, the checkpoint's, those of a dropped file, or ImageNet's. */
  classes = $state.raw<readonly string[]>([]);
  /** Where they come from; null for a sample's, and where there are none. */
  classesFrom = $state.raw<Omit<ClassNames, 'names'> | null>(null);
  files: DataFiles = [];
  /** Examples of each split; `test` is what the data holds out itself. */
  readonly counts = $derived({ train: this.opened?.train ?? 0, test: this.opened?.held ?? 0 });
  /** Told of other data, and of the same read in another way. */
  onChanged: () => Promise<void> = async () => {};
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  async open(
    files: DataFiles,
    { classes = [], wish = {} }: { classes?: readonly string[]; wish?: DataWish } = {},
  ): Promise<boolean> {
    const name = titleOf(files);
    const failure = words.notOpened(name);
    const result = await this.#desk.tasks.run(words.opening(name), failure, (task) =>
      this.#desk.client.call(
        'data',
        { files: [...files], wish },
        {
          signal: task.signal,
          onProgress: ({ bytes, total }) => task.transferred(bytes, total),
        },
      ),
    );
    if (!result || !this.#desk.problems.check(failure, result)) return false;
    this.files = files;
    if (classes.length > 0) this.#setNames({ names: [...classes] });
    await this.#opened(result.data, wish);
    return true;
  }

  /** Opens the same files in another way; what cannot be is said, and nothing changes. */
  async change(part: DataWish): Promise<boolean> {
    const wish = { ...this.wish, ...part };
    this.busy = true;
    const result = await this.#desk.tasks
      .run(words.rereading, words.notReread, (task) =>
        this.#desk.client.call('data', { wish }, { signal: task.signal }),
      )
      .finally(() => (this.busy = false));
    if (!result) return false;
    if (result.ok) await this.#opened(result.data, wish);
    else this.findings = result.findings;
    return result.ok;
  }

  async #opened(data: DataFacts, wish: DataWish): Promise<void> {
    this.opened = data;
    this.wish = wish;
    this.findings = [];
    await this.onChanged();
  }

  /** Shows examples as training would draw them. */
  async preview(augmentation: Augmentation | null): Promise<void> {
    const { opened, draw } = this;
    if (!opened) return;
    const result = await this.#desk.client
      .call('preview', { count: SHOWN, seed: draw, augmentation })
      .catch(() => null); // a worker that ended is told of elsewhere
    if (!result || opened !== this.opened || draw !== this.draw) return;
    if (this.#desk.problems.check(words.notShown, result)) {
      this.examples = result.examples;
    }
  }

  /** After the worker died. What fails now is closed and not tried again: it may be at fault. */
  async reopen(): Promise<void> {
    const { files, wish } = this;
    this.files = [];
    if (files.length > 0 && !(await this.open(files, { wish }))) this.opened = null;
  }

  /** The names that the open checkpoint brings; those of the one before are forgotten. */
  async findNames(): Promise<void> {
    const result = await this.#desk.client.call('classNames', {});
    this.#setNames(result.ok ? result.found : null);
  }

  /**
   * For a model with so many outputs, where there are no other names: the data's, or those that are
   * known for so many.
   */
  async proposeNames(outputs: number): Promise<void> {
    const target = this.opened?.target;
    if (target?.kind === 'class' && target.classes.length === outputs) {
      const isNamed = target.classes.some((name) => !/^\d+$/.test(name));
      if (isNamed) return this.#setNames({ names: [...target.classes], from: this.opened!.name });
    }
    if (this.classes.length > 0 && !this.classesFrom?.isGuess) return;
    const result = await this.#desk.client.call('classNames', { outputs });
    this.#setNames(result.ok ? result.found : null);
  }

  forgetNames(): void {
    this.#setNames(null);
  }

  #setNames(found: (Partial<ClassNames> & Pick<ClassNames, 'names'>) | null): void {
    this.classes = found?.names ?? [];
    const { from, isGuess = false } = found ?? {};
    this.classesFrom = from === undefined ? null : { from, isGuess };
  }

  async readNames(file: File): Promise<void> {
    const result = await this.#desk.client.call('classNames', { file });
    if (!this.#desk.problems.check(words.noNames(file.name), result)) return;
    this.#setNames(result.found);
  }

  className(index: number): string {
    return this.classes[index] ?? String(index);
  }
}

/** The folder that all files lie in, or the first file's name. */
function titleOf(files: DataFiles): string {
  const tops = new Set(files.map(({ path }) => path.split('/')[0]!));
  const [top = words.unnamed] = tops;
  return tops.size > 1 ? words.several(top, tops.size - 1) : top;
}
