/**
 * The configuration that lies beside the weights in a folder: transformers' config.json, Meta's
 * params.json, or of an adapter PEFT's adapter_config.json. It says what no shape tells, such as the number of heads; it is data.
 */
import type { Finding } from '#lib/checkpoint/finding.ts';
import { Dict, list, type Value } from '#lib/checkpoint/value.ts';
import type { Source } from '#lib/file/source.ts';
import type { Files } from './folder.files.ts';
import { isJsonObject, parseJson, type Json } from './json.ts';

const NAMES = ['config.json', 'params.json', 'adapter_config.json'];

/** Configurations have some kilobytes; those with the names of thousands of classes, hundreds. */
const MAX_BYTES = 8 << 20;

/**
 * Reads the configuration among the files of a directory; null where there is none. One that cannot
 * be read is left out with a finding: the weights open without it. `file` is the one that was opened:
 * beside an adapter its own configuration counts, not its model's.
 */
export async function readConfiguration(
  files: Files,
  file: string,
  signal?: AbortSignal,
): Promise<{ configuration: Dict | null; findings: Finding[] }> {
  const names = file.startsWith('adapter_') ? NAMES.toReversed() : NAMES;
  const name = names.find((known) => files.has(known));
  if (name === undefined) return { configuration: null, findings: [] };
  try {
    return { configuration: await read(files.get(name)!, signal), findings: [] };
  } catch (error) {
    signal?.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    const finding: Finding = {
      code: 'folder-configuration',
      severity: 'warning',
      message: `folder: ${name} is left out: ${reason}`,
      advice: 'What it says of the model has to be typed on the Model page.',
    };
    return { configuration: null, findings: [finding] };
  }
}

async function read(source: Source, signal?: AbortSignal): Promise<Dict> {
  if (source.size > MAX_BYTES) throw new Error(`${source.size} bytes, the limit is ${MAX_BYTES}`);
  const json = parseJson(await source.read(0, source.size, signal));
  if (!isJsonObject(json)) throw new Error('it holds no object');
  return dictOf(json);
}

function dictOf({ pairs }: Extract<Json, { pairs: unknown }>): Dict {
  return new Dict(pairs.map(([key, item]) => [key, valueOf(item)]));
}

function valueOf(json: Json): Value {
  if (Array.isArray(json)) return list(...json.map(valueOf));
  return isJsonObject(json) ? dictOf(json) : json;
}
