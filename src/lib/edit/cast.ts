/**
 * Tensors of another dtype. Storages are rounded as wholes, so tied tensors stay tied and views stay
 * views, where `Tensor.to` would make copies of each.
 */
import { dtypes, itemsize, type Dtype } from '#lib/checkpoint/dtype.ts';
import { FindingError, type Finding } from '#lib/checkpoint/finding.ts';
import { isMeta, metaStorage, span, type Storage, type Tensor } from '#lib/checkpoint/tensor.ts';
import { isSparse, isTensor } from '#lib/checkpoint/value.ts';
import { giveBack, PIECE } from '#lib/file/read_ahead.ts';
import type { Done, Tree } from './apply.ts';
import { CastCounter } from './cast_counts.ts';
import { computedStorage } from './computed.ts';
import type { Edit } from './edits.ts';
import { listed } from './listed.ts';
import { ByView, owned } from './owned.ts';
import { mapPlaces, type Place } from './places.ts';
import { isRoundable, isRoundedDtype, type RoundedDtype } from './rounding.ts';
import { isName, Selection } from './selection.ts';

/**
 * Integers and bools are rounded where they are named without wildcards, and the tensors of an
 * optimizer where the glob begins with its name. Throws a FindingError for what cannot be rounded and
 * is named; where wildcards fit it, it stays as it is, with a warning.
 */
export function cast({ root }: Tree, { names, to }: Extract<Edit, { kind: 'cast' }>): Done {
  if (!isRoundedDtype(to)) {
    throw new FindingError({
      code: 'cast-dtype',
      message: `cast: ${to} is no floating-point dtype that weights are rounded to`,
      advice: 'Choose float32, float16, bfloat16, float64 or a float8 but float8_e8m0fnu.',
    });
  }
  const selection = new Selection('cast', names);
  const casting = new Casting(to);
  const left: string[] = [];
  let changed = 0;

  const castTensor = (tensor: Tensor, place: Place, glob: string): Tensor => {
    if (tensor.dtype === to) return tensor;
    const isFloat = dtypes[tensor.dtype].kind === 'float';
    if (isFloat || (isRoundable(tensor.dtype) && isName(glob))) {
      changed++;
      return casting.tensor(tensor, place.name);
    }
    if (isRoundable(tensor.dtype)) return tensor;
    if (isName(glob)) throw unroundable(place.name, tensor.dtype);
    left.push(place.name);
    return tensor;
  };

  const edited = mapPlaces(root, (place) => {
    const { value, within } = place;
    if (!isTensor(value) && !isSparse(value)) return value;
    const glob = selection.takes(place, (text) => text.startsWith(within.optimizer ?? ''));
    if (glob === null) return value;
    if (isTensor(value)) return castTensor(value, place, glob);
    const parts = value.parts.map(([name, part]): [string, Tensor] => {
      return [name, name === 'values' ? castTensor(part, place, glob) : part];
    });
    return parts.every(([, part], at) => part === value.parts[at]![1])
      ? value
      : { ...value, parts };
  });
  const findings = [...selection.idle(), ...(left.length > 0 ? [leftFinding(left)] : [])];
  return { root: edited, changed, findings, casts: casting.counters };
}

function unroundable(name: string, dtype: Dtype): FindingError {
  return new FindingError({
    code: 'cast-from',
    message: `cast: "${name}" is ${dtype}, which is not rounded`,
    advice:
      dtypes[dtype].kind === 'quantized'
        ? 'Dequantize it in Python first.'
        : 'Take it out of the names.',
  });
}

function leftFinding(names: readonly string[]): Finding {
  return {
    code: 'cast-left',
    severity: 'warning',
    message: `cast: ${listed(names)} stay as they are: they are complex, quantized or packed`,
  };
}

/** Storages that are rounded, one for each that there is. */
class Casting {
  readonly counters: CastCounter[] = [];
  readonly #to: RoundedDtype;
  readonly #storages = new Map<Storage, Map<Dtype, { counter: CastCounter; storage: Storage }>>();
  readonly #resolved = new ByView<Tensor>();
  readonly #tensors = new Map<Tensor, Tensor>();

  constructor(to: RoundedDtype) {
    this.#to = to;
  }

  /** The same object for the same tensor. */
  tensor(tensor: Tensor, name: string): Tensor {
    // Signs that are yet to be turned are turned first: in the fnuz kinds, -0 is NaN.
    const plain = tensor.neg ? this.#resolved.of(tensor, () => owned(tensor)) : tensor;
    const storage = this.#storageFor(plain, name);
    const known = this.#tensors.get(tensor);
    if (known) return known;
    const { neg: _, encoding: __, numpy, ...rest } = tensor;
    const { strides, offset } = plain;
    const isNumpy = numpy && ['float16', 'float32', 'float64'].includes(this.#to);
    const made: Tensor = {
      ...{ ...rest, strides, offset, storage, dtype: this.#to },
      ...(isNumpy && { numpy }),
    };
    this.#tensors.set(tensor, made);
    return made;
  }

  #storageFor(tensor: Tensor, name: string): Storage {
    let byDtype = this.#storages.get(tensor.storage);
    if (!byDtype) this.#storages.set(tensor.storage, (byDtype = new Map()));
    let known = byDtype.get(tensor.dtype);
    if (!known) {
      const counter = new CastCounter(tensor.dtype, this.#to);
      known = { counter, storage: counter.attach(rounded(tensor.storage, counter)) };
      byDtype.set(tensor.dtype, known);
      this.counters.push(counter);
    }
    known.counter.expect(name, ...span(tensor));
    return known.storage;
  }
}

/** A storage with each element rounded; bytes at the end that make no whole one are left out. */
function rounded(input: Storage, counter: CastCounter): Storage {
  const [size, newSize] = [itemsize(counter.from), itemsize(counter.to)];
  const byteLength = Math.floor(input.byteLength / size) * newSize;
  if (isMeta(input)) return metaStorage(byteLength);
  /** Elements read at once: those of a whole piece, where they are not much wider before. */
  const step = Math.floor((2 * PIECE) / Math.max(size, newSize));
  return computedStorage({
    byteLength,
    inputs: [input],
    async compute(start, end, signal) {
      const [first, last] = [Math.floor(start / newSize), Math.ceil(end / newSize)];
      const parts: Uint8Array[] = [];
      for (let at = first; at < last; at += step) {
        const until = Math.min(at + step, last);
        const bytes = await input.read(at * size, until * size, signal);
        parts.push(counter.round(bytes, at));
        if (input.fresh) giveBack(bytes);
      }
      const all = parts.length === 1 ? parts[0]! : joined(parts);
      const isWhole = first * newSize === start && last * newSize === end;
      return isWhole ? all : all.slice(start - first * newSize, end - first * newSize);
    },
  });
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
