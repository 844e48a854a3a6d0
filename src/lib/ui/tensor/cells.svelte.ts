import { SvelteMap } from 'svelte/reactivity';
import type { Result } from '#lib/worker/protocol.ts';

/** Cells are kept in blocks of so many rows and columns; the blocks that came first go first. */
const block = { rows: 64, columns: 16 };
const mostBlocks = 400;
/** Numbers of a single axis are laid out in rows of so many. */
export const fold = 10;

/** A part of a tensor: along each axis where it starts, and how many elements it has. */
export interface Box {
  start: number[];
  size: number[];
}

/** From one place up to another. */
export type Span = readonly [start: number, end: number];

/** How many rows and columns the last two axes have; a single axis is folded. */
export function gridOf(shape: readonly number[]): { rows: number; columns: number } {
  const [rows, columns] = shape.slice(-2);
  if (rows === undefined) return { rows: 1, columns: 1 };
  if (columns === undefined) return { rows: Math.ceil(rows / fold), columns: Math.min(rows, fold) };
  return { rows, columns };
}

/** Rows and columns of a grid as a part of the tensor; `leading` is the index before the last axes. */
export function boxOf(
  shape: readonly number[],
  leading: readonly number[],
  rows: Span,
  columns: Span,
): Box {
  if (shape.length === 0) return { start: [], size: [] };
  if (shape.length === 1) {
    const start = rows[0] * fold;
    return { start: [start], size: [Math.min(shape[0]!, rows[1] * fold) - start] };
  }
  return {
    start: [...leading, rows[0], columns[0]],
    size: [...leading.map(() => 1), rows[1] - rows[0], columns[1] - columns[0]],
  };
}

/** The values of a grid as text: what is in view is fetched, and a bounded part of it is kept. */
export class Cells {
  readonly rows: number;
  readonly columns: number;
  /** Why the values cannot be read; null where they can. */
  error = $state.raw<string | null>(null);
  readonly #blocks = new SvelteMap<string, { cells: readonly string[]; columns: number }>();
  readonly #fetch: (rows: Span, columns: Span) => Promise<Result<{ cells: string[] }>>;
  #wanted: { rows: Span; columns: Span } | null = null;
  #busy = false;

  constructor(
    { rows, columns }: { rows: number; columns: number },
    fetch: (rows: Span, columns: Span) => Promise<Result<{ cells: string[] }>>,
  ) {
    this.rows = rows;
    this.columns = columns;
    this.#fetch = fetch;
  }

  /** Undefined while it is fetched, and in a last row that is not full. */
  text(row: number, column: number): string | undefined {
    const found = this.#blocks.get(keyOf(row, column));
    return found?.cells[(row % block.rows) * found.columns + (column % block.columns)];
  }

  /** Sees that cells are there. Only the ones that were asked for last are still fetched. */
  want(rows: Span, columns: Span): void {
    this.#wanted = { rows, columns };
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#missing(); next; next = this.#missing()) {
        const { rows, columns } = next;
        const result = await this.#fetch(rows, columns);
        if (!result.ok) {
          this.error = result.findings[0]!.message;
          return;
        }
        this.#keep(result.cells, rows, columns);
      }
    } catch (error) {
      this.error = error instanceof Error ? error.message : String(error);
    } finally {
      this.#busy = false;
    }
  }

  /** The blocks around all that is wanted and not there, to be fetched at once. */
  #missing(): { rows: Span; columns: Span } | null {
    if (!this.#wanted || this.error !== null) return null;
    const { rows, columns } = this.#wanted;
    let [top, bottom, left, right] = [Infinity, 0, Infinity, 0];
    for (let row = startOf(rows[0], block.rows); row < rows[1]; row += block.rows) {
      for (
        let column = startOf(columns[0], block.columns);
        column < columns[1];
        column += block.columns
      ) {
        if (this.#blocks.has(keyOf(row, column))) continue;
        [top, bottom] = [Math.min(top, row), Math.max(bottom, row + block.rows)];
        [left, right] = [Math.min(left, column), Math.max(right, column + block.columns)];
      }
    }
    if (top === Infinity) return null;
    return {
      rows: [top, Math.min(bottom, this.rows)],
      columns: [left, Math.min(right, this.columns)],
    };
  }

  #keep(cells: readonly string[], rows: Span, columns: Span): void {
    const width = columns[1] - columns[0];
    for (let row = rows[0]; row < rows[1]; row += block.rows) {
      for (let column = columns[0]; column < columns[1]; column += block.columns) {
        const [bottom, right] = [
          Math.min(rows[1], row + block.rows),
          Math.min(columns[1], column + block.columns),
        ];
        const part: string[] = [];
        for (let at = row; at < bottom; at++) {
          const line = (at - rows[0]) * width - columns[0];
          part.push(...cells.slice(line + column, line + right));
        }
        this.#blocks.set(keyOf(row, column), { cells: part, columns: right - column });
      }
    }
    for (const key of this.#blocks.keys()) {
      if (this.#blocks.size <= mostBlocks) break;
      this.#blocks.delete(key);
    }
  }
}

function startOf(place: number, size: number): number {
  return place - (place % size);
}

function keyOf(row: number, column: number): string {
  return `${Math.floor(row / block.rows)} ${Math.floor(column / block.columns)}`;
}
