/**
 * A checkpoint without what PyTorch refuses: its tensors and plain values, in the places in which they
 * stand. Objects, calls and names that `weights_only` does not know are left out of dicts and sets and
 * become None in lists and tuples, so that indexes stay. Models that were saved whole become their
 * state_dict, arrays of NumPy tensors. What was changed is told with its path.
 */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { keyBudget, moduleStateDict } from '#lib/checkpoint/module.ts';
import { rewrite } from '#lib/checkpoint/rewrite.ts';
import { isMeta, type Tensor } from '#lib/checkpoint/tensor.ts';
import {
  Dict,
  isDict,
  isScalar,
  type Call,
  type Global,
  type ObjectValue,
  type Value,
} from '#lib/checkpoint/value.ts';
import { isAllowed, storageClass } from '#lib/formats/torch.names.ts';
import { plain, summary } from '#lib/inspect/repr.ts';
import { partsOf, tensorsIn, type Part } from '#lib/inspect/walk.ts';

/** One thing that a rewritten file does not hold as it was. */
export interface Change {
  /** How Python reaches it: `['args']`; empty for the whole. */
  readonly path: string;
  /** `argparse.Namespace(…), not called`, `defaultdict, 3 entries` */
  readonly what: string;
  /** What stands in its place: `a tensor`; missing where it was left out. */
  readonly became?: string;
}

export interface PlainTree {
  readonly root: Value;
  /** The first of them. */
  readonly changes: readonly Change[];
  readonly count: number;
}

/** Changes that are told by their paths: a file may hold millions. */
const MAX_CHANGES = 100;
/** LONG1 counts an int's bytes in one: longer ones need an opcode that weights_only refuses. */
const LARGEST_INT = 2n ** (8n * 255n - 1n);

/** Formats whose files PyTorch unpickles. */
const pickled = new Set(['torch', 'torch-legacy', 'torch-tar', 'torchscript', 'pickle']);

const made = new WeakMap<Checkpoint, PlainTree | null>();

/**
 * The checkpoint without what PyTorch refuses; null where there is nothing to gain, because PyTorch
 * takes it as it is or nothing would remain.
 */
export function plainTree(checkpoint: Checkpoint): PlainTree | null {
  let tree = made.get(checkpoint);
  if (tree === undefined) {
    tree = pickled.has(checkpoint.format) ? plainOf(checkpoint.root) : null;
    if (tree?.count === 0 && isTaken(checkpoint)) tree = null;
    made.set(checkpoint, tree);
  }
  return tree;
}

/** As torch.save writes it, and without a finding. */
function isTaken({ format, metadata, findings, root }: Checkpoint): boolean {
  if ((metadata.get('pickle protocol') ?? '2') !== '2' || findings.length > 0) return false;
  if (format !== 'torch-legacy') return format === 'torch';
  // PyTorch writes storages without a class into such files, and cannot read them.
  return [...tensorsIn(root)].every(({ tensor }) => storageClass(tensor.dtype) !== undefined);
}

/** Stands for what is left out until the container around it is done. */
const LEFT: Global = { kind: 'global', module: '', name: '' };

type Notes = Map<ObjectValue, string | undefined>;

/** The tree with plain values alone; null where nothing of it is one. */
export function plainOf(root: Value): PlainTree | null {
  const notes: Notes = new Map();
  const budget = keyBudget();
  let longInts = 0;
  /** Tuples that lost an item: as keys they are no longer what they were. */
  const changed = new Set<Value>();

  const isLost = (value: Value): boolean => {
    const isLong = typeof value === 'bigint' && (value >= LARGEST_INT || value < -LARGEST_INT);
    if (isLong) longInts++;
    return isLong || value === LEFT;
  };
  const before = (value: ObjectValue): Value => {
    const replaced = replacement(value, () => moduleStateDict(value, budget), value === root);
    if (replaced.note !== null) notes.set(value, replaced.note);
    return replaced.value;
  };
  const after = (value: ObjectValue): Value => {
    switch (value.kind) {
      case 'dict':
        return withoutLost(value, (key) => isLost(key) || changed.has(key) || isSet(key), isLost);
      case 'list':
      case 'tuple':
        value.items.forEach((item, index) => {
          if (!isLost(item)) return;
          value.items[index] = null;
          if (value.kind === 'tuple') changed.add(value);
        });
        return value;
      case 'set': {
        const kept = value.items.filter((it) => !isLost(it) && !changed.has(it) && !isSet(it));
        value.items.splice(0, value.items.length, ...kept);
        return value;
      }
      case 'tensor':
        if (value.state === undefined || isDict(value.state)) return value;
        return { ...value, state: undefined };
      default:
        return value;
    }
  };
  const tree = rewrite(root, { before, after });
  if (isLost(tree)) return null;
  const changes = changesOf(root, notes);
  if (longInts > 0) changes.push({ path: 'ints of more than 255 bytes', what: String(longInts) });
  return { root: tree, changes, count: notes.size + Number(longInts > 0) };
}

interface Replacement {
  readonly value: Value;
  /** What the value became; undefined where it is left out, null where it stays. */
  readonly note: string | undefined | null;
}

