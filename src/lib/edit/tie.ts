/** Tensors with equal elements as one. */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { contiguousStrides, isMeta, type Storage, type Tensor } from '#lib/checkpoint/tensor.ts';
import { isTensor } from '#lib/checkpoint/value.ts';
import { giveBack } from '#lib/file/read_ahead.ts';
import type { Done, Tree } from './apply.ts';
import { computedStorage } from './computed.ts';
import type { Edit } from './edits.ts';
import { elementsOf, isWhole, viewKey } from './owned.ts';
import { mapPlaces, placesIn, type Place } from './places.ts';
import { isName, Selection } from './selection.ts';

/**
 * The tensors come to share the storage of the first; what was one view with it, still is. Their
 * elements are compared while they are read, and a difference is a FindingError there. Throws one for
 * wildcards, which would take tensors that are only of one shape, and where dtypes or shapes differ.
 */
export function tie({ root }: Tree, { names }: Extract<Edit, { kind: 'tie' }>): Done {
  const wild = names.find((name) => !isName(name) || name.startsWith('!'));
  if (wild !== undefined) {
    throw refused(
      'wildcard',
      `"${wild}" is no name of a tensor`,
      'Name the tensors that are to be one, each in full: they are compared while they are written.',
    );
  }
  const selection = new Selection('tie', names);
  const places = placesIn(root).filter(
    (place): place is Place & { value: Tensor } =>
      isTensor(place.value) && selection.takes(place) !== null,
  );
  const findings = selection.idle();
  const [first, ...others] = places;
  const isSame = ({ value }: { readonly value: Tensor }) =>
    value.storage === first!.value.storage && viewKey(value) === viewKey(first!.value);
  const copies = others.filter((it) => !isSame(it));
  if (!first || copies.length === 0) return { changed: 0, findings };
  for (const copy of copies) mustFit(first, copy);
  const isKept = isWhole(first.value);
  const storage = agreeing(first, copies);
  const tied = new Set(copies.map(({ value }) => value));
  const strides = contiguousStrides(first.value.shape);
  const edited = mapPlaces(root, ({ value }) => {
    if (!isTensor(value)) return value;
    if (tied.has(value) || (!isKept && isSame({ value }))) {
      const { conj: _, neg: __, ...rest } = value;
      return { ...rest, storage, strides, offset: 0 };
    }
    return value.storage === first.value.storage && isKept ? { ...value, storage } : value;
  });
  return { root: edited, changed: copies.length, findings };
}

function mustFit(first: Place & { value: Tensor }, copy: Place & { value: Tensor }): void {
  const [a, b] = [first.value, copy.value];
  const isSame = a.dtype === b.dtype && a.shape.join() === b.shape.join();
  if (isSame && !a.quantization && !b.quantization && !isMeta(a.storage) && !isMeta(b.storage)) {
    return;
  }
  const text = ({ dtype, shape }: Tensor) => `${dtype} [${shape.join(', ')}]`;
  throw refused(
    'unlike',
    `"${first.name}" is ${text(a)}, "${copy.name}" is ${text(b)}: they cannot be one`,
    'Tie tensors of one dtype and shape.',
  );
}

function refused(code: string, message: string, advice: string): FindingError {
  return new FindingError({ code: `tie-${code}`, message: `tie: ${message}`, advice });
}

/** The elements of the first, as long as the others have the same. */
function agreeing(
  first: { readonly name: string; readonly value: Tensor },
  copies: readonly { readonly name: string; readonly value: Tensor }[],
): Storage {
  const kept = elementsOf(first.value);
  const others = copies.map(({ name, value }) => ({ name, storage: elementsOf(value) }));
  return computedStorage({
    byteLength: kept.byteLength,
    inputs: [kept, ...others.map(({ storage }) => storage)],
    async compute(start, end, signal) {
      const bytes = await kept.read(start, end, signal);
      for (const { name, storage } of others) {
        const copy = await storage.read(start, end, signal);
        if (!isEqual(bytes, copy)) {
          throw refused(
            'differs',
            `"${name}" has other elements than "${first.name}"`,
            'Take the edit out, or tie other tensors.',
          );
        }
        if (storage.fresh) giveBack(copy);
      }
      return kept.fresh ? bytes : new Uint8Array(bytes);
    },
  });
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}
