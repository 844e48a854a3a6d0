/** What a comparison says of each tensor, and of all of them together, in words and as files. */
import type { Difference, PairOutcome, PairRow } from '#lib/worker/protocol.ts';
import { formatShape } from '../format.ts';
import { ranks, sortRows, type Sort } from '../table/sort.ts';
import { csvLine } from '../table/text.ts';
import { words } from './words.ts';

export type Status =
  /** Bit for bit, of one dtype. */
  | 'equal'
  /** Equal numbers of another dtype, or of other bits: 0 and -0. */
  | 'same'
  | 'changed'
  | 'shape'
  | 'onlyA'
  | 'onlyB'
  /** Why stands in `reason`. */
  | 'unread'
  | 'pending';

export interface ComparedRow {
  readonly pair: PairRow;
  readonly name: string;
  /** Name in B, where it is another one. */
  readonly other: string | null;
  readonly dtype: string;
  readonly shape: string;
  readonly status: Status;
  readonly reason: string | null;
  readonly difference: Difference | null;
}

/** The state of a row in a word or two; NaN and infinities that are only on one side are said. */
export function stateOf({ pair, status, difference }: ComparedRow): string {
  if (status === 'changed' && difference!.unmeasured > 0) return words.notFinite;
  const isEqual = status === 'equal' || status === 'same';
  return isEqual && pair.facts ? words.equalBut : words.status[status];
}

export function comparedRow(pair: PairRow, outcome: PairOutcome | undefined): ComparedRow {
  const { a, b } = pair;
  const both = (one: string | undefined, other: string | undefined) =>
    one === undefined || other === undefined || one === other
      ? (one ?? other ?? '')
      : `${one} → ${other}`;
  const difference = typeof outcome === 'object' ? outcome : null;
  return {
    pair,
    name: a?.name ?? b?.name ?? '',
    other: a && b && a.name !== b.name ? b.name : null,
    dtype: both(a?.dtype, b?.dtype),
    shape: both(shapeOf(a), shapeOf(b)),
    status: statusOf(pair, outcome),
    reason: typeof outcome === 'string' ? outcome : (pair.obstacle ?? null),
    difference,
  };
}

function shapeOf(tensor: PairRow['a']): string | undefined {
  return tensor ? formatShape(tensor.shape) : undefined;
}

function statusOf({ a, b, obstacle }: PairRow, outcome: PairOutcome | undefined): Status {
  if (!b) return 'onlyA';
  if (!a) return 'onlyB';
  if (obstacle !== undefined) return a.shape.join() === b.shape.join() ? 'unread' : 'shape';
  if (outcome === undefined) return 'pending';
  if (typeof outcome === 'string') return 'unread';
  if (outcome.changed > 0) return 'changed';
  return outcome.identical ? 'equal' : 'same';
}

export type Figure = 'max' | 'mean' | 'relative' | 'distance' | 'cosine' | 'share';

/**
 * A number of a row; null where there is none. Where places cannot be measured, its change counts as
 * infinite: nothing else may hide that.
 */
export function figureOf({ difference }: ComparedRow, figure: Figure): number | null {
  if (!difference) return null;
  const { measured, changed, count, unmeasured } = difference;
  if (figure === 'share') return count > 0 ? changed / count : 0;
  if (figure === 'cosine') return measured?.cosine ?? null;
  if (!measured) return unmeasured > 0 ? Infinity : null;
  if (figure === 'relative' && unmeasured > 0) return Infinity;
  if (figure === 'distance') return distanceOf(measured.norm, measured.norms[0]);
  return measured[figure];
}

/** ‖Δ‖/‖a‖ */
export function distanceOf(norm: number, reference: number): number {
  return norm === 0 ? 0 : norm / reference;
}

/** Rows by a column; those without a number come after those with one. */
export function orderOf(rows: readonly ComparedRow[], { column, descending }: Sort): ComparedRow[] {
  if (column === null) return [...rows];
  const values =
    column === 'name'
      ? ranks(rows.map(({ name }) => name))
      : column === 'status'
        ? rows.map(({ status }) => statuses.indexOf(status))
        : rows.map((row) => figureOf(row, column as Figure) ?? missing(row, descending));
  return Array.from(sortRows(values, descending), (row) => rows[row]!);
}

