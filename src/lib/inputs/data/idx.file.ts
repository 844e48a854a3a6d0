/**
 * An IDX file as an array, plain or gzipped: a header of big-endian numbers (two zeros, a code for
 * the dtype, the number of axes, their sizes), then the elements, row-major, as MNIST's page
 * describes it (yann.lecun.com/exdb/mnist).
 */
import { itemsize, type Dtype } from '#lib/checkpoint/dtype.ts';
import { contiguousStrides, numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import { blobSource, bytesSource, type Source } from '#lib/file/source.ts';
import { wordStorage } from '#lib/formats/words.ts';
import { DataError } from './choices.ts';
import type { DataMember } from './given.ts';

/** The dtypes by their codes. */
const CODES: ReadonlyMap<number, Dtype> = new Map([
  [0x08, 'uint8'],
  [0x09, 'int8'],
  [0x0b, 'int16'],
  [0x0c, 'int32'],
  [0x0d, 'float32'],
  [0x0e, 'float64'],
]);
/** Axes of arrays: pictures have three with their number, those in colours four. */
const MAX_RANK = 4;
/** Bytes of the longest header. */
const HEADER = 4 + 4 * MAX_RANK;
/** What a gzipped file may hold: it is unpacked into memory. MNIST's largest holds 47 MB. */
const MAX_UNPACKED = 2 ** 31 - 1;

/** Opens an array by its header, of which the file must be the whole. */
export async function openIdx({ path, open }: DataMember, signal?: AbortSignal): Promise<Tensor> {
  const file = await open();
  const source = /\.gz$/i.test(path) ? await unpacked(file, path, signal) : blobSource(file, path);
  const head = await source.read(0, Math.min(HEADER, source.size), signal);
  const { dtype, shape, start } = parseHeader(head, path);
  const byteLength = numel(shape) * itemsize(dtype);
  const rest = source.size - start;
  if (rest !== byteLength) {
    throw broken(
      path,
      `${rest} bytes follow the header, ${dtype} [${shape.join(', ')}] takes ${byteLength}`,
    );
  }
  return {
    kind: 'tensor',
    ...{ dtype, shape, strides: contiguousStrides(shape), offset: 0 },
    ...{ requiresGrad: false, parameter: false },
    storage: wordStorage(source, path, start, byteLength, itemsize(dtype)),
  };
}

interface Header {
  readonly dtype: Dtype;
  readonly shape: number[];
  readonly start: number;
}

function parseHeader(head: Uint8Array, path: string): Header {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const [first, second, code, rank] = head;
  if (rank === undefined)
    throw broken(path, `the file ends at byte ${head.length}, within the header`);
  if (first !== 0 || second !== 0) {
    throw broken(path, `it begins with the bytes ${first}, ${second}, not with two zeros`);
  }
  const dtype = CODES.get(code!);
  if (!dtype) throw broken(path, `the code ${code} stands for no dtype`);
  if (rank < 1 || rank > MAX_RANK) {
    throw broken(path, `the array has ${rank} axes, expected 1 to ${MAX_RANK}`);
  }
  const start = 4 + 4 * rank;
  if (head.length < start)
    throw broken(path, `the file ends at byte ${head.length}, within the header`);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const bytes = shape.reduce((product, size) => product * BigInt(size), BigInt(itemsize(dtype)));
  if (bytes > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw broken(path, `the shape [${shape.join(', ')}] takes ${bytes} bytes, more than any file`);
  }
  return { dtype, shape, start };
}

/** A gzipped file in memory. What follows the end that its header tells is not unpacked. */
async function unpacked(file: Blob, path: string, signal?: AbortSignal): Promise<Source> {
  const reader = file.stream().pipeThrough(new DecompressionStream('gzip')).getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  let most = MAX_UNPACKED;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      size += value.length;
      if (most === MAX_UNPACKED && size >= HEADER) {
        const head = new Uint8Array(await new Blob(chunks).slice(0, HEADER).arrayBuffer());
        const { dtype, shape, start } = parseHeader(head, path);
        most = Math.min(most, start + numel(shape) * itemsize(dtype));
      }
      if (size > most) {
        throw broken(path, `it unpacks to more than the ${most} bytes that its header says`);
      }
    }
  } catch (error) {
    reader.cancel().catch(() => {});
    if (error instanceof DataError || signal?.aborted) throw error;
    throw broken(path, `it does not unpack after ${size} bytes: it is cut or no gzip file`);
  }
  return bytesSource(new Uint8Array(await new Blob(chunks).arrayBuffer()), path);
}

function broken(path: string, what: string): DataError {
  return new DataError(
    `${path}: ${what}`,
    'Get the file again: it is cut, damaged, or no IDX file.',
  );
}
