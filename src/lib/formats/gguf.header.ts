/**
 * What stands in front of a GGUF file's tensors: magic, version, counts, keys with typed values,
 * and one record per tensor (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). Read from
 * front to back in ranges that grow, since nothing says how long it is; what a count or a length
 * promises is checked against the bytes that remain before anything is allocated for it.
 */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, list, type List, type Value } from '#lib/checkpoint/value.ts';
import type { Source } from '#lib/file/source.ts';
import { HeaderCursor } from './gguf.cursor.ts';

/** ggml's own limit (GGML_MAX_DIMS). */
const MAX_DIMS = 4;
/** Deeper arrays are no metadata; ggml itself reads none inside another. */
const MAX_DEPTH = 8;
/** Keys, tensors: the largest models have some thousands. An object is kept for each. */
const MAX_RECORDS = 2 ** 20;
/** Items of all lists together: vocabularies have some 300,000 tokens and 500,000 merges. */
const MAX_ITEMS = 2 ** 22;
/** Longer arrays of numbers stay in the file and become a tensor: scores of a whole vocabulary. */
const MAX_LISTED = 1024;
/** general.alignment where the file does not say. */
const DEFAULT_ALIGNMENT = 32;

export interface GgufHeader {
  readonly metadata: Dict;
  readonly tensors: readonly TensorRecord[];
  readonly bigEndian: boolean;
  /** Where the bytes of the tensors begin. */
  readonly dataStart: number;
  readonly alignment: number;
}

export interface TensorRecord {
  readonly name: string;
  /** In PyTorch's order: the file's dimensions reversed. */
  readonly shape: readonly number[];
  readonly type: number;
  /** From `dataStart`. */
  readonly offset: bigint;
}

/** An array of numbers that stays in the file. */
export type ArrayTensor = (at: number, dtype: Dtype, count: number, key: string) => Tensor;

/** An error of this format: the code is `gguf-` and what is wrong. */
export function broken(code: string, message: string, where?: string): FindingError {
  return new FindingError({
    code: `gguf-${code}`,
    ...(where !== undefined && { where }),
    message: `gguf: ${message}`,
    advice: 'The file is damaged or was not written by a GGUF library: get it again.',
  });
}

/** Reads up to the first tensor's bytes. Throws a FindingError for whatever does not hold. */
export async function readHeader(
  source: Source,
  arrayTensor: (bigEndian: boolean) => ArrayTensor,
  signal?: AbortSignal,
): Promise<GgufHeader> {
  const cursor = new HeaderCursor(source, signal);
  await cursor.need(24, 'the header');
  cursor.u32(); // the magic, which `match` has seen
  let version = cursor.u32();
  // Only the byte order tells: versions are small, and a big-endian 3 reads as 3 × 2²⁴.
  const bigEndian = (version & 0xffff) === 0;
  if (bigEndian) {
    cursor.bigEndian = true;
    version = swapped32(version);
  }
  if (version !== 2 && version !== 3) {
    throw new FindingError({
      code: 'gguf-version',
      message: `gguf: version ${version} is not supported, 2 and 3 are`,
      advice: 'Convert the model again with a current llama.cpp.',
    });
  }
  // A tensor's record takes at least 24 bytes, a key and its value 13.
  const tensorCount = counted(cursor, cursor.u64(), 24, MAX_RECORDS, 'tensors');
  const keyCount = counted(cursor, cursor.u64(), 13, MAX_RECORDS, 'keys');
  const metadata = await readMetadata(cursor, keyCount, arrayTensor(bigEndian));
  const tensors = await readRecords(cursor, tensorCount);
  const alignment = alignmentOf(metadata);
  const dataStart = Math.ceil(cursor.at / alignment) * alignment;
  return { metadata, tensors, bigEndian, dataStart, alignment };
}

function swapped32(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, value);
  return view.getUint32(0, true);
}

