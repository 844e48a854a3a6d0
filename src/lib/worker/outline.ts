/**
 * The checkpoint tree as the page sees it: rows with numbers, made when they are asked for. A value
 * that stands in the file twice is shown twice, but only opened on demand, so neither cycles nor
 * nested sharing can blow the tree up.
 */
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { isMeta, numel, type Storage } from '#lib/checkpoint/tensor.ts';
import { isTensor, type Value } from '#lib/checkpoint/value.ts';
import { label, remark, summary } from '#lib/inspect/repr.ts';
import { stateOwners } from '#lib/inspect/state_owners.ts';
import { partCount, partsOf, tensorsAt } from '#lib/inspect/walk.ts';
import type { OpenedCheckpoint, OutlineNode } from './protocol.ts';

export class Outline {
  readonly root: OutlineNode;
  readonly totals: OpenedCheckpoint['totals'];
  readonly #values: Value[] = [];
  readonly #nodes: OutlineNode[] = [];
  /** Rows below a row by their place; only those that were asked for. */
  readonly #children = new Map<number, Map<number, OutlineNode>>();
  /** The first path into each storage. */
  readonly #owners = new Map<Storage, string>();
  /** Remarks by value: the parameter that an optimizer state belongs to. */
  readonly #notes: ReadonlyMap<Value, string>;

  constructor(root: Value, stateDict: Value | undefined) {
    this.totals = totalsOf(root, this.#owners);
    this.#notes = stateOwners(root, stateDict);
    this.root = this.#node('checkpoint', '', root);
  }

  /** Rows below a row. Throws a RangeError for a number that no row has. */
  children(id: number, start: number, count: number): OutlineNode[] {
    const node = this.#nodes[id];
    if (!node) throw new RangeError(`outline: there is no row ${id}`);
    const children = this.#children.get(id) ?? new Map<number, OutlineNode>();
    this.#children.set(id, children);
    const rows: OutlineNode[] = [];
    let place = Math.max(0, start);
    for (const { key, step, value, attribute } of partsOf(this.#values[id]!, place)) {
      if (rows.length >= count) break;
      let row = children.get(place);
      if (!row) {
        row = this.#node(label(key), node.path + step, value, attribute && 'attribute');
        children.set(place, row);
      }
      rows.push(row);
      place++;
    }
    return rows;
  }

  /** The value behind a row. */
  value(id: number): Value {
    const value = this.#values[id];
    if (value === undefined) throw new RangeError(`outline: there is no row ${id}`);
    return value;
  }

  #node(key: string, path: string, value: Value, note = this.#note(value)): OutlineNode {
    const id = this.#nodes.length;
    const node: OutlineNode = {
      id,
      key,
      path,
      kind: kindOf(value),
      summary: summary(value),
      childCount: partCount(value),
      ...(note !== undefined && { note }),
    };
    if (isTensor(value)) {
      const owner = this.#owners.get(value.storage);
      node.tensor = {
        dtype: value.dtype,
        shape: [...value.shape],
        bytes: numel(value.shape) * itemsize(value.dtype),
        location: value.storage.location,
        ...(owner !== undefined && owner !== path && { sharedWith: owner }),
      };
    }
    this.#nodes.push(node);
    this.#values.push(value);
    return node;
  }

  #note(value: Value): string | undefined {
    return this.#notes.get(value) ?? (isTensor(value) ? remark(value) : undefined);
  }
}

/** Counts tensors at each of their places, and each storage once; notes the first path into each. */
export function totalsOf(
  root: Value,
  owners = new Map<Storage, string>(),
): OpenedCheckpoint['totals'] {
  const totals = { tensors: 0, elements: 0, bytes: 0 };
  for (const { at, tensor } of tensorsAt(root, '', (path, { step }) => path + step)) {
    totals.tensors++;
    totals.elements += numel(tensor.shape);
    if (owners.has(tensor.storage) || isMeta(tensor.storage)) continue;
    owners.set(tensor.storage, at);
    totals.bytes += tensor.storage.byteLength;
  }
  return totals;
}

function kindOf(value: Value): OutlineNode['kind'] {
  if (value === null) return 'None';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'float';
    case 'string':
      return 'str';
    case 'object':
      break;
    default:
      return value satisfies never;
  }
  if (value.kind === 'global' || value.kind === 'persistent') return 'name';
  return value.kind;
}
