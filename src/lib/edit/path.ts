/** The way from the root to a value, as an edit writes it, and changes of what lies there. */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { isModule } from '#lib/checkpoint/module.ts';
import { rewrite } from '#lib/checkpoint/rewrite.ts';
import {
  Dict,
  isDict,
  isHashable,
  isScalar,
  type List,
  type ObjectValue,
  type Value,
} from '#lib/checkpoint/value.ts';
import type { EditContext } from './apply.ts';
import type { Path } from './edits.ts';
import { entriesOf } from './places.ts';

/** `["model"]["conv1.weight"]` */
export function pathText(path: Path): string {
  return path.length === 0 ? 'the root' : path.map((key) => `[${key}]`).join('');
}

/** What lies at the path. Throws a FindingError that says from where on there is nothing. */
export function valueAt(root: Value, path: Path, context: EditContext, area: string): Value {
  let value = root;
  for (const [at, text] of path.entries()) {
    const key = context.literal(text);
    const next = entry(holderOf(value, key), key);
    if (next === undefined) throw unknownPath(area, path.slice(0, at + 1), path.slice(0, at));
    value = next;
  }
  return value;
}

/** The dict at the path. Throws a FindingError where something else lies there. */
export function dictAt(root: Value, path: Path, context: EditContext, area: string): Dict {
  const value = valueAt(root, path, context, area);
  if (isDict(value)) return value;
  throw new FindingError({
    code: 'edit-no-dict',
    message: `${area}: ${pathText(path)} is no dict`,
    advice: isModule(value)
      ? 'It is a model that was saved whole: extract it first, which makes a state_dict of it.'
      : 'Choose the dict that has tensors for its values.',
  });
}

/** A dict or list, and the key of one of its entries. */
export interface Slot {
  readonly holder: Dict | List;
  readonly key: Value;
  /** Undefined where there is no such entry yet. */
  readonly value: Value | undefined;
}

/** Where the last key of the path belongs. Throws a FindingError where nothing can stand there. */
export function slotAt(root: Value, path: Path, context: EditContext, area: string): Slot {
  const last = path.at(-1);
  if (last === undefined) {
    throw new FindingError({
      code: 'edit-path',
      message: `${area}: the path is empty, which is the whole checkpoint`,
      advice: 'Name an entry by its keys.',
    });
  }
  const parent = valueAt(root, path.slice(0, -1), context, area);
  const key = context.literal(last);
  const holder = holderOf(parent, key);
  if (!isScalar(holder) && (holder.kind === 'dict' || holder.kind === 'list')) {
    if (!isHashable(key)) throw unknownPath(area, path, path.slice(0, -1));
    return { holder, key, value: entry(holder, key) };
  }
  throw new FindingError({
    code: 'edit-path',
    message: `${area}: ${pathText(path.slice(0, -1))} takes no entries, it is ${kindText(holder)}`,
    advice: 'Dicts and lists can be changed; replace a tuple as a whole.',
  });
}

export function unknownPath(area: string, path: Path, known: Path): FindingError {
  return new FindingError({
    code: 'edit-path',
    message: `${area}: there is no ${pathText(path)} in ${pathText(known)}`,
    advice: 'Compare the path with the tree; edits before this one may have moved what it names.',
  });
}

/** The tree with the entry of a slot set; undefined takes it out. Lists close the gap, as `del` does. */
export function withSlot(root: Value, { holder, key }: Slot, value: Value | undefined): Value {
  return replaced(root, holder, () => {
    if (holder.kind === 'list') {
      const at = Number(key);
      const items =
        value === undefined ? holder.items.toSpliced(at, 1) : holder.items.with(at, value);
      return { ...holder, items };
    }
    const copy = copyOf(holder);
    if (value === undefined) copy.delete(key);
    else copy.set(key, value);
    return copy;
  });
}

/** The tree with an object in the place of another one, wherever that stands. */
export function replaced(root: Value, target: ObjectValue, by: () => Value): Value {
  return rewrite(root, { before: (value) => (value === target ? by() : value) });
}

/** A dict of the same type, entries and attributes. */
export function copyOf(dict: Dict): Dict {
  const copy = new Dict(dict.entries(), dict.type);
  copy.attributes = dict.attributes;
  return copy;
}

/** What has the entry: of a pickled object, its attributes. */
function holderOf(value: Value, key: Value): Value {
  const isObject = !isScalar(value) && value.kind === 'call';
  return isObject && isDict(value.state) && entry(value, key) === undefined ? value.state : value;
}

function entry(value: Value, key: Value): Value | undefined {
  if (isScalar(value) || !isHashable(key)) return undefined;
  if (isDict(value)) return value.get(key);
  if (value.kind === 'list' || value.kind === 'tuple') {
    return typeof key === 'bigint' ? value.items[Number(key)] : undefined;
  }
  return new Dict(entriesOf(value)).get(key);
}

function kindText(value: Value): string {
  if (value === null) return 'None';
  if (typeof value === 'object') return `a ${value.kind}`;
  return `a ${typeof value === 'bigint' ? 'number' : typeof value}`;
}
