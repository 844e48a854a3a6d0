/** Every tensor of a tree at every place where it stands, as the rows of a table. */
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import type { Value } from '#lib/checkpoint/value.ts';
import { label } from './repr.ts';
import { tensorsAt } from './walk.ts';

/** Where a value stands in the tree. */
interface Place {
  readonly value: Value;
  /** What it stands in; null for the root. */
  readonly in: Place | null;
  /** Its place among the parts of that. */
  readonly place: number;
  /** The key that leads to it, as a label. */
  readonly key: string;
  /** Keys from the root, joined by dots: `model.conv1.weight`. Empty for the root itself. */
  readonly name: string;
}

export interface TensorRow extends Place {
  readonly tensor: Tensor;
}

/** Longer names lose what stands farthest up: a file may nest deeply, and every name repeats it. */
const MAX_NAME = 1000;

export function tensorRows(root: Value): TensorRow[] {
  const start: Place = { value: root, in: null, place: 0, key: '', name: '' };
  const places = tensorsAt(root, start, (above, part, place): Place => {
    const key = label(part.key);
    const name = above.name === '' ? key : `${cut(above.name)}.${key}`;
    return { value: part.value, in: above, place, key, name };
  });
  return Array.from(places, ({ at, tensor }) => ({ ...at, tensor }));
}

function cut(name: string): string {
  return name.length > MAX_NAME ? `…${name.slice(-MAX_NAME / 2)}` : name;
}

/** Places from the root to a row: what `partsOf` counts, at each step. */
export function placesOf(row: TensorRow): number[] {
  const places: number[] = [];
  for (let at: Place = row; at.in; at = at.in) places.push(at.place);
  return places.reverse();
}