const left: Replacement = { value: LEFT, note: undefined };

/** What takes the place of an object; its parts come later. */
function replacement(
  value: ObjectValue,
  stateDict: () => Dict | null,
  isRoot: boolean,
): Replacement {
  const stays: Replacement = { value, note: null };
  switch (value.kind) {
    case 'tensor':
      return plainTensor(value);
    case 'dict':
      if (value.type !== 'defaultdict') return stays;
      return { value: new Dict(value.entries()), note: 'a dict' };
    case 'set':
      return value.frozen ? { value: { ...value, frozen: false }, note: 'a set' } : stays;
    case 'global':
      return isAllowed(value) ? stays : left;
    case 'persistent':
      return value.storage?.offset === 0 ? stays : left;
    case 'call': {
      const dict = stateDict();
      if (dict) return { value: dict, note: 'its state_dict' };
      if (isPlainCall(value)) return stays;
      const attributes = isRoot && isDict(value.state) ? value.state : null;
      return attributes ? { value: attributes, note: 'a dict of its attributes' } : left;
    }
    case 'list':
    case 'tuple':
    case 'bytes':
    case 'complex':
    case 'sparse':
      return stays;
    default:
      return value satisfies never;
  }
}

function plainTensor(tensor: Tensor): Replacement {
  const { numpy, subclass, ...rest } = tensor;
  // A wrapper holds its elements in its attributes, by a class of its own.
  if (subclass && isMeta(tensor.storage)) return left;
  if (numpy) return { value: rest, note: 'a tensor' };
  if (subclass && !isAllowed(subclass)) return { value: rest, note: 'a plain tensor' };
  return { value: tensor, note: null };
}

/** What the lab holds as the call that makes it, and weights_only makes, too. */
const plainCalls = new Set([
  'torch.device',
  'torch.serialization._get_layout',
  'torch._utils._rebuild_qtensor',
  'torch._utils._rebuild_nested_tensor',
]);

function isPlainCall({ callable, state, appended, entries }: Call): boolean {
  if (typeof callable !== 'object' || callable?.kind !== 'global') return false;
  const isChanged = state !== undefined || appended || entries;
  return !isChanged && plainCalls.has(`${callable.module}.${callable.name}`);
}

/** Neither is hashable any more. */
function isSet(value: Value): boolean {
  return typeof value === 'object' && value?.kind === 'set';
}

/** Drops entries in place: a cycle refers to this very dict. */
function withoutLost(
  dict: Dict,
  isLostKey: (key: Value) => boolean,
  isLost: (value: Value) => boolean,
): Dict {
  const lost = [...dict.entries()].filter(([key, value]) => isLostKey(key) || isLost(value));
  for (const [key] of lost) dict.delete(key);
  if (!isDict(dict.attributes)) dict.attributes = null;
  return dict;
}

/** The first changes by their paths in the tree as it was. */
function changesOf(root: Value, notes: Notes): Change[] {
  const changes: Change[] = [];
  const seen = new Set<ObjectValue>();
  const open: { path: string; parts: Iterator<Part> }[] = [];
  const visit = (path: string, value: Value): void => {
    if (isScalar(value) || seen.has(value)) return;
    seen.add(value);
    if (notes.has(value)) {
      const became = notes.get(value);
      changes.push({ path: plain(path), what: plain(summary(value)), ...(became && { became }) });
      if (value.kind !== 'dict') return;
    }
    open.push({ path, parts: partsOf(value) });
  };
  visit('', root);
  const wanted = Math.min(notes.size, MAX_CHANGES);
  while (open.length > 0 && changes.length < wanted) {
    const { path, parts } = open.at(-1)!;
    const next = parts.next();
    if (next.done) open.pop();
    else visit(path + next.value.step, next.value.value);
  }
  return changes;
}

/** Changes that a sentence lists. */
const MAX_TOLD = 4;

/** `Left out: ['run'] (os.system(…), not called). Items of lists became None.` */
export function toldChanges({ changes, count }: PlainTree): string {
  const lost = changes.filter(({ became }) => became === undefined);
  const turned = changes.filter(({ became }) => became !== undefined);
  const more = (listed: number, all: number) => (all > listed ? ` and ${all - listed} more` : '');
  const place = ({ path, what }: Change) => `${path || 'the whole'} (${what})`;
  const sentences = ['The tensors and plain values: what torch.load takes with weights_only=True.'];
  const unlisted = count - changes.length;
  if (lost.length > 0) {
    const shown = lost.slice(0, MAX_TOLD).map(place).join(', ');
    const rest = more(Math.min(lost.length, MAX_TOLD), lost.length + unlisted);
    sentences.push(`Left out: ${shown}${rest}; in lists, None stands in their places.`);
  }
  if (turned.length > 0) {
    const shown = turned
      .slice(0, MAX_TOLD)
      .map((change) => `${place(change)} became ${change.became}`);
    sentences.push(`Changed: ${shown.join(', ')}${more(shown.length, turned.length)}.`);
  }
  if (count === 0) sentences.push('Nothing is left out.');
  return sentences.join(' ');
}
