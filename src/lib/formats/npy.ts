/**
 * NumPy's .npy: a magic number and version, a header of dtype, order and shape, then the elements
 * (numpy/lib/_format_impl.py). Every dtype that a tensor can hold is read, in either byte order;
 * Fortran order is a view with its strides turned round. Arrays of objects are pickles: those are
 * refused unread, as are texts, dates and records. What is written is, byte for byte, what
 * numpy.save writes.
 */
import { itemsize, wordSize, type Dtype } from '#lib/checkpoint/dtype.ts';
import { tensorChunks } from '#lib/checkpoint/read_tensor.ts';
import { contiguousStrides, isContiguous, numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import { isTensor } from '#lib/checkpoint/value.ts';
import type { Source } from '#lib/file/source.ts';
import type { Format } from './format.ts';
import { npyError, parseNpyHeader, type NpyHeader } from './npy.header.ts';
import { numpyDescr, numpyDtype } from './numpy.ts';
import { wordStorage } from './words.ts';

const MAGIC = '\x93NUMPY';
/** numpy.load reads no longer headers without being told to trust the file. */
const MAX_HEADER = 10_000;
/** Bytes of a header of so many characters: version 3 is UTF-8. */
const MAX_HEADER_BYTES = 4 * MAX_HEADER;
/** No array of NumPy has more axes (NPY_MAXDIMS), nor has a tensor of PyTorch. */
const MAX_RANK = 64;
/** Elements begin at multiples of it (ARRAY_ALIGN). */
const ALIGNMENT = 64;
/** Digits that numpy.save leaves room for, so that an array can grow (GROWTH_AXIS_MAX_DIGITS). */
const MAX_DIGITS = 21;

export const npy: Format = {
  name: 'npy',
  title: 'NumPy array',
  extensions: ['.npy'],
  match: ({ head }) => latin1(head.subarray(0, MAGIC.length)) === MAGIC,

  async read({ source }, signal) {
    return {
      name: source.name,
      format: 'npy',
      size: source.size,
      root: await readArray(source, signal),
      metadata: new Map(),
      findings: [],
      calls: [],
    };
  },

  async write(root, sink, { signal, onProgress }) {
    if (!isTensor(root)) {
      throw npyError(
        'one-tensor',
        'the file holds one array, and this is no tensor',
        'Save several tensors as .npz.',
      );
    }
    const { size, chunks } = arrayFile(root, 'the tensor', signal);
    let written = 0;
    for await (const bytes of chunks) {
      await sink.write(bytes);
      onProgress?.(Math.min((written += bytes.byteLength), size));
    }
  },
};

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** Opens an array by its header, of which the file must be the whole. Throws a FindingError. */
export async function readArray(source: Source, signal?: AbortSignal): Promise<Tensor> {
  const { header, start } = await readHeader(source, signal);
  const { dtype, swapped } = dtypeOf(header.descr);
  const shape = shapeOf(header, dtype);
  const byteLength = numel(shape) * itemsize(dtype);
  const form = `${dtype} [${shape.join(', ')}]`;
  const rest = source.size - start;
  if (rest < byteLength) {
    throw npyError('short', `${rest} bytes follow the header, ${form} needs ${byteLength}`);
  }
  if (rest > byteLength) {
    throw npyError(
      'trailing',
      `${rest} bytes follow the header, ${form} takes ${byteLength}`,
      'numpy.load would take the first array and pass over the rest: save each array by itself, or all with numpy.savez.',
    );
  }
  return {
    kind: 'tensor',
    dtype,
    shape,
    strides: header.fortran
      ? contiguousStrides(shape.toReversed()).toReversed()
      : contiguousStrides(shape),
    offset: 0,
    requiresGrad: false,
    parameter: false,
    storage: wordStorage(source, source.name, start, byteLength, swapped ? wordSize(dtype) : 1),
  };
}

/** The header, and where the elements start. */
async function readHeader(
  source: Source,
  signal?: AbortSignal,
): Promise<{ header: NpyHeader; start: number }> {
  const head = await source.read(0, Math.min(12, source.size), signal);
  if (latin1(head.subarray(0, MAGIC.length)) !== MAGIC) {
    throw npyError('magic', 'the file does not begin with NumPy’s magic number');
  }
  const [major, minor] = head.subarray(MAGIC.length);
  const lengthSize = major === 1 ? 2 : 4;
  const begin = MAGIC.length + 2 + lengthSize;
  if (minor === undefined || begin > source.size) throw cut(source.size);
  if (![1, 2, 3].includes(major!) || minor !== 0) {
    throw npyError(
      'version',
      `version ${major}.${minor} of the format is unknown, known are 1.0, 2.0 and 3.0`,
      'Load it with the NumPy that wrote it, and save it again.',
    );
  }
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const length =
    lengthSize === 2 ? view.getUint16(begin - 2, true) : view.getUint32(begin - 4, true);
  if (length > MAX_HEADER_BYTES) throw tooLong(length);
  const start = begin + length;
  if (start > source.size) throw cut(source.size);
  const text = decode(await source.read(begin, start, signal), major === 3);
  const { length: characters } = Array.from(text);
  if (characters > MAX_HEADER) throw tooLong(characters);
  return { header: parseNpyHeader(text, major !== 3), start };
}

function cut(size: number) {
  return npyError('cut', `the file ends at byte ${size}, within the header`);
}

function tooLong(length: number) {
  return npyError(
    'header-length',
    `the header takes ${length} characters, more than the ${MAX_HEADER} that numpy.load reads`,
    'Headers of arrays of numbers take some hundred: the file is damaged, or holds records.',
  );
}

function decode(bytes: Uint8Array, isUtf8: boolean): string {
  if (!isUtf8) return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw npyError('header', 'the header is not UTF-8');
  }
}

