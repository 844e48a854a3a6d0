/**
 * GGUF, the format of llama.cpp: typed metadata, a record for each tensor, then their bytes at
 * aligned offsets. Tensors of plain numbers are read as they are. Those in blocks of few bits an
 * element are decoded to float32 when someone reads them, and only the blocks in that range. Types
 * that the lab cannot decode open all the same; reading them is an error that names the type.
 *
 * The root is `{metadata, tensors}`: the tensors alone are a state_dict, as `findStateDicts` and
 * safetensors want it.
 */
import { itemsize, wordSize, type Dtype } from '#lib/checkpoint/dtype.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { contiguousStrides, numel, type Storage, type Tensor } from '#lib/checkpoint/tensor.ts';
import { dict, Dict } from '#lib/checkpoint/value.ts';
import type { Source } from '#lib/file/source.ts';
import { blockStorage } from './gguf.storage.ts';
import { broken, readHeader, type GgufHeader, type TensorRecord } from './gguf.header.ts';
import { ggmlTypes } from './gguf.types.ts';
import type { Format } from './format.ts';
import { wordStorage } from './words.ts';

export const gguf: Format = {
  name: 'gguf',
  title: 'GGUF (llama.cpp)',
  extensions: ['.gguf'],
  match: ({ head }) => String.fromCharCode(...head.subarray(0, 4)) === 'GGUF',

  async read({ source }, signal) {
    const arrayTensor =
      (bigEndian: boolean) => (at: number, dtype: Dtype, count: number, key: string) =>
        tensorOf(
          dtype,
          [count],
          wordStorage(source, key, at, count * itemsize(dtype), bigEndian ? wordSize(dtype) : 1),
        );
    const header = await readHeader(source, arrayTensor, signal);
    return {
      name: source.name,
      format: 'gguf',
      size: source.size,
      root: dict({ metadata: header.metadata, tensors: tensorsOf(source, header) }),
      metadata: new Map(),
      findings: [],
      calls: [],
    };
  },
};

function tensorOf(
  dtype: Dtype,
  shape: readonly number[],
  storage: Storage,
  encoding?: string,
): Tensor {
  return {
    kind: 'tensor',
    dtype,
    shape,
    strides: contiguousStrides(shape),
    offset: 0,
    requiresGrad: false,
    parameter: false,
    storage,
    ...(encoding !== undefined && { encoding }),
  };
}

function tensorsOf(source: Source, header: GgufHeader): Dict {
  const placed = header.tensors.map((record) => ({ record, ...place(source, header, record) }));
  let before: (typeof placed)[number] | undefined;
  for (const next of placed.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    if (before && next.start < before.end) {
      const [one, two] = [before.record.name, next.record.name].map((name) => JSON.stringify(name));
      throw broken(
        'overlap',
        `${two} begins at byte ${next.start}, within ${one}`,
        next.record.name,
      );
    }
    if (next.end > next.start) before = next;
  }
  return new Dict(placed.map(({ record, tensor }) => [record.name, tensor]));
}

/** Where the record's bytes lie in the file, and the tensor over them. */
function place(source: Source, header: GgufHeader, { name, shape, type, offset }: TensorRecord) {
  const quoted = JSON.stringify(name);
  if (offset % BigInt(header.alignment) !== 0n) {
    throw broken(
      'offset',
      `${quoted} begins at ${offset}, no multiple of ${header.alignment}`,
      name,
    );
  }
  const known = ggmlTypes.get(type);
  const block = known?.block ?? 1;
  if ((shape.at(-1) ?? 1) % block !== 0) {
    throw broken(
      'blocks',
      `${quoted} has rows of ${shape.at(-1) ?? 1} elements, blocks of ${known!.name} hold ${block}`,
      name,
    );
  }
  // Of an unknown type nothing tells the size: it has to begin in the file.
  const byteLength = (numel(shape) / block) * (known?.size ?? 0);
  const end = BigInt(header.dataStart) + offset + BigInt(byteLength);
  if (end > BigInt(source.size)) {
    throw broken('range', `${quoted} ends at byte ${end}, the file at ${source.size}`, name);
  }
  const start = Number(end) - byteLength;
  return { start, end: Number(end), tensor: tensorAt(source, header, name, shape, type, start) };
}

function tensorAt(
  source: Source,
  { bigEndian }: GgufHeader,
  name: string,
  shape: readonly number[],
  type: number,
  start: number,
): Tensor {
  const known = ggmlTypes.get(type);
  const count = numel(shape);
  // The gguf package writes bfloat16 and blocks as bytes, without turning them; others turn them.
  const unclear = bigEndian && (known?.decode || known?.dtype === 'bfloat16');
  if (known?.dtype && !unclear) {
    const word = bigEndian ? known.size : 1;
    return tensorOf(known.dtype, shape, wordStorage(source, name, start, count * known.size, word));
  }
  if (known?.decode && !unclear) {
    const storage = blockStorage(source, name, start, count, { ...known, decode: known.decode });
    return tensorOf('float32', shape, storage, known.name);
  }
  const dtype = known?.dtype ?? 'float32';
  const encoding = known?.name ?? `type ${type}`;
  const why = unclear ? ' in a big-endian file, where writers disagree on its bytes' : '';
  return tensorOf(dtype, shape, unreadable(name, count * itemsize(dtype), encoding, why), encoding);
}

/** Stands for elements that the lab cannot decode. */
function unreadable(name: string, byteLength: number, encoding: string, why: string): Storage {
  const error = () =>
    new FindingError({
      code: 'gguf-encoding',
      where: name,
      message: `gguf: ${JSON.stringify(name)} is stored as ${encoding}${why}, which the lab does not decode`,
      advice: 'Convert it with llama.cpp (llama-quantize --allow-requantize) to F16 or Q8_0.',
    });
  return { key: name, location: 'cpu', byteLength, read: () => Promise.reject(error()) };
}
