/**
 * safetensors: a 64-bit length, a JSON header of dtype, shape and byte range by name, then the
 * bytes. Read as its specification demands (https://github.com/huggingface/safetensors): ranges
 * lie one behind the other and cover the whole rest. Written as its own writer does.
 */
import { itemsize, type Dtype } from '#lib/checkpoint/dtype.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { contiguousStrides, numel, tensorChunks, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, isTensor, type Value } from '#lib/checkpoint/value.ts';
import { sliceSource, type Source } from '#lib/file/source.ts';
import type { Format, WriteOptions } from './format.ts';
import type { Sink } from '#lib/file/sink.ts';
import { isJsonObject, parseJson, type Json, type JsonObject } from './json.ts';

/** The limit of the reference implementation. */
const MAX_HEADER = 100_000_000;
/** No tensor of PyTorch has more axes (c10/core/TensorImpl.h), so the size stays a small number. */
const MAX_RANK = 64;

const codes: Record<string, Dtype> = {
  BOOL: 'bool',
  U8: 'uint8',
  I8: 'int8',
  I16: 'int16',
  U16: 'uint16',
  F16: 'float16',
  BF16: 'bfloat16',
  I32: 'int32',
  U32: 'uint32',
  F32: 'float32',
  C64: 'complex64',
  F64: 'float64',
  I64: 'int64',
  U64: 'uint64',
  F8_E4M3: 'float8_e4m3fn',
  F8_E4M3FNUZ: 'float8_e4m3fnuz',
  F8_E5M2: 'float8_e5m2',
  F8_E5M2FNUZ: 'float8_e5m2fnuz',
  F8_E8M0: 'float8_e8m0fnu',
};
const codeOf = new Map(Object.entries(codes).map(([code, dtype]) => [dtype, code]));

export const safetensors: Format = {
  name: 'safetensors',
  title: 'safetensors',
  extensions: ['.safetensors'],

  /** A plausible length, then JSON; white space before it only where the header is whole. */
  match({ head, source }) {
    if (head.length < 9) return false;
    const length = headerLength(head);
    const first = String.fromCharCode(head[8]!);
    return first === '{' ? length <= MAX_HEADER : /\s/.test(first) && length < source.size;
  },

  async read({ source, head }, signal) {
    const length = headerLength(head);
    if (length > MAX_HEADER || length > BigInt(source.size - 8)) {
      throw broken('header-length', `the header claims ${length} bytes of ${source.size}`);
    }
    const start = 8 + Number(length);
    const header = parseHeader(await source.read(8, start, signal));
    const body = sliceSource(source, start, source.size, source.name);
    return {
      name: source.name,
      format: 'safetensors',
      size: source.size,
      root: new Dict(tensorsOf(header, body)),
      metadata: metadataOf(header),
      findings: [],
      calls: [],
    };
  },

  write,
};

function broken(code: string, message: string): FindingError {
  return new FindingError({
    code: `safetensors-${code}`,
    message: `safetensors: ${message}`,
    advice: 'The file is damaged or was not written by a safetensors library: get it again.',
  });
}

function headerLength(head: Uint8Array): bigint {
  return new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0, true);
}

function parseHeader(bytes: Uint8Array): JsonObject {
  let json: Json;
  try {
    json = parseJson(bytes);
  } catch (error) {
    throw broken('header-json', `the header is no JSON: ${(error as Error).message}`);
  }
  if (!isJsonObject(json)) throw broken('header-json', 'the header is no JSON object');
  return unique(json, 'the header');
}

/** Refuses an object that has a key twice: readers disagree on which one counts. */
function unique(object: JsonObject, what: string): JsonObject {
  const seen = new Set<string>();
  for (const [key] of object.pairs) {
    if (seen.has(key)) throw broken('duplicate-key', `${what} has two keys ${JSON.stringify(key)}`);
    seen.add(key);
  }
  return object;
}

function metadataOf(header: JsonObject): Map<string, string> {
  const value = header.pairs.find(([key]) => key === '__metadata__')?.[1];
  if (value === undefined) return new Map();
  if (!isJsonObject(value)) throw broken('metadata', '__metadata__ is no object');
  return new Map(
    unique(value, '__metadata__').pairs.map(([key, text]) => {
      if (typeof text !== 'string') {
        throw broken('metadata', `__metadata__ ${JSON.stringify(key)} is no string`);
      }
      return [key, text];
    }),
  );
}

