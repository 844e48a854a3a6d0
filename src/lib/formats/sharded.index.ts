/**
 * The index of a sharded checkpoint, `model.safetensors.index.json`: which file holds which tensor.
 * Written by transformers and huggingface_hub: {"metadata": {"total_size": bytes, …}, "weight_map":
 * {key: file}}.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Source } from '#lib/file/source.ts';
import { isInside } from './folder.files.ts';
import { isJsonObject, parseJson, type Json, type JsonObject } from './json.ts';

export interface ShardIndex {
  /** File name of each tensor, by key, in the order of the index. */
  readonly weightMap: ReadonlyMap<string, string>;
  /** `total_size` and what else there is, as text. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** An index is read as a whole; that of a model with 100,000 tensors takes some 10 MB. */
const MAX_SIZE = 2 ** 28;

export async function readShardIndex(source: Source, signal?: AbortSignal): Promise<ShardIndex> {
  const { name } = source;
  if (source.size > MAX_SIZE) {
    throw broken('size', `${name} takes ${source.size} bytes, the limit is ${MAX_SIZE}`);
  }
  const root = parse(name, await source.read(0, source.size, signal));
  const map = root.get('weight_map');
  if (!isJsonObject(map)) throw broken('weight-map', `${name} has no object "weight_map"`);
  const weightMap = unique(map, `weight_map of ${name}`);
  for (const [key, file] of weightMap) {
    if (typeof file !== 'string') {
      throw broken('weight-map', `${name}: the file of ${JSON.stringify(key)} is no string`);
    }
    if (!isInside(file)) {
      throw broken(
        'path',
        `${name}: the file of ${JSON.stringify(key)} is ${JSON.stringify(file)}, which lies outside of the folder`,
      );
    }
  }
  return {
    weightMap: weightMap as ReadonlyMap<string, string>,
    metadata: metadataOf(root.get('metadata'), name),
  };
}

function broken(code: string, message: string): FindingError {
  return new FindingError({
    code: `index-${code}`,
    message: `sharded: ${message}`,
    advice: 'Get the index file again, or drop the shards without it.',
  });
}

function parse(name: string, bytes: Uint8Array): Map<string, Json> {
  let json: Json;
  try {
    json = parseJson(bytes);
  } catch (error) {
    throw broken('json', `${name} is no JSON: ${(error as Error).message}`);
  }
  if (!isJsonObject(json)) throw broken('json', `${name} is no JSON object`);
  return unique(json, name);
}

/** Refuses an object that has a key twice: readers disagree on which one counts. */
function unique(object: JsonObject, what: string): Map<string, Json> {
  const map = new Map<string, Json>();
  for (const [key, value] of object.pairs) {
    if (map.has(key)) {
      throw broken('duplicate-key', `${what} has two keys ${JSON.stringify(key)}`);
    }
    map.set(key, value);
  }
  return map;
}

function metadataOf(json: Json | undefined, name: string): Map<string, string> {
  if (json === undefined || json === null) return new Map();
  if (!isJsonObject(json)) throw broken('metadata', `metadata of ${name} is no object`);
  const facts = [...unique(json, `metadata of ${name}`)].filter(
    ([, value]) => typeof value !== 'object' && value !== null,
  );
  return new Map(facts.map(([key, value]) => [key, String(value)]));
}
