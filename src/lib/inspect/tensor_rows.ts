/**
 * Every tensor of a tree at every place where it stands, as the rows of a table. A container that
 * stands in the tree twice is entered once, so neither cycles nor nested sharing can blow it up; a
 * tensor that stands in two containers has two rows.
 */
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { isScalar, isTensor, type ObjectValue, type Value } from '#lib/checkpoint/value.ts';
import { label } from './repr.ts';
import { partCount, partsOf } from './walk.ts';

/** Something with parts, and where it stands; null stands for the root. */
export interface Container {
  readonly value: Value;
  readonly above: Container | null;
  /** Its place among the parts of what it stands in. */
  readonly place: number;
  /** The key that leads to it, as a label. */
  readonly key: string;
}

export interface TensorRow {
  /** Keys from the root, joined by dots: `model.conv1.weight`. Empty for the root itself. */
  readonly name: string;
  readonly key: string;
  readonly tensor: Tensor;
  readonly in: Container | null;
  /** Its place among the parts of `in`. */
  readonly place: number;
}

/** Longer names lose what stands farthest up: a file may nest deeply, and every name repeats it. */
const MAX_NAME = 1000;

export function tensorRows(root: Value): TensorRow[] {
  const rows: TensorRow[] = [];
  const seen = new Set<ObjectValue>();
  const open: { container: Container; prefix: string; parts: Iterator<PartAt> }[] = [];
  const visit = (value: Value, key: string, name: string, above: Container | null, at: number) => {
    if (isScalar(value)) return;
    if (isTensor(value)) rows.push({ name, key, tensor: value, in: above, place: at });
    if (partCount(value) === 0 || seen.has(value)) return;
    seen.add(value);
    const container = { value, above, place: at, key };
    const prefix = name === '' ? '' : `${cut(name)}.`;
    open.push({ container, prefix, parts: partsAt(value) });
  };
  visit(root, '', '', null, 0);
  while (open.length > 0) {
    const { container, prefix, parts } = open.at(-1)!;
    const next = parts.next();
    if (next.done) open.pop();
    else {
      const { key, value, place } = next.value;
      visit(value, key, prefix + key, container, place);
    }
  }
  return rows;
}

interface PartAt {
  readonly key: string;
  readonly value: Value;
  readonly place: number;
}

/** The parts that may hold tensors, with their places. */
function* partsAt(value: Value): Generator<PartAt> {
  let place = -1;
  for (const part of partsOf(value)) {
    place++;
    if (!isScalar(part.value)) yield { key: label(part.key), value: part.value, place };
  }
}

function cut(name: string): string {
  return name.length > MAX_NAME ? `…${name.slice(-MAX_NAME / 2)}` : name;
}

/** Places from the root to a row: what `partsOf` counts, at each step. */
export function placesOf(row: TensorRow): number[] {
  const places: number[] = [];
  for (let [at, container] = [row.place, row.in]; container;) {
    places.push(at);
    [at, container] = [container.place, container.above];
  }
  return places.reverse();
}
