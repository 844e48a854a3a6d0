/** What the numbers of the table's tensors are like: read in the background, kept row by row. */
import { dtypes } from '#lib/checkpoint/dtype.ts';
import { findingOf } from '#lib/checkpoint/finding.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { alike, sameBytes } from '#lib/inspect/duplicates.ts';
import { label } from '#lib/inspect/repr.ts';
import { standoutsOf, type Summarized } from '#lib/inspect/standouts.ts';
import { tensorSummary, type TensorSummary } from '#lib/inspect/tensor_statistics.ts';
import type { TensorRow } from '#lib/inspect/tensor_rows.ts';
import { countZeroRows } from '#lib/inspect/zero_rows.ts';
import type { CallContext } from './lab.state.ts';
import { paced } from './paced.ts';
import type { RowStandout, RowSummary, TensorColumns } from './protocol.ts';

/** Small tensors are read several at once, since each read has to travel. */
const SMALL = 2 ** 20;
const AT_ONCE = 16;
/** Larger tensors are not read a second time to count their rows of zeros. */
const MAX_ZERO_ROWS_BYTES = 2 ** 28;

interface Tabled {
  readonly rows: readonly TensorRow[];
  readonly owners: readonly (string | null)[];
  readonly columns: TensorColumns;
}

type Known = RowSummary & { readonly zeroRows: number | null };

export class TableNumbers {
  readonly #table: Tabled;
  readonly #known: (Known | undefined)[] = [];

  constructor(table: Tabled) {
    this.#table = table;
  }

  /** Summarizes rows in the order in which they are given. */
  async summarize(
    rows: readonly number[],
    { signal, progress }: CallContext<'summarize'>,
  ): Promise<RowSummary[]> {
    const report = paced(progress);
    const found: RowSummary[] = [];
    let bytes = 0;
    let small: number[] = [];
    const finish = async (batch: readonly number[]) => {
      found.push(...(await Promise.all(batch.map((row) => this.#summary(row, signal)))));
      signal.throwIfAborted();
      for (const row of batch) bytes += this.#bytes(row);
      report({ bytes });
    };
    for (const row of rows) {
      if (this.#bytes(row) <= SMALL) small.push(row);
      if (this.#bytes(row) > SMALL || small.length === AT_ONCE) {
        await finish(small);
        small = [];
      }
      if (this.#bytes(row) > SMALL) {
        const before = bytes;
        found.push(
          await this.#summary(row, signal, (share) =>
            report({ bytes: before + share * this.#bytes(row) }),
          ),
        );
        bytes += this.#bytes(row);
      }
    }
    await finish(small);
    return found;
  }

  /** What is known of a row so far; null where nothing is. */
  known(row: number): TensorSummary | null {
    return this.#known[row]?.summary ?? null;
  }

  standouts(): RowStandout[] {
    const standouts = standoutsOf(this.#table.rows.map((_, row) => this.#summarized(row)));
    return standouts.map(({ at, message, ...more }) => ({
      ...more,
      row: at,
      message: label(message),
    }));
  }

  /** Compares the bytes of tensors whose statistics are the same. */
  async duplicates({
    signal,
    progress,
  }: CallContext<'duplicates'>): Promise<{ row: number; of: number }[]> {
    const { rows, columns } = this.#table;
    const groups = alike(
      rows.map(({ tensor }, row) => {
        const summary = this.#known[row]?.summary;
        return summary && !this.#isLaterTied(row) ? { ...tensor, summary } : null;
      }),
    );
    const later = (group: readonly number[]) => group.slice(1);
    const total = groups.flatMap(later).reduce((sum, row) => sum + columns.bytes[row]!, 0);
    const report = paced(progress);
    const found: { row: number; of: number }[] = [];
    let bytes = 0;
    for (const group of groups) {
      /** Tensors of the group that are no copies of each other. */
      const originals = [group[0]!];
      for (const row of later(group)) {
        let of: number | undefined;
        for (const original of originals) {
          if (!(await sameBytes(rows[original]!.tensor, rows[row]!.tensor, signal))) continue;
          of = original;
          break;
        }
        if (of === undefined) originals.push(row);
        else found.push({ row, of });
        bytes += columns.bytes[row]!;
        report({ bytes, total }, bytes === total);
      }
    }
    return found;
  }

  #bytes(row: number): number {
    return this.#table.columns.bytes[row] ?? 0;
  }

  #isLaterTied(row: number): boolean {
    const { tied } = this.#table.columns;
    return tied[row]! >= 0 && tied[row]! < row;
  }

  async #summary(
    row: number,
    signal: AbortSignal,
    progress: (share: number) => void = () => {},
  ): Promise<RowSummary> {
    const tensor = this.#table.rows[row]?.tensor;
    if (!tensor) throw new RangeError(`table: there is no row ${row}`);
    // What is tied is read once.
    const same = this.#known[row] ?? this.#known[this.#table.columns.tied[row]!];
    const known = same ? { ...same, row } : await read(row, tensor, signal, progress);
    this.#known[row] = known;
    const { summary, problem } = known;
    return { row, summary, problem };
  }

  #summarized(row: number): Summarized | null {
    const { rows, owners, columns } = this.#table;
    const known = this.#known[row];
    if (!known?.summary) return null;
    const { name, tensor } = rows[row]!;
    const { dtype, shape } = tensor;
    const { summary, zeroRows } = known;
    const expanded = columns.expanded[row] === 1;
    return { name, dtype, shape, owner: owners[row]!, expanded, summary, zeroRows };
  }
}

async function read(
  row: number,
  tensor: Tensor,
  signal: AbortSignal,
  progress: (share: number) => void,
): Promise<Known> {
  try {
    const summary = await tensorSummary(tensor, {
      signal,
      progress: ({ done, total }) => progress(done / total),
    });
    const zeroRows = mayHaveZeroRows(tensor, summary) ? await countZeroRows(tensor, signal) : null;
    return { row, summary, zeroRows, problem: '' };
  } catch (error) {
    signal.throwIfAborted();
    return { row, summary: null, zeroRows: null, problem: label(findingOf(error).message) };
  }
}

/** Whether the zeros are enough for a row of them; only few trained tensors have as many. */
function mayHaveZeroRows({ dtype, shape }: Tensor, { zeros, count }: TensorSummary): boolean {
  const rows = shape.length < 2 ? 0 : shape[0]!;
  if (rows < 2 || dtypes[dtype].kind !== 'float') return false;
  const bytes = count * dtypes[dtype].size;
  return zeros >= count / rows && zeros < count && bytes <= MAX_ZERO_ROWS_BYTES;
}
