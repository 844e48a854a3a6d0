import type { OpenedData } from '#lib/worker/protocol.ts';
import type { Desk } from './desk.ts';

/** The open data set. */
export class DataState {
  opened = $state.raw<OpenedData | null>(null);
  /** Names of the classes: a sample's, the checkpoint's, or those of a dropped file. */
  classes = $state.raw<readonly string[]>([]);
  file: File | null = null;
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  async open(file: File, classes: readonly string[] = []): Promise<boolean> {
    const failure = `Could not open the data in ${file.name}`;
    const result = await this.#desk.tasks.run(`Opening ${file.name}`, failure, (task) =>
      this.#desk.client.call('data', { file }, { signal: task.signal }),
    );
    if (!result || !this.#desk.problems.check(failure, result)) return false;
    this.file = file;
    if (classes.length > 0) this.classes = classes;
    this.opened = result.data;
    return true;
  }

  /** After the worker died. What fails now is closed and not tried again: it may be at fault. */
  async reopen(): Promise<void> {
    const { file } = this;
    this.file = null;
    if (file && !(await this.open(file, this.classes))) this.opened = null;
  }

  /** The names that the open checkpoint brings; those of the one before are forgotten. */
  async findNames(): Promise<void> {
    const result = await this.#desk.client.call('classNames', {});
    this.classes = (result.ok ? result.names : null) ?? [];
  }

  async readNames(file: File): Promise<void> {
    const result = await this.#desk.client.call('classNames', { file });
    if (!this.#desk.problems.check(`Could not read class names from ${file.name}`, result)) return;
    this.classes = result.names ?? [];
  }

  className(index: number): string {
    return this.classes[index] ?? String(index);
  }
}
