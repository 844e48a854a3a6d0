/**
 * NumPy's arrays and scalars inside of pickles (numpy/_core/src/multiarray, `array_reduce` and
 * `arraydescr_reduce`): common in checkpoints, as metrics and random states. They become tensors
 * that say where they come from; arrays of objects, strings and records stay calls.
 */
import { itemsize, wordSize, type Dtype } from '#lib/checkpoint/dtype.ts';
import { swapBytes } from '#lib/checkpoint/elements.ts';
import { contiguousStrides, numel, tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import type { Call, Value } from '#lib/checkpoint/value.ts';
import { argsOf, type Meaning } from './builtins.ts';
import { isGlobal, naturals } from './torch.storages.ts';

/** Type codes of numpy's dtypes (numpy.typecodes, with their sizes) that a tensor can hold. */
const codes: Readonly<Record<string, Dtype>> = {
  f8: 'float64',
  f4: 'float32',
  f2: 'float16',
  i8: 'int64',
  i4: 'int32',
  i2: 'int16',
  i1: 'int8',
  u8: 'uint64',
  u4: 'uint32',
  u2: 'uint16',
  u1: 'uint8',
  b1: 'bool',
  c8: 'complex64',
  c16: 'complex128',
};

/** The dtype of a type code such as `f4`; undefined for objects, texts and records. */
export function numpyDtype(code: string): Dtype | undefined {
  return Object.hasOwn(codes, code) ? codes[code] : undefined;
}

/** A dtype as `numpy.dtype.str` writes it (`<f4`, `|u1`); undefined for what NumPy lacks. */
export function numpyDescr(dtype: Dtype): string | undefined {
  const [code] = Object.entries(codes).find(([, known]) => known === dtype) ?? [];
  return code && `${itemsize(dtype) === 1 ? '|' : '<'}${code}`;
}

const modules = ['numpy.core', 'numpy._core'];
export const numpyMeanings: readonly [string, Meaning][] = modules.flatMap(
  (module): [string, Meaning][] => [
    [`${module}.multiarray._reconstruct`, rebuildArray],
    [`${module}.multiarray.scalar`, rebuildScalar],
    [`${module}.numeric._frombuffer`, rebuildFromBuffer],
  ],
);

/** State of an array: `(version, shape, dtype, is_fortran, bytes)`. */
function rebuildArray(call: Call): Value | undefined {
  const { state } = call;
  const [type] = argsOf(call);
  if (!isGlobal(type) || type.module !== 'numpy' || type.name !== 'ndarray') return undefined;
  if (typeof state !== 'object' || state?.kind !== 'tuple' || state.items.length !== 5) {
    return undefined;
  }
  const [, shape, dtype, fortran, content] = state.items;
  return array(content, dtype, shape, fortran === true);
}

/** `(buffer, dtype, shape, order)`, of protocol 5. */
function rebuildFromBuffer(call: Call): Value | undefined {
  const [content, dtype, shape, order] = argsOf(call);
  return array(content, dtype, shape, order === 'F');
}

/** `(dtype, bytes)`: an array of no axes. */
function rebuildScalar(call: Call): Value | undefined {
  const [dtype, content] = argsOf(call);
  return array(content, dtype, { kind: 'tuple', items: [], type: 'tuple' }, false);
}

/** A tensor over an array's bytes; undefined where they are not as many as it needs. */
function array(
  content: Value | undefined,
  dtypeCall: Value | undefined,
  shapeValue: Value | undefined,
  fortran: boolean,
): Value | undefined {
  const known = dtypeOf(dtypeCall);
  if (!known || typeof content !== 'object' || content?.kind !== 'bytes') return undefined;
  const { dtype, bigEndian } = known;
  const shape = naturals(shapeValue, 'the shape of a NumPy array');
  if (content.bytes.length !== numel(shape) * itemsize(dtype)) return undefined;
  const bytes = bigEndian ? swapBytes(content.bytes, wordSize(dtype)) : content.bytes;
  const tensor = { ...tensorFromBytes(bytes, dtype, shape), numpy: true as const };
  if (!fortran) return tensor;
  return { ...tensor, strides: contiguousStrides(shape.toReversed()).toReversed() };
}

/** `numpy.dtype('f8', False, True)` with the state `(version, byte order, …)`. */
function dtypeOf(value: Value | undefined): { dtype: Dtype; bigEndian: boolean } | undefined {
  if (typeof value !== 'object' || value?.kind !== 'call' || !isGlobal(value.callable)) {
    return undefined;
  }
  const { module, name } = value.callable;
  const [code] = argsOf(value);
  if (`${module}.${name}` !== 'numpy.dtype' || typeof code !== 'string') return undefined;
  const dtype = numpyDtype(code);
  const state =
    typeof value.state === 'object' && value.state?.kind === 'tuple' ? value.state.items : [];
  return dtype && { dtype, bigEndian: state[1] === '>' };
}
