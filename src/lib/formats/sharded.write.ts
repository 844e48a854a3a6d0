/**
 * Writes the weights of a model as several files, shards, and an index that says which of them holds
 * which tensor. Split as huggingface_hub does (serialization/_base.py, in the order of the dict, a
 * new shard where the next tensor would not fit), named and indexed as transformers does. Shards are
 * written one after another, each as a stream; what fits in one file gets no index.
 */
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { isMeta, numel, type Storage, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, type Value } from '#lib/checkpoint/value.ts';
import type { Sink } from '#lib/file/sink.ts';
import { flatTensors, inOrderOfCodePoints, unwritable } from './flat.ts';
import type { Format, WriteOptions } from './format.ts';
import { safetensors } from './safetensors.ts';
import { torch } from './torch.read.ts';

/** What shards may be: the names that transformers looks for, and the format of each. */
export const shardKinds = {
  safetensors: { stem: 'model', extension: '.safetensors', format: safetensors },
  bin: { stem: 'pytorch_model', extension: '.bin', format: torch },
} as const satisfies Record<string, { stem: string; extension: string; format: Format }>;
export type ShardKind = keyof typeof shardKinds;

/** The largest shard of huggingface_hub, in bytes: what a model hub takes without complaint. */
export const DEFAULT_SHARD_SIZE = 5e9;
/** Names number shards with five digits. */
const MAX_SHARDS = 99_999;

/** Makes the file of that name, has it written, and sees that it is whole. */
export type WriteFile = (name: string, write: (sink: Sink) => Promise<void>) => Promise<void>;

/** Tensors that have to be in one file, and what they take in it, in bytes. */
interface Group {
  readonly tensors: [string, Tensor][];
  readonly size: number;
}

export interface ShardedOptions extends Omit<WriteOptions, 'stem'> {
  /** Free texts about the whole: in the index, or in the file where one holds everything. */
  readonly whole?: ReadonlyMap<string, string>;
}

/** Writes a flat dict of tensors. `shardSize` bounds the elements of a shard that holds several tensors. */
export async function writeSharded(
  root: Value,
  kind: ShardKind,
  shardSize: number,
  writeFile: WriteFile,
  { metadata = new Map(), whole = new Map(), signal, onProgress }: ShardedOptions = {},
): Promise<void> {
  const { stem, extension, format } = shardKinds[kind];
  const tensors = flatTensors(root, 'sharded');
  const groups = kind === 'bin' ? byStorage(tensors) : tensors.map(alone);
  const shards = split(groups, shardSize);
  if (shards.length > MAX_SHARDS) {
    const message = `${shards.length} shards of ${shardSize} bytes are more than their names can number`;
    throw unwritable('sharded', 'count', message, 'Allow larger shards.');
  }
  const texts = shards.length > 1 ? metadata : new Map([...metadata, ...whole]);
  const weightMap = new Map<string, string>();
  let written = 0;
  for (const [index, shard] of shards.entries()) {
    const name = `${stem}${shards.length > 1 ? suffix(index, shards.length) : ''}`;
    const before = written;
    const progress = (bytes: number) => onProgress?.((written = before + bytes));
    const options = { stem: name, metadata: texts, signal, onProgress: progress };
    const file = name + extension;
    await writeFile(file, (sink) => format.write!(new Dict(shard), sink, options));
    for (const [key] of shard) weightMap.set(key, file);
  }
  if (shards.length === 1) return;
  const total = groups.reduce((sum, { size }) => sum + size, 0);
  const index = indexText(weightMap, total, whole);
  await writeFile(`${stem}${extension}.index.json`, (sink) =>
    sink.write(new TextEncoder().encode(index)),
  );
}

function alone([key, tensor]: [string, Tensor]): Group {
  return { tensors: [[key, tensor]], size: numel(tensor.shape) * itemsize(tensor.dtype) };
}

/** torch.save writes a storage whole, once, with all tensors that look into it. */
function byStorage(tensors: readonly [string, Tensor][]): Group[] {
  const groups = new Map<Storage, Group>();
  for (const [key, tensor] of tensors) {
    const { storage } = tensor;
    const known = groups.get(storage);
    if (known) known.tensors.push([key, tensor]);
    else {
      const size = isMeta(storage) ? 0 : storage.byteLength;
      groups.set(storage, { tensors: [[key, tensor]], size });
    }
  }
  return [...groups.values()];
}

function split(groups: readonly Group[], shardSize: number): [string, Tensor][][] {
  const shards: [string, Tensor][][] = [];
  let current: [string, Tensor][] = [];
  let filled = 0;
  for (const { tensors, size } of groups) {
    if (size > shardSize) {
      shards.push(tensors);
      continue;
    }
    if (filled + size > shardSize) {
      shards.push(current);
      current = [];
      filled = 0;
    }
    current.push(...tensors);
    filled += size;
  }
  if (current.length > 0 || shards.length === 0) shards.push(current);
  return shards;
}

function suffix(index: number, count: number): string {
  const digits = (value: number) => String(value).padStart(5, '0');
  return `-${digits(index + 1)}-of-${digits(count)}`;
}

/** As Python's `json.dumps(index, indent=2, sort_keys=True)` with a line end, in ASCII. */
function indexText(
  weightMap: ReadonlyMap<string, string>,
  total: number,
  texts: ReadonlyMap<string, string>,
): string {
  const facts = [...texts]
    .map(([key, text]) => [key, ascii(text)] as const)
    .concat([['total_size', String(total)]])
    .sort(([a], [b]) => inOrderOfCodePoints(a, b))
    .map(([key, json]) => `    ${ascii(key)}: ${json}`);
  const entries = [...weightMap]
    .sort(([a], [b]) => inOrderOfCodePoints(a, b))
    .map(([key, file]) => `    ${ascii(key)}: ${ascii(file)}`);
  return `{
  "metadata": {
${facts.join(',\n')}
  },
  "weight_map": {
${entries.join(',\n')}
  }
}
`;
}

function ascii(text: string): string {
  return JSON.stringify(text).replace(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
