/**
 * safetensors: a 64-bit length, a JSON header of dtype, shape and byte range by name, then the
 * bytes. Read as its specification demands (https://github.com/huggingface/safetensors): ranges
 * lie one behind the other and cover the whole rest.
 */
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { contiguousStrides, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict } from '#lib/checkpoint/value.ts';
import { sliceSource, type Source } from '#lib/file/source.ts';
import type { Format } from './format.ts';
import { isJsonObject, JsonError, parseJson, type Json, type JsonObject } from './json.ts';
import { dtypeByCode, isHalved } from './safetensors.dtypes.ts';
import { MAX_HEADER, METADATA, plannedSafetensors, writeSafetensors } from './safetensors.write.ts';

/** No tensor of PyTorch has more axes (c10/core/TensorImpl.h), so the size stays a small number. */
const MAX_RANK = 64;
/** Longer "lengths" are eight bytes of something else. */
const MAX_PLAUSIBLE = 2n ** 48n;

export const safetensors: Format = {
  name: 'safetensors',
  title: 'safetensors',
  extensions: ['.safetensors'],

  /** A length that is no text, then JSON; white space before it only where the header is whole. */
  match({ head, source }) {
    if (head.length < 9) return false;
    const length = headerLength(head);
    const first = String.fromCharCode(head[8]!);
    return first === '{' ? length < MAX_PLAUSIBLE : /\s/.test(first) && length < source.size;
  },

  async read({ source, head }, signal) {
    const length = headerLength(head);
    if (length > MAX_HEADER) {
      throw broken(
        'header-limit',
        `the header claims ${length} bytes, at most ${MAX_HEADER} are read`,
      );
    }
    if (length > BigInt(source.size - 8)) {
      throw broken('header-length', `the header claims ${length} bytes of ${source.size}`);
    }
    const start = 8 + Number(length);
    const header = parseHeader(await source.read(8, start, signal));
    const body = sliceSource(source, start, source.size, source.name);
    const metadata = metadataOf(header);
    return {
      name: source.name,
      format: 'safetensors',
      size: source.size,
      root: new Dict(tensorsOf(header, body)),
      metadata,
      texts: new Set(metadata.keys()),
      findings: [],
      calls: [],
    };
  },

  check: plannedSafetensors,
  write: writeSafetensors,
};

const DAMAGED = 'The file is damaged or was not written by a safetensors library: get it again.';

function broken(code: string, message: string, advice = DAMAGED): FindingError {
  return new FindingError({
    code: `safetensors-${code}`,
    message: `safetensors: ${message}`,
    advice,
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
    if (!(error instanceof JsonError)) throw error;
    const codes = { utf8: 'header-utf8', depth: 'header-depth', syntax: 'header-json' };
    throw broken(codes[error.reason], `the header is no JSON: ${error.message}`);
  }
  if (!isJsonObject(json)) throw broken('header', 'the header is no JSON object');
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
  const value = header.pairs.find(([key]) => key === METADATA)?.[1];
  if (value === undefined) return new Map();
  if (!isJsonObject(value)) throw broken('metadata', '__metadata__ is no object');
  return new Map(
    unique(value, METADATA).pairs.map(([key, text]) => {
      if (typeof text !== 'string') {
        throw broken('metadata', `__metadata__ ${JSON.stringify(key)} is no string`);
      }
      return [key, text];
    }),
  );
}

function tensorsOf(header: JsonObject, body: Source): [string, Tensor][] {
  const tensors = header.pairs
    .filter(([key]) => key !== METADATA)
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
    const code = end > body.size ? 'short' : 'trailing';
    throw broken(code, `the tensors take ${end} bytes, the file holds ${body.size}`);
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
        place: { file: body, at: start },
        ...(body.fresh && { fresh: true as const }),
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
  const dtype = typeof code === 'string' ? dtypeByCode.get(code) : undefined;
  if (!dtype) {
    throw broken(
      'dtype',
      `${name} has the dtype ${JSON.stringify(told(code ?? null))}, which PyTorch lacks`,
      'Convert the tensor to a dtype of PyTorch with the program that wrote it.',
    );
  }
  if (shape.length > MAX_RANK) {
    throw broken('rank', `${name} has ${shape.length} axes, PyTorch knows at most ${MAX_RANK}`);
  }
  const form = `${name} ${String(code)} [${shape.join(', ')}]`;
  if (isHalved(dtype)) {
    const last = shape.pop();
    if (last === undefined || last % 2 === 1) {
      throw broken('packed', `${form} does not end at a whole byte along its last axis`);
    }
    shape.push(last / 2);
  }
  // Of an empty tensor, too, no product of sizes may leave the exact numbers.
  const sizes = shape.map(BigInt);
  const most = sizes.reduce((product, n) => product * (n || 1n), BigInt(itemsize(dtype)));
  if (most > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw broken('shape', `${form} takes more bytes than any file`);
  }
  const needed = sizes.includes(0n) ? 0n : most;
  if (needed !== BigInt(end - start)) {
    throw broken('span', `${form} needs ${needed} bytes, its range holds ${end - start}`);
  }
  return { dtype, shape, start, end };
}

/** A list of sizes or offsets, in a fresh array. */
function naturals(value: Json | undefined, what: string): number[] {
  if (!Array.isArray(value)) throw broken('header', `${what} is no list`);
  return value.map((item) => {
    if (typeof item !== 'bigint' || item < 0n) {
      throw broken('integer', `${what} holds ${told(item)}, expected a non-negative integer`);
    }
    if (item > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw broken('integer-size', `${what} holds ${item}, more than any file`);
    }
    return Number(item);
  });
}

/** A value in a few words, for a message. */
function told(value: Json): string {
  if (Array.isArray(value)) return 'a list';
  return isJsonObject(value) ? 'an object' : String(value);
}
