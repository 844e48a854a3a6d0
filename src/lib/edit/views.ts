/** Views and tied tensors as tensors of their own. */
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { numel, type Storage, type Tensor } from '#lib/checkpoint/tensor.ts';
import { isTensor, type ObjectValue } from '#lib/checkpoint/value.ts';
import type { Done, Tree } from './apply.ts';
import type { Edit } from './edits.ts';
import { ByView, owned } from './owned.ts';
import { mapPlaces, placesIn } from './places.ts';
import { Selection } from './selection.ts';

type ViewEdit = Extract<Edit, { kind: 'compact' | 'untie' }>;

/** Views of a storage that holds more than their elements. Those that are one view stay tied. */
export function compact({ root }: Tree, { names }: ViewEdit): Done {
  const selection = new Selection('compact', names);
  const views = new ByView<Tensor>();
  const made = new Map<ObjectValue, Tensor>();
  let changed = 0;
  const edited = mapPlaces(root, (place) => {
    const tensor = place.value;
    if (!isTensor(tensor) || selection.takes(place) === null || !dragsAlong(tensor)) return tensor;
    changed++;
    let compacted = made.get(tensor);
    if (!compacted) {
      const { storage, strides } = views.of(tensor, () => owned(tensor));
      const { conj: _, neg: __, ...rest } = tensor;
      made.set(tensor, (compacted = { ...rest, strides, offset: 0, storage }));
    }
    return compacted;
  });
  return { root: edited, changed, findings: selection.idle() };
}

/** Whether the storage holds more than the tensor's elements. */
export function dragsAlong({ shape, dtype, storage }: Tensor): boolean {
  return storage.byteLength > numel(shape) * itemsize(dtype);
}

/** Tensors whose storage another one looks into, each in its place. */
export function untie({ root }: Tree, { names }: ViewEdit): Done {
  const selection = new Selection('untie', names);
  const users = new Map<Storage, number>();
  for (const { value } of placesIn(root)) {
    if (isTensor(value)) users.set(value.storage, (users.get(value.storage) ?? 0) + 1);
  }
  let changed = 0;
  const edited = mapPlaces(root, (place) => {
    const tensor = place.value;
    if (!isTensor(tensor) || selection.takes(place) === null) return tensor;
    if (users.get(tensor.storage)! < 2) return tensor;
    changed++;
    return owned(tensor);
  });
  return { root: edited, changed, findings: selection.idle() };
}