/** A count as a number, where that many of at least `size` bytes fit in what remains. */
function counted(
  cursor: HeaderCursor,
  count: bigint,
  size: number,
  most: number,
  what: string,
): number {
  if (count * BigInt(size) > BigInt(cursor.left)) {
    throw broken('count', `the header claims ${count} ${what}, ${cursor.left} bytes remain`);
  }
  if (count > BigInt(most)) {
    throw broken('count', `the header claims ${count} ${what}, the lab takes at most ${most}`);
  }
  return Number(count);
}

function alignmentOf(metadata: Dict): number {
  const value = metadata.get('general.alignment') ?? BigInt(DEFAULT_ALIGNMENT);
  const power = typeof value === 'bigint' && value > 0n && (value & (value - 1n)) === 0n;
  if (!power || value >= 2n ** 32n) {
    throw broken('alignment', `general.alignment is ${shown(value)}, expected a power of two`);
  }
  return Number(value);
}

function shown(value: Value): string {
  return typeof value === 'object' ? 'no number' : String(value);
}

/** Numbers by enum gguf_type: bytes, and the dtype of an array of them. */
const scalars = new Map<
  number,
  { size: number; dtype: Dtype; read: (cursor: HeaderCursor) => Value }
>([
  [0, { size: 1, dtype: 'uint8', read: (cursor) => BigInt(cursor.u8()) }],
  [1, { size: 1, dtype: 'int8', read: (cursor) => BigInt((cursor.u8() << 24) >> 24) }],
  [2, { size: 2, dtype: 'uint16', read: (cursor) => BigInt(cursor.u16()) }],
  [3, { size: 2, dtype: 'int16', read: (cursor) => BigInt((cursor.u16() << 16) >> 16) }],
  [4, { size: 4, dtype: 'uint32', read: (cursor) => BigInt(cursor.u32()) }],
  [5, { size: 4, dtype: 'int32', read: (cursor) => BigInt(cursor.u32() | 0) }],
  [6, { size: 4, dtype: 'float32', read: (cursor) => cursor.f32() }],
  [7, { size: 1, dtype: 'bool', read: (cursor) => cursor.u8() !== 0 }],
  [10, { size: 8, dtype: 'uint64', read: (cursor) => cursor.u64() }],
  [11, { size: 8, dtype: 'int64', read: (cursor) => BigInt.asIntN(64, cursor.u64()) }],
  [12, { size: 8, dtype: 'float64', read: (cursor) => cursor.f64() }],
]);
const STRING = 8;
const ARRAY = 9;

async function readMetadata(
  cursor: HeaderCursor,
  count: number,
  arrayTensor: ArrayTensor,
): Promise<Dict> {
  const metadata = new Dict();
  const budget = { items: MAX_ITEMS };
  for (let index = 0; index < count; index++) {
    const key = await readName(cursor, `key ${index}`);
    if (metadata.has(key)) throw broken('duplicate-key', `two keys ${JSON.stringify(key)}`, key);
    await cursor.need(4, key);
    metadata.set(key, await readValue(cursor, cursor.u32(), key, budget, arrayTensor));
  }
  return metadata;
}

/** An array whose items are being read. */
interface OpenArray {
  readonly list: List;
  readonly type: number;
  left: number;
}

/** One value; arrays in arrays by a stack, not by recursion. */
async function readValue(
  cursor: HeaderCursor,
  type: number,
  key: string,
  budget: { items: number },
  arrayTensor: ArrayTensor,
): Promise<Value> {
  const root = list();
  const stack: OpenArray[] = [{ list: root, type, left: 1 }];
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    if (top.left === 0) {
      stack.pop();
      continue;
    }
    top.left--;
    const scalar = scalars.get(top.type);
    if (scalar) {
      if (!cursor.has(scalar.size)) await cursor.need(scalar.size, key);
      top.list.items.push(scalar.read(cursor));
    } else if (top.type === STRING) {
      top.list.items.push(await readText(cursor, key));
    } else if (top.type === ARRAY) {
      const array = await openArray(cursor, key, budget, arrayTensor);
      if ('kind' in array) {
        top.list.items.push(array);
        continue;
      }
      top.list.items.push(array.list);
      stack.push(array);
      if (stack.length > MAX_DEPTH + 1) {
        throw broken(
          'depth',
          `the value of ${JSON.stringify(key)} nests more than ${MAX_DEPTH} arrays`,
          key,
        );
      }
    } else {
      throw broken(
        'value-type',
        `${JSON.stringify(key)} has a value of the unknown type ${top.type}`,
        key,
      );
    }
  }
  return root.items[0]!;
}

