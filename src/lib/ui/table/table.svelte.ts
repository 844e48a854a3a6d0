import type { OutlineNode } from '#lib/worker/protocol.ts';
import type { Desk } from '../desk.ts';
import { FilterError, parseFilter, type RowTest } from './filter.ts';
import { nextSort, sortRows, type Sort } from './sort.ts';
import { StatisticsState } from './statistics.svelte.ts';
import { TableRows } from './table_rows.ts';
import { TotalsState } from './totals.svelte.ts';
import { words } from './words.ts';

/**
 * All tensors of the open checkpoint as a table. The columns lie on the page as typed arrays, some
 * 100 bytes a row: to sort and filter them there takes less than to ask the worker would.
 */
export class TableState {
  rows = $state.raw<TableRows | null>(null);
  filter = $state('');
  sort = $state.raw<Sort>({ column: null, descending: false });
  /** The chosen row; -1 where there is none. */
  selected = $state(-1);
  /** The rows of the tree from the root to the chosen row. */
  nodes: readonly OutlineNode[] = [];
  /** Whether the details are those of the chosen row, once that is known. */
  settled: Promise<boolean> = Promise.resolve(true);
  readonly totals = new TotalsState(this);
  readonly statistics: StatisticsState;
  readonly #desk: Desk;
  readonly #show: (node: OutlineNode) => void;
  #loading: Promise<void> | null = null;
  /** Counts the checkpoints that were opened, so that an answer about one before is left. */
  #opened = 0;

  readonly #order = $derived.by((): Uint32Array => {
    const { rows, sort } = this;
    if (!rows) return new Uint32Array();
    if (sort.column === null) return Uint32Array.from(rows.names.keys());
    return sortRows(rows.sortValues(sort.column), sort.descending);
  });
  readonly #test = $derived.by((): RowTest | null | FilterError => {
    try {
      return this.rows && parseFilter(this.filter, this.rows);
    } catch (error) {
      if (error instanceof FilterError) return error;
      throw error;
    }
  });
  /** What the filter lacks; empty where it is understood. */
  readonly problem = $derived(this.#test instanceof FilterError ? this.#test.message : '');
  /** The rows that are shown, in their order. A filter that is not understood hides none. */
  readonly shown = $derived.by((): Uint32Array => {
    const test = this.#test;
    return test && !(test instanceof FilterError) ? this.#order.filter(test) : this.#order;
  });
  readonly activeIndex = $derived(this.shown.indexOf(this.selected));

  /** `show` shows the details of a row of the tree. */
  constructor(desk: Desk, show: (node: OutlineNode) => void) {
    this.#desk = desk;
    this.#show = show;
    this.statistics = new StatisticsState(desk);
  }

  /** Another checkpoint is open. */
  reset(): void {
    this.#opened++;
    this.#loading = null;
    this.rows = null;
    this.filter = '';
    this.sort = { column: null, descending: false };
    this.selected = -1;
    this.nodes = [];
    this.settled = Promise.resolve(true);
    this.totals.reset();
    this.statistics.reset(null);
  }

  /** Fetches the table, once for each checkpoint. */
  load(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load(): Promise<void> {
    const opened = this.#opened;
    const failure = words.notListed;
    const result = await this.#desk.tasks.run(words.listingTask, failure, ({ signal }) =>
      this.#desk.client.call('tensorTable', {}, { signal }),
    );
    if (opened !== this.#opened) return;
    if (!result || !this.#desk.problems.check(failure, result)) this.#loading = null;
    else {
      this.statistics.reset(result.table);
      this.rows = new TableRows(result.table, this.statistics);
    }
  }

  /** Another model is built: its modules' kinds are those of the tensors. */
  async modelChanged(): Promise<void> {
    await this.#loading;
    const { rows } = this;
    if (!rows) return;
    try {
      const kinds = await this.#desk.client.call('tensorKinds', {});
      if (this.rows === rows)
        this.rows = new TableRows({ ...rows.table, ...kinds }, this.statistics);
    } catch (error) {
      this.#desk.problems.defect(words.notListed, error);
    }
  }

  /** Goes back to the order of the tree. */
  unsort(): void {
    if (this.sort.column !== null) this.sort = { column: null, descending: false };
  }

  sortBy(column: string, firstDescending: boolean): void {
    this.sort = nextSort(this.sort, column, firstDescending);
  }

  /** Chooses the row at a place among those that are shown. */
  select(index: number): Promise<boolean> {
    return this.choose(this.shown[index] ?? -1);
  }

  /** Chooses a row, and shows its details; false where they do not come, or another was chosen since. */
  choose(row: number): Promise<boolean> {
    if (row >= 0) {
      this.selected = row;
      this.settled = this.#details(row);
    }
    return this.settled;
  }

  async #details(row: number): Promise<boolean> {
    const opened = this.#opened;
    try {
      const nodes = await this.#desk.client.call('tensorNodes', { row });
      if (this.selected !== row || this.#opened !== opened) return false;
      this.nodes = nodes;
      this.#show(nodes.at(-1)!);
      return true;
    } catch (error) {
      this.#desk.problems.defect(words.notShown(this.rows?.title(row)), error);
      return false;
    }
  }

  /** Chooses a row that a filter may hide. */
  async goTo(row: number): Promise<void> {
    if (!this.shown.includes(row)) this.filter = '';
    await this.choose(row);
  }

  /**
   * Chooses the row that is chosen in the tree, if it is a tensor; others leave it as it is, and so
   * does the answer where a row was chosen meanwhile.
   */
  async follow(node: OutlineNode): Promise<void> {
    if (!node.tensor) return;
    const opened = this.#opened;
    const before = this.selected;
    const row = await this.#desk.client.call('tensorRow', { node: node.id });
    if (row === null || this.#opened !== opened || this.selected !== before) return;
    this.selected = row;
  }

  /** Goes to the next row whose name begins with what was typed, or has it behind a dot. */
  find(typed: string): void {
    const { rows, shown, activeIndex } = this;
    if (!rows) return;
    const from = Math.max(0, typed.length > 1 ? activeIndex : activeIndex + 1);
    for (let step = 0; step < shown.length; step++) {
      const index = (from + step) % shown.length;
      const name = rows.title(shown[index]!).toLowerCase();
      if (name.startsWith(typed) || name.includes(`.${typed}`)) return void this.select(index);
    }
  }
}
