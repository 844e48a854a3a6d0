import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { isDict, type Dict, type Value } from '#lib/checkpoint/value.ts';

/** What a checkpoint says of its model's arguments, by name. */
export type Hints = ReadonlyMap<string, Value>;

/** Where training scripts keep a model's arguments. */
const names =
  /^(config|model_config|model_args|args|hyper_parameters|hparams|cfg|kwargs|init_args|params_model)$/i;

/** Dicts within dicts that are looked into: `{'config': {'model': {…}}}`. */
const maxDepth = 3;

/**
 * The configuration that lies beside the weights: in the checkpoint, dicts under the usual names and
 * the attributes of objects such as argparse.Namespace, which are data here; in a folder, its
 * config.json. Of equal names the checkpoint's own counts, and the outermost.
 */
export function configurationOf({
  root,
  configuration,
}: Pick<Checkpoint, 'root' | 'configuration'>): Hints {
  const hints = new Map<string, Value>();
  const collect = (value: Value, depth: number): void => {
    for (const [name, item] of entriesOf(value)) {
      if (!hints.has(name)) hints.set(name, item);
    }
    if (depth === maxDepth) return;
    for (const [, item] of entriesOf(value))
      if (entriesOf(item).length > 0) collect(item, depth + 1);
  };
  for (const [name, value] of entriesOf(root)) if (names.test(name)) collect(value, 1);
  if (configuration) collect(configuration, 1);
  return hints;
}

function entriesOf(value: Value): [string, Value][] {
  if (value === null || typeof value !== 'object') return [];
  if (isDict(value)) return named(value);
  if (value.kind !== 'call') return [];
  const state = value.state ?? null;
  return isDict(state) ? named(state) : [];
}

function named(dict: Dict): [string, Value][] {
  return [...dict.entries()].filter(
    (entry): entry is [string, Value] => typeof entry[0] === 'string',
  );
}
