/** What the columns of a table hold, gathered row by row, and what each is taken for. */
import { numberOf } from '../csv.ts';
import { byCodePoints } from '../python_order.ts';
import type { ColumnFacts } from './choices.ts';
import { wordsOf } from './purpose.ts';

/** Different cells of a column that are kept. A class has seldom more; a name or a date has. */
export const MAX_CATEGORIES = 4096;
/** Categories up to which a column of words is a feature where nothing is wished. */
const FEW = 64;
/** Different whole numbers up to which a target is taken for a class. */
const MAX_NUMBERED_CLASSES = 20;
/** Different cells that are shown. */
const SAMPLES = 6;
/** Cells that stand for a missing value, as pandas.read_csv takes them, and the `?` of UCI's files. */
const MISSING = new Set(
  '|?|#N/A|#N/A N/A|#NA|-1.#IND|-1.#QNAN|-NaN|-nan|1.#IND|1.#QNAN|<NA>|N/A|NA|NULL|NaN|None|n/a|nan|null'.split(
    '|',
  ),
);
/** Names of targets, where one has such a name; else the last column is it. */
const TARGETS = ['target', 'label', 'labels', 'class', 'y', 'outcome', 'species', 'diagnosis'];

export function isMissing(cell: string): boolean {
  return MISSING.has(cell);
}

/** A cell by its row, which counts from 1 with the header. */
export interface Place {
  readonly row: number;
  readonly cell: string;
}

/** One column, as far as it was read. */
export class Column {
  readonly name: string;
  rows = 0;
  missing = 0;
  firstMissing: Place | null = null;
  /** The first cell that is there and is no number. */
  firstWord: Place | null = null;
  isWhole = true;
  /** Cells by how often they are there; null where they are too many. */
  cells: Map<string, number> | null = new Map();
  /** Of the numbers: mean, and the sum of squared distances from it (Welford, 1962). */
  mean = 0;
  #squares = 0;
  #numbers = 0;

  constructor(name: string) {
    this.name = name;
  }

  add(cell: string, row: number): void {
    this.rows++;
    if (isMissing(cell)) {
      this.missing++;
      this.firstMissing ??= { row, cell };
      return;
    }
    if (this.cells) {
      this.cells.set(cell, (this.cells.get(cell) ?? 0) + 1);
      if (this.cells.size > MAX_CATEGORIES) this.cells = null;
    }
    const value = numberOf(cell);
    if (Number.isNaN(value)) this.firstWord ??= { row, cell };
    else {
      this.isWhole &&= Number.isInteger(value);
      const distance = value - this.mean;
      this.mean += distance / ++this.#numbers;
      this.#squares += distance * (value - this.mean);
    }
  }

  get isNumbers(): boolean {
    return this.firstWord === null && this.#numbers > 0;
  }

  /** Of the population, as scikit-learn's StandardScaler has it; 1 where all numbers are equal. */
  get std(): number {
    return Math.sqrt(this.#squares / this.#numbers) || 1;
  }

  /** How a cell is called as a category: numbers by their value, whatever way they are written. */
  categoryOf(cell: string): string {
    return this.isNumbers ? String(numberOf(cell)) : cell;
  }

  /** Every category once: numbers by size, words in Python's order. Null where they are too many. */
  get categories(): string[] | null {
    if (!this.cells) return null;
    const names = [...new Set(Array.from(this.cells.keys(), (cell) => this.categoryOf(cell)))];
    return names.sort(this.isNumbers ? (a, b) => Number(a) - Number(b) : byCodePoints);
  }

  /** Whether it counts or names the rows. A column without a name does, that counts them from 0. */
  get isIdentity(): boolean {
    const isNamed = /(^|[^a-z])id$|^index$|^unnamed/i.test(this.name);
    const isCount = this.name === 'column 1' && Math.abs(this.mean - (this.rows - 1) / 2) < 1e-6;
    const isDistinct = this.cells === null || this.cells.size === this.rows;
    return (isNamed || isCount) && this.isWhole && isDistinct;
  }
}

/** Each column's part where nothing is wished, and why some have none. */
export function guessRoles(columns: readonly Column[]): {
  roles: ColumnFacts['role'][];
  notes: string[];
} {
  const words = columns.map(({ name }) => wordsOf(name).join(' '));
  const named = TARGETS.map((target) => words.indexOf(target)).find((at) => at >= 0);
  const target = named ?? columns.length - 1;
  const notes: string[] = [];
  const roles = columns.map((column, at) => {
    if (at === target) return 'target';
    const reason = reasonAgainst(column);
    if (reason) notes.push(`left out: ${column.name}, which ${reason}`);
    return reason ? null : 'feature';
  });
  return { roles, notes };
}

function reasonAgainst(column: Column): string | null {
  if (column.firstMissing) {
    return `has no value in row ${column.firstMissing.row}, ${column.missing} of ${column.rows} in all`;
  }
  if (column.isIdentity) return 'numbers the rows';
  if (column.isNumbers) return null;
  const { cells } = column;
  if (cells && cells.size <= FEW) return null;
  return `has ${cells ? cells.size : `more than ${MAX_CATEGORIES}`} different words`;
}

/** Whether a target's numbers are classes: few whole ones, each of them several times. */
export function isClass(column: Column): boolean {
  if (!column.isNumbers) return true;
  const { cells, rows } = column;
  return (
    column.isWhole && cells !== null && cells.size <= MAX_NUMBERED_CLASSES && 2 * cells.size <= rows
  );
}

export function columnFacts(column: Column, role: ColumnFacts['role']): ColumnFacts {
  const isNumbers = column.isNumbers && !(role === 'target' && isClass(column));
  return {
    name: column.name,
    guess: isNumbers ? 'numbers' : 'categories',
    samples: column.cells ? [...column.cells.keys()].slice(0, SAMPLES) : [],
    distinct: column.cells?.size ?? null,
    missing: column.missing,
    role,
  };
}
