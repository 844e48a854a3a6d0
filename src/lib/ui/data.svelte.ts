import type { ClassNames, DataFacts } from '#lib/worker/protocol.ts';
import type { Desk } from './desk.ts';

/** The open data set. */
export class DataState {
  opened = $state.raw<DataFacts | null>(null);
  /** Names of the classes: a sample's, the checkpoint's, those of a dropped file, or ImageNet's. */
  classes = $state.raw<readonly string[]>([]);
  /** Where they come from; null for a sample's, and where there are none. */
  classesFrom = $state.raw<Omit<ClassNames, 'names'> | null>(null);
  file: File | null = null;
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Examples of a split. */
  count(split: 'train' | 'test'): number {
    return (split === 'train' ? this.opened?.train : this.opened?.held) ?? 0;
  }

  async open(file: File, classes: readonly string[] = []): Promise<boolean> {
    const failure = `Could not open the data in ${file.name}`;
    const result = await this.#desk.tasks.run(`Opening ${file.name}`, failure, (task) =>
      this.#desk.client.call(
        'data',
        { files: [{ path: file.name, file }], wish: {} },
        { signal: task.signal },
      ),
    );
    if (!result || !this.#desk.problems.check(failure, result)) return false;
    this.file = file;
    if (classes.length > 0) this.#setNames({ names: [...classes] });
    this.opened = result.data;
    return true;
  }

  /** After the worker died. What fails now is closed and not tried again: it may be at fault. */
  async reopen(): Promise<void> {
    const { file } = this;
    this.file = null;
    if (file && !(await this.open(file))) this.opened = null;
  }

  /** The names that the open checkpoint brings; those of the one before are forgotten. */
  async findNames(): Promise<void> {
    const result = await this.#desk.client.call('classNames', {});
    this.#setNames(result.ok ? result.found : null);
  }

  /** For a model with so many outputs: names that are known for them, where there are no others. */
  async proposeNames(outputs: number): Promise<void> {
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
    if (!this.#desk.problems.check(`Could not read class names from ${file.name}`, result)) return;
    this.#setNames(result.found);
  }

  className(index: number): string {
    return this.classes[index] ?? String(index);
  }
}