function tensorsOf(header: JsonObject, body: Source): [string, Tensor][] {
  const tensors = header.pairs
    .filter(([key]) => key !== '__metadata__')
    .map(([key, value]) => ({ key, ...parseEntry(key, value) }));
  let end = 0;
  for (const tensor of [...tensors].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (tensor.start !== end) {
      const what = tensor.start > end ? 'hole' : 'overlap';
      throw broken(
        what,
        `${JSON.stringify(tensor.key)} starts at byte ${tensor.start}, the one before ends at ${end}`,
      );
    }
    end = tensor.end;
  }
  if (end !== body.size) {
    throw broken('size', `the tensors take ${end} bytes, the file holds ${body.size}`);
  }
  return tensors.map(({ key, dtype, shape, start, end }) => [
    key,
    {
      kind: 'tensor',
      dtype,
      shape,
      strides: contiguousStrides(shape),
      offset: 0,
      requiresGrad: false,
      parameter: false,
      storage: {
        key,
        location: 'cpu',
        byteLength: end - start,
        read: (from, to, signal) => body.read(start + from, start + to, signal),
      },
    },
  ]);
}

function parseEntry(key: string, value: Json) {
  const name = JSON.stringify(key);
  const fields = new Map(isJsonObject(value) ? unique(value, name).pairs : []);
  const code = fields.get('dtype');
  const shape = naturals(fields.get('shape'), `${name}: shape`);
  const [start, end, ...rest] = naturals(fields.get('data_offsets'), `${name}: data_offsets`);
  if (start === undefined || end === undefined || rest.length > 0 || end < start) {
    throw broken('offsets', `${name}: data_offsets are no pair of start and end`);
  }
  if (typeof code !== 'string' || !Object.hasOwn(codes, code)) {
    throw broken('dtype', `${name} has the unsupported dtype ${JSON.stringify(code ?? null)}`);
  }
  const dtype = codes[code]!;
  if (shape.length > MAX_RANK) {
    throw broken('shape', `${name} has ${shape.length} axes, PyTorch knows at most ${MAX_RANK}`);
  }
  const size = shape.reduce((product, n) => product * BigInt(n), BigInt(itemsize(dtype)));
  if (size !== BigInt(end - start)) {
    throw broken(
      'span',
      `${name} holds ${end - start} bytes, ${code} [${shape.join(', ')}] needs ${size}`,
    );
  }
  return { dtype, shape, start, end };
}

function naturals(value: Json | undefined, what: string): number[] {
  if (!Array.isArray(value)) throw broken('header', `${what} is no list`);
  return value.map((item) => {
    if (typeof item !== 'bigint' || item < 0n || item > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw broken('header', `${what} holds ${told(item)}, expected a non-negative integer`);
    }
    return Number(item);
  });
}

/** A value in a few words, for a message. */
function told(value: Json): string {
  if (Array.isArray(value)) return 'a list';
  return isJsonObject(value) ? 'an object' : String(value);
}

/** Writes a flat dict of tensors; ties are written out, since the format has none. */
async function write(
  root: Value,
  sink: Sink,
  { metadata, signal, onProgress }: WriteOptions,
): Promise<void> {
  const tensors = flatTensors(root).sort(
    ([a, one], [b, two]) => itemsize(two.dtype) - itemsize(one.dtype) || (a < b ? -1 : 1),
  );
  const header: Record<string, unknown> = Object.create(null);
  if (metadata?.size) header['__metadata__'] = Object.fromEntries(metadata);
  let at = 0;
  for (const [key, { dtype, shape }] of tensors) {
    const end = at + numel(shape) * itemsize(dtype);
    header[key] = { dtype: codeOf.get(dtype), shape, data_offsets: [at, end] };
    at = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.length - 8), true);
  padded.set(json, 8);
  await sink.write(padded);
  let written = padded.length;
  for (const [, tensor] of tensors) {
    for await (const bytes of tensorChunks(tensor, signal)) {
      await sink.write(bytes);
      onProgress?.((written += bytes.byteLength));
    }
  }
}

function flatTensors(root: Value): [string, Tensor][] {
  if (!(root instanceof Dict))
    throw new Error('safetensors: only a dict of tensors can be written');
  return [...root.entries()].map(([key, value]) => {
    if (typeof key !== 'string' || !isTensor(value)) {
      throw new Error(`safetensors: the value at ${String(key)} is no tensor with a string key`);
    }
    if (key === '__metadata__') {
      throw new Error('safetensors: no tensor can be named __metadata__');
    }
    if (!codeOf.has(value.dtype)) {
      throw new Error(`safetensors: ${key} has the dtype ${value.dtype}, which the format lacks`);
    }
    return [key, value];
  });
}
