/** What a checkpoint suggests to change, as people ask for it most often. */
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { findOptimizer } from '#lib/checkpoint/optimizer.ts';
import { findStateDicts, type StateDictCandidate } from '#lib/checkpoint/state_dicts.ts';
import { numel, type Storage } from '#lib/checkpoint/tensor.ts';
import { isDict, isTensor, type Value } from '#lib/checkpoint/value.ts';
import { literalText } from '#lib/architecture/literal.ts';
import type { Tree } from '#lib/edit/apply.ts';
import { TREE_KEY } from '#lib/edit/kept_tree.ts';
import type { Path } from '#lib/edit/edits.ts';
import { namePresets } from '#lib/edit/presets.ts';
import { pythonKey } from '#lib/inspect/repr.ts';
import { tensorsIn } from '#lib/inspect/walk.ts';
import { totalsOf } from './outline.ts';
import type { EditHint } from './protocol.edit.ts';

/** What wrappers put before a model's own names. */
const prefixes = ['module.', '_orig_mod.', 'model.', 'net.'];
/** What scripts call averaged weights beside the model's own. */
const averaged = /^(ema|model_ema|ema_model|ema_state_dict|state_dict_ema|ema_state|swa_model)$/;
/** Bytes from which on it is worth a word that views drag their whole storages along. */
const MUCH = 100_000;

export function editHints({ root, metadata }: Tree): EditHint[] {
  const stateDicts = findStateDicts(root);
  return [
    ...treeHint(metadata),
    ...prefixHints(stateDicts),
    ...presetHints(stateDicts),
    ...extractHint(stateDicts),
    ...deleteHints(root),
    ...compactHint(root),
  ];
}

function treeHint(metadata: Tree['metadata']): EditHint[] {
  if (!metadata.has(TREE_KEY)) return [];
  const edits = [{ kind: 'unflatten', separator: '.' } as const];
  return [{ title: 'Restore the nested checkpoint', detail: 'kept in the metadata', edits }];
}

function prefixHints(stateDicts: readonly StateDictCandidate[]): EditHint[] {
  const keys = stateDicts.flatMap(({ dict }) =>
    [...dict.entries()].flatMap(([key, value]) =>
      typeof key === 'string' && isTensor(value) ? [key] : [],
    ),
  );
  return prefixes.flatMap((prefix) => {
    const count = keys.filter((key) => key.startsWith(prefix)).length;
    if (count === 0) return [];
    const rules = [{ kind: 'strip', prefix } as const];
    const edits = [{ kind: 'rename', in: null, rules } as const];
    return [{ title: `Strip ${prefix}`, detail: `${count.toLocaleString('en-US')} keys`, edits }];
  });
}

/** Other libraries' names: of all state_dicts where they are alike, or of the likeliest. */
function presetHints(stateDicts: readonly StateDictCandidate[]): EditHint[] {
  const [first, ...others] = stateDicts.map(({ dict }) => namePresets(dict));
  return (first ?? []).flatMap(({ title, edits }): EditHint[] => {
    const areAlike = others.every((presets) => presets.some((preset) => preset.title === title));
    const { path, dict } = stateDicts[0]!;
    const detail = `${dict.size.toLocaleString('en-US')} keys`;
    return [{ title, detail, edits: edits(areAlike ? null : pathOf(path)) }];
  });
}

/** A path as an edit writes it; null where a key has no literal. */
function pathOf(keys: readonly Value[]): Path | null {
  const texts = keys.map(literalText);
  return texts.every((text) => text !== null) ? texts : null;
}

function extractHint([first]: readonly StateDictCandidate[]): EditHint[] {
  const path = first && pathOf(first.path);
  if (!path || path.length === 0) return [];
  const detail = first.path.map((key) => `[${pythonKey(key)}]`).join('');
  return [{ title: 'Weights only', detail, edits: [{ kind: 'extract', path }] }];
}

function deleteHints(root: Value): EditHint[] {
  if (!isDict(root)) return [];
  const optimizer = findOptimizer(root)?.key;
  return [...root.entries()].flatMap(([key, value]): EditHint[] => {
    const isAveraged = typeof key === 'string' && averaged.test(key) && isDict(value);
    if (key !== optimizer && !isAveraged) return [];
    const path = pathOf([key]);
    if (!path) return [];
    const title = key === optimizer ? 'Drop the optimizer' : `Drop ${pythonKey(key)}`;
    const { tensors } = totalsOf(value);
    return [
      {
        title,
        detail: `${tensors.toLocaleString('en-US')} tensors`,
        edits: [{ kind: 'delete', path }],
      },
    ];
  });
}

/** Tensors that look at a part of their storage: a file that PyTorch writes has all of it. */
function compactHint(root: Value): EditHint[] {
  const used = new Map<Storage, number>();
  for (const { tensor } of tensorsIn(root)) {
    const bytes = numel(tensor.shape) * itemsize(tensor.dtype);
    used.set(tensor.storage, (used.get(tensor.storage) ?? 0) + bytes);
  }
  const spare = [...used].reduce(
    (sum, [{ byteLength, location }, bytes]) =>
      sum + (location === 'meta' ? 0 : Math.max(0, byteLength - bytes)),
    0,
  );
  if (spare < MUCH) return [];
  const detail = `${(spare / 1e6).toFixed(1)} MB less`;
  return [{ title: 'Compact views', detail, edits: [{ kind: 'compact', names: ['*'] }] }];
}