/** What NumPy stores and no tensor can hold, by its letter: the code and the words for it. */
const others: ReadonlyMap<string, readonly [code: string, what: string]> = new Map([
  ['O', ['objects', 'Python objects, stored as a pickle']],
  ['S', ['texts', 'texts']],
  ['a', ['texts', 'texts']],
  ['U', ['texts', 'texts']],
  ['T', ['texts', 'texts']],
  ['M', ['times', 'dates']],
  ['m', ['times', 'durations']],
  ['V', ['raw', 'bytes of an unknown meaning']],
]);
/** Codes of the errors that say: the file may be sound, its elements are no numbers. */
export const notNumbers: ReadonlySet<string> = new Set(
  ['objects', 'texts', 'times', 'raw', 'records', 'dtype'].map((code) => `npy-${code}`),
);

function dtypeOf(descr: NpyHeader['descr']): { dtype: Dtype; swapped: boolean } {
  if (typeof descr !== 'string') {
    const hasObjects = descr.types.some((type) => /^[<>|=]?O/.test(type));
    const [code, what] = hasObjects ? others.get('O')! : ['records', 'records or sub-arrays'];
    throw refused(code, `the elements are ${what}`, code);
  }
  const [, order, type = ''] = /^([<>|=]?)([a-zA-Z]\d*(?:\[\w+\])?)$/.exec(descr) ?? [];
  const dtype = numpyDtype(type);
  if (dtype) return { dtype, swapped: order === '>' };
  const quoted = JSON.stringify(descr);
  const [code, what] = others.get(type[0] ?? '') ?? ['dtype', 'of a dtype that no tensor has'];
  throw refused(code, `the elements are ${what}: the dtype is ${quoted}`, type);
}

function refused(code: string, message: string, type: string) {
  const advices: Readonly<Record<string, string>> = {
    objects: 'Save the numbers as arrays of a numeric dtype; the safety report shows the pickle.',
    dtype:
      'Convert the array with .astype(numpy.float64) or another plain dtype, and save it again.',
    raw: /^V[12]$/.test(type)
      ? 'NumPy writes bfloat16 and float8 of ml_dtypes so, without their names: convert with .astype(numpy.float32) and save again.'
      : 'View the array as a numeric dtype and save it again.',
  };
  return npyError(
    code,
    message,
    advices[code] ?? 'Save the numbers alone, as arrays of a numeric dtype.',
  );
}

function shapeOf({ shape }: NpyHeader, dtype: Dtype): number[] {
  if (shape.length > MAX_RANK) {
    throw npyError('rank', `the array has ${shape.length} axes, NumPy knows at most ${MAX_RANK}`);
  }
  const text = `[${shape.join(', ')}]`;
  if (shape.some((size) => size < 0n)) {
    throw npyError('negative', `the shape ${text} has a negative size`);
  }
  // Of an empty array, too, no product of sizes may leave the exact numbers.
  const bytes = shape.reduce((all, size) => all * (size || 1n), BigInt(itemsize(dtype)));
  if (bytes > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw npyError('shape', `the shape ${text} takes ${bytes} bytes, more than any file`);
  }
  return shape.map(Number);
}

/**
 * A tensor as a whole .npy file: its size, and its bytes in pieces. As numpy.save does, elements
 * in the order of their memory are written in it, be it C's or Fortran's. `what` names the tensor
 * where NumPy lacks its dtype: a FindingError.
 */
export function arrayFile(
  tensor: Tensor,
  what: string,
  signal?: AbortSignal,
): { size: number; chunks: AsyncGenerator<Uint8Array> } {
  const { dtype, shape, strides } = tensor;
  const descr = numpyDescr(dtype);
  if (!descr) {
    throw npyError(
      'dtype',
      `${what} has the dtype ${dtype}, which NumPy lacks`,
      'Save it as .safetensors or .pt, or convert it to float32 first.',
    );
  }
  const turned = { ...tensor, shape: shape.toReversed(), strides: strides.toReversed() };
  const fortran = !isContiguous(tensor) && isContiguous(turned);
  const header = headerBytes(descr, fortran, shape);
  return {
    size: header.length + numel(shape) * itemsize(dtype),
    chunks: (async function* () {
      yield header;
      yield* tensorChunks(fortran ? turned : tensor, signal);
    })(),
  };
}

function headerBytes(descr: string, fortran: boolean, shape: readonly number[]): Uint8Array {
  const tuple = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const order = fortran ? 'True' : 'False';
  const dict = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${tuple}, }`;
  const growing = shape.at(fortran ? -1 : 0);
  const room = growing === undefined ? 0 : MAX_DIGITS - String(growing).length;
  const text = dict + ' '.repeat(room);
  const begin = MAGIC.length + 4;
  // A length that is a multiple already gets a whole line of spaces, in NumPy too.
  const padding = ALIGNMENT - ((begin + text.length + 1) % ALIGNMENT);
  const length = text.length + padding + 1;
  const prefix = `${MAGIC}\x01\0${String.fromCharCode(length & 0xff, length >> 8)}`;
  const whole = `${prefix}${text}${' '.repeat(padding)}\n`;
  return Uint8Array.from(whole, (character) => character.charCodeAt(0));
}
