/**
 * NumPy's .npy (a header that is a Python literal, then the elements) and .npz (a zip of them,
 * stored or deflated). Format: numpy/lib/_format_impl.py. The header is read by a fixed grammar,
 * never evaluated; dtype object would need a pickle and is refused.
 */
import { itemsize, wordSize, type Dtype } from '#lib/checkpoint/dtype.ts';
import { swapBytes } from '#lib/checkpoint/elements.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { contiguousStrides, numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict } from '#lib/checkpoint/value.ts';
import type { Source } from '#lib/file/source.ts';
import { entrySource, type Zip } from '#lib/file/zip.read.ts';
import type { Format } from './format.ts';
import { numpyDtype } from './numpy.ts';

/** numpy.lib.format reads no longer headers without being told to. */
const MAX_HEADER = 10_000;
const MAGIC = '\x93NUMPY';

export const npz: Format = {
  name: 'npz',
  title: 'NumPy archive',
  extensions: ['.npz'],
  match: ({ zip }) => zip !== null && [...zip.entries.keys()].some(isArray),
  async read({ source, zip }, signal) {
    const root = new Dict();
    for (const name of [...zip!.entries.keys()].filter(isArray)) {
      root.set(name.slice(0, -'.npy'.length), await readMember(zip!, name, signal));
    }
    return {
      name: source.name,
      format: 'npz',
      size: source.size,
      root,
      metadata: new Map(),
      findings: [],
      calls: [],
    };
  },
};

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
};

function isArray(name: string): boolean {
  return name.endsWith('.npy');
}

/** Opens a member by its header. */
async function readMember(zip: Zip, name: string, signal?: AbortSignal): Promise<Tensor> {
  const source = await entrySource(zip, zip.entries.get(name)!, signal);
  return readArray(source, signal);
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function broken(source: Source, message: string): FindingError {
  return new FindingError({
    code: 'npy-broken',
    where: source.name,
    message: `npy: ${source.name}: ${message}`,
    advice: 'Save the array again with numpy.save, as numbers (not as objects).',
  });
}

async function readArray(source: Source, signal?: AbortSignal): Promise<Tensor> {
  if (source.size < 10) throw broken(source, `${source.size} bytes are too few for a header`);
  const head = await source.read(0, Math.min(12, source.size), signal);
  if (latin1(head.subarray(0, MAGIC.length)) !== MAGIC) throw broken(source, 'no NUMPY magic');
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const wide = head[6]! >= 2;
  if (wide && head.length < 12)
    throw broken(source, `${source.size} bytes are too few for a header`);
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const start = (wide ? 12 : 10) + length;
  if (length > MAX_HEADER || start > source.size) {
    throw broken(source, `the header claims ${length} bytes`);
  }
  const text = new TextDecoder().decode(await source.read(start - length, start, signal));
  const { descr, fortran, shape } = parseHeader(source, text);
  const { dtype, swap } = parseDescr(source, descr);
  const byteLength = numel(shape) * itemsize(dtype);
  if (byteLength !== source.size - start) {
    throw broken(
      source,
      `${source.size - start} bytes follow the header, ${dtype} [${shape.join(', ')}] needs ${byteLength}`,
    );
  }
  const strides = fortran
    ? contiguousStrides([...shape].reverse()).reverse()
    : contiguousStrides(shape);
  return {
    kind: 'tensor',
    dtype,
    shape,
    strides,
    offset: 0,
    requiresGrad: false,
    parameter: false,
    storage: {
      key: source.name,
      location: 'cpu',
      byteLength,
      async read(from, to, signal) {
        const bytes = await source.read(start + from, start + to, signal);
        return swap ? swapBytes(bytes, swap) : bytes;
      },
    },
  };
}

/** `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, keys in any order. */
function parseHeader(source: Source, text: string) {
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const shape = /'shape'\s*:\s*\(\s*((?:\d+L?\s*,\s*)*(?:\d+L?)?)\s*\)/.exec(text)?.[1];
  if (!/^\s*\{[^{}]*\}\s*$/.test(text) || !descr || !fortran || shape === undefined) {
    throw broken(
      source,
      `the header ${JSON.stringify(text.slice(0, 80).trim())} is not understood`,
    );
  }
  const sizes = shape.match(/\d+/g)?.map(Number) ?? [];
  if (!Number.isSafeInteger(numel(sizes) * 16))
    throw broken(source, `the shape (${shape}) is too large`);
  return { descr, fortran: fortran === 'True', shape: sizes };
}

function parseDescr(source: Source, descr: string): { dtype: Dtype; swap: number } {
  const [, order, type] = /^([<>|=])([a-zA-Z]\d+)$/.exec(descr) ?? [];
  const dtype = type && numpyDtype(type);
  if (!dtype) throw broken(source, `the dtype ${JSON.stringify(descr)} is not supported`);
  const word = wordSize(dtype);
  return { dtype, swap: order === '>' && word > 1 ? word : 0 };
}