async function openArray(
  cursor: HeaderCursor,
  key: string,
  budget: { items: number },
  arrayTensor: ArrayTensor,
): Promise<OpenArray | Tensor> {
  await cursor.need(12, key);
  const type = cursor.u32();
  const count = cursor.u64();
  const scalar = scalars.get(type);
  // Of what is no number, a string takes its length at least, an array its type and length.
  const least = scalar?.size ?? (type === ARRAY ? 12 : 8);
  if (count * BigInt(least) > BigInt(cursor.left)) {
    throw broken(
      'array-length',
      `the array at ${JSON.stringify(key)} claims ${count} items, ${cursor.left} bytes remain`,
      key,
    );
  }
  const length = Number(count);
  if (scalar && length > MAX_LISTED) {
    const tensor = arrayTensor(cursor.at, scalar.dtype, length, key);
    cursor.skip(length * scalar.size);
    return tensor;
  }
  if ((budget.items -= length) < 0) {
    throw broken(
      'items',
      `the arrays up to ${JSON.stringify(key)} hold more than ${MAX_ITEMS} items`,
      key,
    );
  }
  return { list: list(), type, left: length };
}

async function readString(cursor: HeaderCursor, what: string): Promise<Uint8Array> {
  if (!cursor.has(8)) await cursor.need(8, what);
  const length = cursor.u64();
  if (length > BigInt(cursor.left)) {
    throw broken(
      'string-length',
      `a string of ${JSON.stringify(what)} claims ${length} bytes, ${cursor.left} remain`,
      what,
    );
  }
  if (!cursor.has(Number(length))) await cursor.need(Number(length), what);
  return cursor.bytes(Number(length));
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Tokens of old vocabularies are no UTF-8: those stay bytes. */
async function readText(cursor: HeaderCursor, key: string): Promise<Value> {
  const bytes = await readString(cursor, key);
  try {
    return utf8.decode(bytes);
  } catch {
    return { kind: 'bytes', bytes: new Uint8Array(bytes), mutable: false };
  }
}

/** The name of a key or tensor, which has to be UTF-8. */
async function readName(cursor: HeaderCursor, what: string): Promise<string> {
  const bytes = await readString(cursor, what);
  try {
    return utf8.decode(bytes);
  } catch {
    throw broken('name', `the name of ${what} is not UTF-8`, what);
  }
}

async function readRecords(cursor: HeaderCursor, count: number): Promise<TensorRecord[]> {
  const records: TensorRecord[] = [];
  const names = new Set<string>();
  for (let index = 0; index < count; index++) {
    const name = await readName(cursor, `tensor ${index}`);
    const quoted = JSON.stringify(name);
    if (names.has(name)) throw broken('duplicate-tensor', `two tensors ${quoted}`, name);
    names.add(name);
    await cursor.need(4, name);
    const rank = cursor.u32();
    if (rank > MAX_DIMS) {
      throw broken(
        'dims',
        `${quoted} has ${rank} dimensions, ggml knows at most ${MAX_DIMS}`,
        name,
      );
    }
    await cursor.need(8 * rank + 12, name);
    const shape = Array.from({ length: rank }, () => cursor.u64()).reverse();
    // Of an empty tensor, too, no product of sizes may leave the exact numbers.
    const product = shape.reduce((all, size) => all * (size || 1n), 1n);
    if (product > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw broken('shape', `${quoted} has the impossible shape [${shape.join(', ')}]`, name);
    }
    records.push({ name, shape: shape.map(Number), type: cursor.u32(), offset: cursor.u64() });
  }
  return records;
}
