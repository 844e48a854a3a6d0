/**
 * A checkpoint in several files, shards, each of them a checkpoint with some of the tensors: as
 * transformers and huggingface_hub save large models, in safetensors or by torch.save. An index
 * says which file holds which tensor; without one, the shards' own names say how many there are.
 */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { FindingError, type Finding } from '#lib/checkpoint/finding.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import { Dict, isDict, isTensor, type Value } from '#lib/checkpoint/value.ts';
import { listed, mergedReport, type Files } from './folder.files.ts';
import { openPart } from './index.ts';
import { readShardIndex, type ShardIndex } from './sharded.index.ts';
import { told } from './torch.storages.ts';

/** Opens the shards that an index names and joins their tensors in its order. */
export async function readIndexed(
  name: string,
  indexPath: string,
  files: Files,
  signal?: AbortSignal,
): Promise<Checkpoint> {
  const index = await readShardIndex(files.get(indexPath)!, signal);
  const paths = [...new Set(index.weightMap.values())];
  needAll(paths, files);
  const shards = await openShards(paths, files, signal);
  const root = new Dict();
  for (const [key, path] of index.weightMap) root.set(key, entryOf(key, path, shards));
  const findings = [...unindexed(shards, index), ...sizeFinding(root, index)];
  return joined(name, root, shards, index.metadata, findings);
}

/** Opens shards that no index names: all tensors of all of them, in the order of the shards. */
export async function readUnindexed(
  name: string,
  paths: readonly string[],
  files: Files,
  signal?: AbortSignal,
): Promise<Checkpoint> {
  needAll(paths, files);
  const shards = await openShards(paths, files, signal);
  const root = new Dict();
  const homes = new Map<Value, string>();
  for (const [path, { entries }] of shards) {
    for (const [key, value] of entries.entries()) {
      if (root.has(key)) {
        throw new FindingError({
          code: 'shards-duplicate-key',
          message: `sharded: both ${homes.get(key)} and ${path} hold ${JSON.stringify(named(key))}`,
          advice: 'Drop the index file with them, or only the shards of one model.',
        });
      }
      root.set(key, value);
      homes.set(key, path);
    }
  }
  const finding: Finding = {
    code: 'shards-no-index',
    severity: 'info',
    message: `no index file came with the ${shards.size} shards: their names say that these are all`,
  };
  return joined(name, root, shards, new Map(), [finding]);
}

interface Shard {
  readonly checkpoint: Checkpoint;
  readonly entries: Dict;
}
type Shards = ReadonlyMap<string, Shard>;

function needAll(paths: readonly string[], files: Files): void {
  const missing = paths.filter((path) => !files.has(path));
  if (missing.length === 0) return;
  throw new FindingError({
    code: 'shards-missing',
    where: missing[0],
    message: `sharded: ${missing.length} of ${paths.length} shards are missing: ${listed(missing)}`,
    advice:
      'Drop the folder that holds all of them. A shard that is dropped alone opens by itself.',
  });
}

async function openShards(
  paths: readonly string[],
  files: Files,
  signal?: AbortSignal,
): Promise<Shards> {
  const shards = new Map<string, Shard>();
  for (const path of paths) {
    const checkpoint = await openPart(files.get(path)!, signal);
    if (!isDict(checkpoint.root)) {
      throw new FindingError({
        code: 'shards-no-dict',
        where: path,
        message: `sharded: ${path} is no dict of tensors`,
        advice: 'Get this shard again.',
      });
    }
    shards.set(path, { checkpoint, entries: checkpoint.root });
  }
  return shards;
}

function entryOf(key: string, path: string, shards: Shards): Value {
  const value = shards.get(path)!.entries.get(key);
  if (value !== undefined) return value;
  const advice = 'Index and shards are not of the same save: get all of them again.';
  const quoted = JSON.stringify(key);
  const [other] = [...shards].find(([, { entries }]) => entries.has(key)) ?? [];
  if (other !== undefined) {
    throw new FindingError({
      code: 'shards-key-elsewhere',
      where: key,
      message: `sharded: the index has ${quoted} in ${path}, it lies in ${other}`,
      advice,
    });
  }
  throw new FindingError({
    code: 'shards-key-missing',
    where: key,
    message: `sharded: ${path} lacks ${quoted}, which the index has in it`,
    advice,
  });
}

/** A key for a message: of damaged shards it may be any value. */
function named(key: Value): string {
  return typeof key === 'string' ? key : told(key);
}

/** Tensors that the index does not name are left out, as loaders that go by it leave them. */
function unindexed(shards: Shards, { weightMap }: ShardIndex): Finding[] {
  const keys = [...shards].flatMap(([path, { entries }]) =>
    [...entries.keys()].filter((key) => typeof key !== 'string' || weightMap.get(key) !== path),
  );
  if (keys.length === 0) return [];
  return [
    {
      code: 'shards-key-unindexed',
      severity: 'warning',
      message: `sharded: the index does not name ${keys.length} of the shards' entries, which are left out: ${listed(keys.map(named))}`,
    },
  ];
}

function sizeFinding(root: Dict, { metadata }: ShardIndex): Finding[] {
  const said = metadata.get('total_size');
  const tensors = [...root.values()].filter(isTensor);
  const size = tensors.reduce((sum, { dtype, shape }) => sum + numel(shape) * itemsize(dtype), 0);
  // Of what torch.save wrote, writers count each storage, once.
  const storages = new Set(tensors.map(({ storage }) => storage));
  const stored = [...storages].reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (said === undefined || said === String(size) || said === String(stored)) return [];
  return [
    {
      code: 'index-total-size',
      severity: 'info',
      message: `sharded: the index says that the tensors take ${said} bytes, they take ${size}`,
    },
  ];
}

function joined(
  name: string,
  root: Dict,
  shards: Shards,
  metadata: ReadonlyMap<string, string>,
  found: readonly Finding[],
): Checkpoint {
  const parts = [...shards.values()].map(({ checkpoint }) => checkpoint);
  const { findings, calls } = mergedReport(parts);
  const common = [...parts[0]!.metadata].filter(([key, text]) =>
    parts.every((part) => part.metadata.get(key) === text),
  );
  const texts = common.map(([key]) => key).filter((key) => parts[0]!.texts?.has(key));
  const ofIndex = [...metadata.keys()].filter((key) => !key.startsWith('total_'));
  return {
    name,
    format: 'sharded',
    root,
    size: parts.reduce((sum, { size }) => sum + size, 0),
    metadata: new Map([['shards', String(parts.length)], ...common, ...metadata]),
    texts: new Set([...texts, ...ofIndex]),
    findings: [...found, ...findings],
    calls,
  };
}
