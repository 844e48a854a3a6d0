import type { Series, SeriesMember } from '#lib/worker/protocol.ts';
import type { BesideState } from '../beside.svelte.ts';
import type { Desk } from '../desk.ts';
import type { Several } from '../piles.ts';
import { words } from './words.ts';

/** Checkpoints of one model, one after the other: what became of each tensor. */
export class SeriesState {
  series = $state.raw<Series | null>(null);
  /** Place of the tensor that is shown at large; -1 for all of them. */
  selected = $state(-1);
  filter = $state('');
  readonly #desk: Desk;
  readonly #beside: BesideState;

  constructor(desk: Desk, beside: BesideState) {
    this.#desk = desk;
    this.#beside = beside;
  }

  /** Opens the checkpoints, and follows their tensors. False where not all of them can be opened. */
  async open(several: readonly Several[]): Promise<boolean> {
    const members: SeriesMember[] = [];
    for (const { name, dropped } of several) {
      const beside = await this.#beside.open(dropped);
      if (!beside) return false;
      const stateDict = beside.stateDicts.length > 0 ? 0 : null;
      members.push({ name, checkpoint: beside.id, stateDict });
    }
    const failure = words.series.notCompared;
    const result = await this.#desk.tasks.run(words.series.comparing, failure, (task) =>
      this.#desk.client.call(
        'compareSeries',
        { members },
        {
          signal: task.signal,
          onProgress: ({ bytes, total }) => task.transferred(bytes, total),
        },
      ),
    );
    if (!result || !this.#desk.problems.check(failure, result)) return false;
    this.series = result.series;
    this.selected = -1;
    return true;
  }

  close(): void {
    this.series = null;
  }
}