const statuses: readonly Status[] = [
  ...(['changed', 'shape', 'unread', 'onlyA', 'onlyB', 'same', 'equal', 'pending'] as const),
];

/** What has no partner of its shape stands between what has changed and what has not. */
function missing({ status }: ComparedRow, descending: boolean): number {
  return descending && status !== 'pending' ? Number.MIN_VALUE : NaN;
}

export type Counts = Readonly<Record<Status, number>>;

export function countRows(rows: readonly ComparedRow[]): Counts {
  const counts: Record<Status, number> = {
    ...{ equal: 0, same: 0, changed: 0, shape: 0, onlyA: 0, onlyB: 0, unread: 0, pending: 0 },
  };
  for (const { status } of rows) counts[status]++;
  return counts;
}

/** All of it in a sentence or two: `62 of 64 tensors are equal; 2 differ, most in fc.weight.` */
export function summaryOf(rows: readonly ComparedRow[], counts = countRows(rows)): string {
  const paired = rows.length - counts.onlyA - counts.onlyB;
  if (rows.length === 0) return words.summary.noTensor;
  const parts = [paired > 0 ? pairedWords(rows, counts, paired) : words.summary.noPartner];
  const others = (['shape', 'unread', 'onlyA', 'onlyB'] as const).flatMap((status) =>
    counts[status] > 0 ? words.summary[status](counts[status]) : [],
  );
  if (others.length > 0) parts.push(`${others.join(', ')}.`);
  const facts = rows.filter(({ pair }) => pair.facts).length;
  if (facts > 0) parts.push(words.summary.facts(facts));
  return parts.join(' ');
}

function pairedWords(rows: readonly ComparedRow[], counts: Counts, paired: number): string {
  const { equal, same, changed } = counts;
  const alike = equal + same;
  if (equal === paired) {
    return paired === 1 ? words.summary.oneEqual : words.summary.allEqual(paired);
  }
  const bits = same > 0 ? words.summary.otherBits(same, alike) : '';
  const first = words.summary.equal(alike, paired) + bits;
  if (changed === 0) return `${first}.`;
  const [most] = orderOf(
    rows.filter(({ status }) => status === 'changed'),
    { column: 'relative', descending: true },
  );
  return `${first}${words.summary.differ(changed, most!.name)}.`;
}

const figures: readonly Figure[] = ['max', 'mean', 'relative', 'distance', 'cosine', 'share'];

/** The rows as JSON says it: numbers that JSON has not are texts. */
export function toRecords(rows: readonly ComparedRow[]): Record<string, unknown>[] {
  return rows.map((row) => {
    const { pair, status, reason, difference } = row;
    const numbers = figures.map((figure) => {
      const value = figureOf(row, figure);
      return [
        figureTitles[figure],
        value === null || Number.isFinite(value) ? value : String(value),
      ];
    });
    return {
      a: pair.a?.name ?? null,
      b: pair.b?.name ?? null,
      status: words.status[status],
      ...(pair.facts && { facts: factsText(pair.facts) }),
      ...(reason !== null && { reason }),
      dtype_a: pair.a?.dtype ?? null,
      dtype_b: pair.b?.dtype ?? null,
      shape_a: pair.a?.shape ?? null,
      shape_b: pair.b?.shape ?? null,
      ...(difference && {
        elements: difference.count,
        changed: difference.changed,
        unmeasured: difference.unmeasured,
        ...(Object.fromEntries(numbers) as object),
      }),
    };
  });
}

/** `scale: 0.5 → 0.25; axis: 0 → 1` */
export function factsText(facts: NonNullable<PairRow['facts']>): string {
  return facts.map(({ label, a, b }) => `${label}: ${a} → ${b}`).join('; ');
}

const figureTitles: Readonly<Record<Figure, string>> = {
  max: 'max_abs_difference',
  mean: 'mean_abs_difference',
  relative: 'max_relative_difference',
  distance: 'norm_of_difference_over_norm',
  cosine: 'cosine',
  share: 'changed_share',
};

/** A table whose columns are those of all records. */
export function recordsCsv(records: readonly Record<string, unknown>[]): string {
  const heads = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const lines = [heads, ...records.map((record) => heads.map((head) => cellOf(record[head])))];
  return lines.map(csvLine).join('');
}

function cellOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  return Array.isArray(value) ? `[${value.join(', ')}]` : String(value as string | number);
}
