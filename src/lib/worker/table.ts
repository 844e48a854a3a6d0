/** The columns of the table of all tensors, and the way from a row to the tree. */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import { isTensor, type Value } from '#lib/checkpoint/value.ts';
import { fileOrder } from '#lib/inspect/file_order.ts';
import { layoutOf } from '#lib/inspect/layout.ts';
import { label, remark } from '#lib/inspect/repr.ts';
import { stateOwners } from '#lib/inspect/state_owners.ts';
import { placesOf, tensorRows, type TensorRow } from '#lib/inspect/tensor_rows.ts';
import type { Opened } from './lab.state.ts';
import { numbered } from './numbered.ts';
import type { Outline } from './outline.ts';
import { TableNumbers } from './table_numbers.ts';
import type { OutlineNode, TensorColumns } from './protocol.ts';

export class Table {
  readonly rows: readonly TensorRow[];
  readonly columns: TensorColumns;
  /** The parameter of each row that is an optimizer's state of one. */
  readonly owners: readonly (string | null)[];
  readonly numbers: TableNumbers;
  readonly #outline: Outline;

  constructor(checkpoint: Checkpoint, outline: Outline, stateDict: Value | undefined) {
    const rows = tensorRows(checkpoint.root);
    const states = stateOwners(checkpoint.root, stateDict);
    const owners = rows.map(({ in: container }) => states.get(container?.value ?? null) ?? null);
    this.rows = rows;
    this.owners = owners;
    this.#outline = outline;
    this.columns = columnsOf(rows, owners, checkpoint);
    this.numbers = new TableNumbers(this);
  }

  /** The rows of the tree from the root to a row of the table. */
  nodes(row: number): OutlineNode[] {
    const tensor = this.rows[row];
    if (!tensor) throw new RangeError(`table: there is no row ${row}`);
    const nodes = [this.#outline.root];
    for (const place of placesOf(tensor)) {
      nodes.push(...this.#outline.children(nodes.at(-1)!.id, place, 1));
    }
    return nodes;
  }

  /** The row that a row of the tree is, or one with the same tensor; null where there is none. */
  rowOf(node: number): number | null {
    const value = this.#outline.value(node);
    if (!isTensor(value)) return null;
    const rows = [...this.rows.keys()].filter((row) => this.rows[row]!.tensor === value);
    return rows.find((row) => this.nodes(row).at(-1)!.id === node) ?? rows[0] ?? null;
  }
}

/** Kept as long as the checkpoint is. */
const tables = new WeakMap<Opened, Table>();

/** The table of what is open, made once. */
export function tableOf(opened: Opened): Table {
  const table =
    tables.get(opened) ?? new Table(opened.checkpoint, opened.outline, opened.stateDicts[0]?.dict);
  tables.set(opened, table);
  return table;
}

function columnsOf(
  rows: readonly TensorRow[],
  owners: readonly (string | null)[],
  { findings }: Checkpoint,
): TensorColumns {
  const tensors = rows.map(({ tensor }) => tensor);
  const layouts = layoutOf(tensors);
  const dtypes = numbered(tensors.map(({ dtype }) => dtype));
  const shapes = numbered(tensors.map(({ shape }) => shape.join()));
  const float = (column: (at: number) => number) => Float64Array.from(rows, (_, at) => column(at));
  const whole = (column: (at: number) => number | null) =>
    Int32Array.from(rows, (_, at) => column(at) ?? -1);
  return {
    names: rows.map(({ name }) => name),
    titles: rows.map(({ key }, at) =>
      owners[at] === null ? '' : `${key} of ${label(owners[at]!)}`,
    ),
    notes: tensors.map((tensor) => remark(tensor) ?? ''),
    dtypes: dtypes.values,
    dtype: Uint8Array.from(dtypes.numbers),
    shapes: shapes.firsts.map((at) => [...tensors[at]!.shape]),
    shape: Uint32Array.from(shapes.numbers),
    elements: float((at) => numel(tensors[at]!.shape)),
    bytes: float((at) => numel(tensors[at]!.shape) * itemsize(tensors[at]!.dtype)),
    stored: float((at) => layouts[at]!.stored),
    saving: float((at) => layouts[at]!.saving),
    tied: whole((at) => layouts[at]!.tiedWith),
    overlaps: whole((at) => layouts[at]!.overlaps),
    shares: whole((at) => layouts[at]!.sharesWith),
    expanded: Uint8Array.from(layouts, ({ expanded }) => Number(expanded)),
    meta: Uint8Array.from(layouts, ({ meta }) => Number(meta)),
    order: Uint32Array.from(fileOrder(tensors)),
    findings: findingsOf(rows, findings),
  };
}

/** Findings name a tensor's key, or the record of its storage. */
function findingsOf(
  rows: readonly TensorRow[],
  findings: Checkpoint['findings'],
): TensorColumns['findings'] {
  const told = Map.groupBy(findings, ({ where }) => where);
  if (told.size === 0) return [];
  return rows.flatMap(({ name, key, tensor }, row) => {
    const places = new Set([name, key, `data/${tensor.storage.key}`]);
    const found = [...places].flatMap((place) => told.get(place) ?? []);
    return found.map(({ message }) => ({ row, message: label(message) }));
  });
}
