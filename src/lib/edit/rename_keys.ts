/** New keys for the tensors of state_dicts. What modules are called in `_metadata` goes with them. */
import { rewrite } from '#lib/checkpoint/rewrite.ts';
import { FindingError, type Finding } from '#lib/checkpoint/finding.ts';
import { findStateDicts } from '#lib/checkpoint/state_dicts.ts';
import { Dict, isDict, type ObjectValue, type Value } from '#lib/checkpoint/value.ts';
import type { Done, EditContext, Tree } from './apply.ts';
import type { Edit, Path } from './edits.ts';
import { listed } from './listed.ts';
import { dictAt } from './path.ts';
import { idleRules, renameBy, renaming, type Renamed } from './rename.ts';

type RenameEdit = Extract<Edit, { kind: 'rename' | 'names' }>;

/** Throws a FindingError where two keys of a dict become one. */
export function renameKeys({ root }: Tree, edit: RenameEdit, context: EditContext): Done {
  const dicts = dictsOf(root, edit.in, edit.kind, context);
  const newName = edit.kind === 'rename' ? renaming(edit.rules) : nameTable(edit.names);
  const renamed = new Map<ObjectValue, Dict>();
  let changed = 0;
  for (const dict of dicts) {
    const names = renameBy(textKeys(dict), newName);
    changed += names.filter(({ from, to }) => from !== to).length;
    const rule = edit.kind === 'rename' ? newName : null;
    renamed.set(dict, withNames(dict, names, rule));
  }
  const keys = dicts.flatMap(textKeys);
  const findings =
    edit.kind === 'rename' ? idleRules(keys, edit.rules) : missingNames(keys, edit.names);
  const tree = rewrite(root, { before: (value) => renamed.get(value) ?? value });
  return { root: tree, changed, findings };
}

/** The dict at the path, or without one all that hold tensors by name, but those of optimizers. */
export function dictsOf(
  root: Value,
  path: Path | null,
  area: string,
  context: EditContext,
): Dict[] {
  if (path) return [dictAt(root, path, context, area)];
  const found = findStateDicts(root);
  const dicts = found.filter(({ dict, origin }) => dict === origin).map(({ dict }) => dict);
  if (dicts.length > 0) return dicts;
  throw new FindingError({
    code: 'edit-no-dict',
    message: `${area}: no dict here holds tensors by name`,
    advice:
      found.length > 0
        ? 'The model was saved whole: extract it first, which makes a state_dict of it.'
        : 'Name the dict whose keys are meant.',
  });
}

function textKeys(dict: Dict): string[] {
  return [...dict.keys()].filter((key) => typeof key === 'string');
}

/** Throws a FindingError where the table gives a name twice. */
function nameTable(
  names: readonly (readonly [from: string, to: string])[],
): (key: string) => string {
  const table = new Map(names);
  if (table.size < names.length) {
    const seen = new Set<string>();
    const [twice] = names.find(([from]) => seen.size === seen.add(from).size)!;
    throw new FindingError({
      code: 'names-twice',
      message: `names: "${twice}" stands in the table twice`,
      advice: 'Leave one of its lines.',
    });
  }
  return (key) => table.get(key) ?? key;
}

function missingNames(
  keys: readonly string[],
  names: readonly (readonly [string, string])[],
): Finding[] {
  const known = new Set(keys);
  const missing = names.map(([from]) => from).filter((from) => !known.has(from));
  if (missing.length === 0) return [];
  return [
    {
      code: 'rename-idle',
      severity: 'warning',
      message: `names: ${missing.length} of ${names.length} are no keys here: ${listed(missing)}`,
      advice: 'Compare the table with the keys in the file.',
    },
  ];
}

/** The dict under its new names; `rule` says what becomes of names that no key tells. */
function withNames(
  dict: Dict,
  names: readonly Renamed[],
  rule: ((name: string) => string) | null,
): Dict {
  const moved = new Map(names.map(({ from, to }) => [from, to]));
  const copy = new Dict([], dict.type);
  for (const [key, value] of dict.entries()) {
    copy.set(typeof key === 'string' ? moved.get(key)! : key, value);
  }
  copy.attributes = dict.attributes;
  const versions = isDict(dict.attributes) ? dict.attributes.get('_metadata') : undefined;
  if (isDict(dict.attributes) && isDict(versions)) {
    const attributes = new Dict(dict.attributes.entries(), dict.attributes.type);
    copy.attributes = attributes.set('_metadata', moduleNames(versions, names, rule));
  }
  return copy;
}

/**
 * `_metadata` (versions by module, torch/nn/modules/module.py) under the new names of the modules. A
 * module is called what stands before its keys; where it has none, what the rules make of its name,
 * or else what becomes of the module that it is in. As in `consume_prefix_in_state_dict_if_present`,
 * of two modules that become one the later counts: DDP's own entry gives way to the model's.
 */
function moduleNames(
  versions: Dict,
  names: readonly Renamed[],
  rule: ((name: string) => string) | null,
): Dict {
  const told = toldByKeys(names);
  const newName = (module: string): string => {
    const known = told.get(module);
    if (known !== undefined && known !== null) return known;
    const ruled = rule && module !== '' ? rule(`${module}.`).replace(/\.$/, '') : module;
    if (ruled !== module || known === null) return ruled;
    for (let end = module.lastIndexOf('.'); end > 0; end = module.lastIndexOf('.', end - 1)) {
      const above = told.get(module.slice(0, end));
      if (typeof above === 'string') return above + module.slice(above === '' ? end + 1 : end);
    }
    return module;
  };
  const copy = new Dict([], versions.type);
  for (const [key, value] of versions.entries()) {
    copy.set(typeof key === 'string' ? newName(key) : key, value);
  }
  copy.attributes = versions.attributes;
  return copy;
}

/** The new name of each module that all keys below it agree on; null where they do not. */
function toldByKeys(names: readonly Renamed[]): Map<string, string | null> {
  const told = new Map<string, string | null>();
  for (const { from, to } of names) {
    for (let end = from.lastIndexOf('.'); ; end = from.lastIndexOf('.', end - 1)) {
      const module = end < 0 ? '' : from.slice(0, end);
      const rest = from.slice(end + 1);
      const name =
        to === rest ? '' : to.endsWith(`.${rest}`) ? to.slice(0, -rest.length - 1) : null;
      const known = told.get(module);
      told.set(module, known === undefined || known === name ? name : null);
      if (end <= 0) break;
    }
  }
  return told;
}
