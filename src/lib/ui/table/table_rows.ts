import type { TensorTable } from '#lib/worker/protocol.ts';
import type { Figure, Filtered } from './filter.ts';
import { ranks } from './sort.ts';
import { words as all } from './words.ts';

const words = all.marks;

/** What is worth a mark at a row; `label` is short, `text` says it in a sentence. */
export interface Mark {
  readonly id: string;
  readonly label: string;
  readonly text: string;
  readonly tone: 'plain' | 'warn' | 'bad';
}

/** What statistics say of the rows, as far as they are known. */
export interface KnownFigures {
  /** NaN where it is not known. */
  figure(figure: Exclude<Figure, 'elements' | 'bytes'>): Float64Array;
  /** What stands out at a row, by its code. */
  remarks(row: number): readonly Mark[];
  /** All codes of such remarks. */
  readonly codes: readonly string[];
}

/** The columns of the table as the page sorts, filters and shows them. */
export class TableRows implements Filtered {
  readonly table: TensorTable;
  readonly count: number;
  readonly names: readonly string[];
  readonly titles: readonly string[];
  readonly lower: readonly string[];
  /** Bytes of all storages. */
  readonly total: number;
  readonly marks: ReadonlyMap<string, (row: number) => boolean>;
  readonly #findings: ReadonlyMap<number, readonly string[]>;
  readonly #known: KnownFigures;
  /** Values to sort by that do not change, made when they are asked for. */
  readonly #columns = new Map<string, ArrayLike<number>>();

  constructor(table: TensorTable, known: KnownFigures) {
    this.table = table;
    this.count = table.names.length;
    this.names = table.names;
    this.titles = table.titles;
    this.lower = table.names.map((name, row) => `${name}\n${table.titles[row]!}`.toLowerCase());
    this.total = table.stored.reduce((sum, bytes) => sum + bytes, 0);
    const findings = Map.groupBy(table.findings, ({ row }) => row);
    this.#findings = new Map(
      [...findings].map(([row, list]) => [row, list.map(({ message }) => message)]),
    );
    this.#known = known;
    const { tied, overlaps, shares, saving, expanded, meta, elements } = table;
    const codes = known.codes.map((code): [string, (row: number) => boolean] => [
      code,
      (row) => known.remarks(row).some(({ id }) => id === code),
    ]);
    this.marks = new Map<string, (row: number) => boolean>([
      ['tied', (row) => tied[row]! >= 0],
      ['overlapping', (row) => overlaps[row]! >= 0],
      ['shared', (row) => shares[row]! >= 0],
      ['view', (row) => saving[row]! > 0],
      ['expanded', (row) => expanded[row] === 1],
      ['empty', (row) => elements[row] === 0],
      ['meta', (row) => meta[row] === 1],
      ['finding', (row) => this.#findings.has(row)],
      ['optimizer', (row) => this.kind(row) === 'Optimizer state'],
      ...codes,
    ]);
  }

  /** What a row is called on the page: a tensor may be the whole, or have an empty name. */
  title(row: number): string {
    return this.titles[row]! || this.names[row]! || (this.count === 1 ? words.whole : "''");
  }

  dtype(row: number): string {
    return this.table.dtypes[this.table.dtype[row]!]!;
  }

  shape(row: number): readonly number[] {
    return this.table.shapes[this.table.shape[row]!]!;
  }

  kind(row: number): string {
    return this.table.kinds[this.table.kind[row]!]!;
  }

  /** Share of all storages. */
  share(row: number): number {
    return this.total > 0 ? this.table.stored[row]! / this.total : 0;
  }

  figure(figure: Figure): ArrayLike<number> {
    return figure === 'elements' || figure === 'bytes'
      ? this.table[figure]
      : this.#known.figure(figure);
  }

  /** What a column is sorted by. Throws a RangeError for a column that there is not. */
  sortValues(column: string): ArrayLike<number> {
    switch (column) {
      case 'share':
        return this.table.stored;
      case 'marks':
        return Float64Array.from(this.names, (_, row) => this.marksOf(row).length || NaN);
      case 'name':
        return this.#column(column, () => ranks(this.names.map((_, row) => this.title(row))));
      case 'dtype':
        return this.#ranked(column, this.table.dtype, ranks(this.table.dtypes));
      case 'shape':
        return this.#ranked(column, this.table.shape, shapeRanks(this.table.shapes));
      case 'elements':
      case 'bytes':
      case 'min':
      case 'max':
      case 'mean':
      case 'std':
      case 'norm':
      case 'zeros':
      case 'nan':
      case 'inf':
        return this.figure(column);
      default:
        throw new RangeError(`table: there is no column ${column}`);
    }
  }

  #ranked(column: string, numbers: ArrayLike<number>, ranked: Float64Array): ArrayLike<number> {
    return this.#column(column, () => Float64Array.from(numbers, (number) => ranked[number]!));
  }

  #column(column: string, make: () => ArrayLike<number>): ArrayLike<number> {
    const made = this.#columns.get(column) ?? make();
    this.#columns.set(column, made);
    return made;
  }

  marksOf(row: number): Mark[] {
    const { tied, overlaps, shares, saving, expanded, meta, elements, notes } = this.table;
    const marks: Mark[] = [...this.#known.remarks(row)];
    const add = (id: string, label: string, text: string, tone: Mark['tone'] = 'plain') =>
      marks.push({ id, label, text, tone });
    for (const message of this.#findings.get(row) ?? []) {
      add('finding', words.finding, message, 'warn');
    }
    if (saving[row]! > 0) {
      add('view', words.view(saving[row]!), words.viewText(saving[row]!), 'warn');
    }
    if (tied[row]! >= 0) add('tied', words.tied, words.tiedText(this.title(tied[row]!)));
    if (overlaps[row]! >= 0) {
      const other = this.title(overlaps[row]!);
      add('overlapping', words.overlaps, words.overlapsText(other), 'warn');
    } else if (shares[row]! >= 0 && tied[row]! < 0) {
      add('shared', words.shared, words.sharedText(this.title(shares[row]!)));
    }
    if (expanded[row]) add('expanded', words.expanded, words.expandedText);
    if (elements[row] === 0) add('empty', words.empty, words.emptyText);
    if (meta[row]) add('meta', words.meta, words.metaText);
    else if (notes[row]) add('note', notes[row], notes[row]);
    return marks;
  }
}

/** By rank, then by size, axis after axis. */
function shapeRanks(shapes: readonly (readonly number[])[]): Float64Array {
  const order = [...shapes.keys()].sort((a, b) => {
    const [first, second] = [shapes[a]!, shapes[b]!];
    if (first.length !== second.length) return first.length - second.length;
    const axis = first.findIndex((size, at) => size !== second[at]);
    return axis < 0 ? 0 : first[axis]! - second[axis]!;
  });
  const ranked = new Float64Array(shapes.length);
  order.forEach((shape, rank) => (ranked[shape] = rank));
  return ranked;
}
