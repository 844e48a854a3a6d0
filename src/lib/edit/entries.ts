/** Single entries: set, put, deleted, taken out as the whole; and the container's free texts. */
import { FindingError, type Finding } from '#lib/checkpoint/finding.ts';
import { isModule, moduleStateDict } from '#lib/checkpoint/module.ts';
import type { SparseTensor, Tensor } from '#lib/checkpoint/tensor.ts';
import { isScalar, type Value } from '#lib/checkpoint/value.ts';
import type { Done, EditContext, Tree } from './apply.ts';
import type { Edit, Other } from './edits.ts';
import { pathText, slotAt, unknownPath, valueAt, withSlot, type Slot } from './path.ts';

type Kind<K extends Edit['kind']> = Extract<Edit, { kind: K }>;

/** `root[path] = literal`. */
export function setValue({ root }: Tree, edit: Kind<'set'>, context: EditContext): Done {
  const slot = settableSlot(root, edit, context);
  const value = context.literal(edit.value);
  mustBePlain(value, edit.value);
  const findings: Finding[] = isTensorLike(slot.value)
    ? [
        {
          code: 'set-tensor',
          severity: 'warning',
          message: `set: ${pathText(edit.path)} was a tensor`,
        },
      ]
    : [];
  return { root: withSlot(root, slot, value), changed: 1, findings };
}

/** `root[path] = other[from]`, for a tensor. */
export function put({ root }: Tree, edit: Kind<'put'>, context: EditContext): Done {
  const slot = settableSlot(root, edit, context);
  const other = otherOf(edit.other, edit.kind, context);
  const tensor = valueAt(other.root, edit.from, context, edit.kind);
  if (!isTensorLike(tensor)) {
    throw new FindingError({
      code: 'put-tensor',
      message: `put: ${pathText(edit.from)} of ${other.name} is no tensor`,
      advice: 'Choose a tensor; plain values are set.',
    });
  }
  return {
    root: withSlot(root, slot, asTorch(tensor)),
    changed: 1,
    findings: unlike(slot.value, tensor, pathText(edit.path)),
  };
}

/** `del root[path]`. */
export function deleteEntry({ root }: Tree, edit: Kind<'delete'>, context: EditContext): Done {
  const slot = slotAt(root, edit.path, context, edit.kind);
  if (slot.value === undefined) throw unknownPath(edit.kind, edit.path, edit.path.slice(0, -1));
  return { root: withSlot(root, slot, undefined), changed: 1 };
}

/** `root = root[path]`; of a model that was saved whole, `root[path].state_dict()`. */
export function extract({ root }: Tree, edit: Kind<'extract'>, context: EditContext): Done {
  const value = valueAt(root, edit.path, context, edit.kind);
  if (!isModule(value)) return { root: value, changed: Number(edit.path.length > 0) };
  const dict = moduleStateDict(value);
  if (dict) return { root: dict, changed: 1 };
  throw new FindingError({
    code: 'extract-module',
    message: `extract: the model at ${pathText(edit.path)} contains itself, or more than can be named`,
    advice: 'Save its state_dict with Python.',
  });
}

export function setMetadata({ metadata }: Tree, { entries }: Kind<'metadata'>): Done {
  const changed = new Map(metadata);
  const findings: Finding[] = [];
  for (const [key, text] of Object.entries(entries)) {
    if (text !== null) changed.set(key, text);
    else if (!changed.delete(key)) {
      findings.push({
        code: 'edit-idle',
        severity: 'warning',
        message: `metadata: there is no "${key}" to take out`,
      });
    }
  }
  return { metadata: changed, changed: Object.keys(entries).length - findings.length, findings };
}

/** The checkpoint that an edit names. Throws a FindingError where it is not open. */
export function otherOf(other: Other, area: string, { others }: EditContext) {
  const checkpoint = others.get(other);
  if (checkpoint) return checkpoint;
  throw new FindingError({
    code: 'edit-other',
    message: `${area}: checkpoint ${other} is not open`,
    advice: 'Open the file again that this edit takes tensors from.',
  });
}

/** A slot that has a value, or may get one: lists do not grow. */
function settableSlot(
  root: Value,
  { kind, path }: Kind<'set'> | Kind<'put'>,
  context: EditContext,
): Slot {
  const slot = slotAt(root, path, context, kind);
  if (slot.value !== undefined || slot.holder.kind === 'dict') return slot;
  throw unknownPath(kind, path, path.slice(0, -1));
}

/** Names and calls are part of what a literal may say elsewhere; here they would be unknown things. */
function mustBePlain(value: Value, text: string): void {
  const open = [value];
  for (const item of open) {
    if (isScalar(item)) continue;
    if (item.kind === 'dict') open.push(...item.keys(), ...item.values());
    else if (item.kind === 'list' || item.kind === 'tuple') open.push(...item.items);
    else {
      throw new FindingError({
        code: 'set-literal',
        message: `set: ${JSON.stringify(text)} is no plain value`,
        advice: "Write it as in Python: 128, 0.5, True, None, 'text', [64, 128], {'a': 1}.",
      });
    }
  }
}

function isTensorLike(value: Value | undefined): value is Tensor | SparseTensor {
  return typeof value === 'object' && value !== null && ['tensor', 'sparse'].includes(value.kind);
}

/** An array of NumPy as `torch.from_numpy` gives it. */
export function asTorch<T extends Tensor | SparseTensor>(tensor: T): T {
  if (tensor.kind === 'sparse' || !tensor.numpy) return tensor;
  const { numpy: _, ...rest } = tensor;
  return rest as T;
}

function unlike(old: Value | undefined, tensor: Tensor | SparseTensor, where: string): Finding[] {
  if (old === undefined) return [];
  const [before, after] = [kindText(old), kindText(tensor)];
  if (before === after) return [];
  return [
    {
      code: 'put-unlike',
      severity: 'warning',
      message: `put: ${where} was ${before}, it becomes ${after}`,
    },
  ];
}

function kindText(value: Value): string {
  if (!isTensorLike(value)) return 'no tensor';
  const kind = value.kind === 'tensor' ? value.dtype : value.layout;
  return `${kind} [${value.shape.join(', ')}]`;
}
