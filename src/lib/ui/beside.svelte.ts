import type { Beside, Dropped } from '#lib/worker/protocol.ts';
import type { Desk } from './desk.ts';
import { nameOf } from './dropped.ts';
import { formatBytes } from './format.ts';
import { words } from './words.ts';

/** Checkpoints that are open beside the first: to compare with, to merge, to take tensors from. */
export class BesideState {
  list = $state.raw<readonly Beside[]>([]);
  /** Told of old and new numbers where a fresh worker has opened them again. */
  onRenumbered: (numbers: readonly (readonly [from: number, to: number])[]) => void = () => {};
  /** Kept to open them again after a crash of the worker. */
  #dropped: { id: number; dropped: Dropped }[] = [];
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  get(id: number): Beside | undefined {
    return this.list.find((beside) => beside.id === id);
  }

  /** Null where it failed, which has then been shown. */
  async open(dropped: Dropped): Promise<Beside | null> {
    const name = nameOf(dropped);
    const failure = words.opening.failed(name);
    const result = await this.#desk.tasks.run(words.opening.doing(name), failure, (task) =>
      this.#desk.client.call('openBeside', dropped, {
        signal: task.signal,
        onProgress: ({ bytes }) => (task.detail = words.opening.read(formatBytes(bytes))),
      }),
    );
    if (!result) return null;
    if (!result.ok) {
      const choices = result.findings.flatMap((finding) => finding.choices ?? []);
      const actions = choices.map((label, choice) => ({
        label,
        run: () => this.open({ ...dropped, choice }),
      }));
      this.#desk.problems.add(failure, result.findings, { actions });
      return null;
    }
    const { beside } = result;
    this.#dropped.push({ id: beside.id, dropped });
    this.list = [...this.list, beside];
    return beside;
  }

  async close(id: number): Promise<void> {
    const closed = this.#dropped.find((known) => known.id === id);
    if (!closed) return;
    this.#dropped = this.#dropped.filter((known) => known !== closed);
    this.list = this.list.filter((beside) => beside.id !== id);
    try {
      await this.#desk.client.call('closeBeside', { id });
    } catch (error) {
      this.#desk.problems.defect(words.closing.failed(nameOf(closed.dropped)), error);
    }
    this.#offerBack(closed);
  }

  /** Edits that name it find it again by its new number. */
  #offerBack({ id, dropped }: { id: number; dropped: Dropped }): void {
    const undo = async () => {
      const beside = await this.open(dropped);
      if (beside) this.onRenumbered([[id, beside.id]]);
    };
    this.#desk.notices.add(words.notices.closed(nameOf(dropped)), { undo });
  }

  /** After the worker died. What fails now stays closed. */
  async reopen(): Promise<void> {
    const before = this.#dropped;
    this.#dropped = [];
    this.list = [];
    const numbers: [number, number][] = [];
    for (const { id, dropped } of before) {
      const beside = await this.open(dropped);
      if (beside) numbers.push([id, beside.id]);
    }
    this.onRenumbered(numbers);
  }
}
