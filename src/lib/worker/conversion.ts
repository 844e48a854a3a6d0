/**
 * What is written of a checkpoint in a format, and what that loses. PyTorch's formats hold the tree,
 * without what `weights_only` refuses; the others hold tensors by their names, safetensors with a text
 * that keeps the rest.
 */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { FindingError, findingOf, type Finding } from '#lib/checkpoint/finding.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, isDict, isTensor, type Value } from '#lib/checkpoint/value.ts';
import type { Tree } from '#lib/edit/apply.ts';
import { flattenTree, TREE_KEY } from '#lib/edit/kept_tree.ts';
import { inOrderOfCodePoints } from '#lib/formats/flat.ts';
import { npz } from '#lib/formats/npz.ts';
import { safetensors } from '#lib/formats/safetensors.ts';
import { inFileOrder } from '#lib/formats/safetensors.write.ts';
import { torchLegacy } from '#lib/formats/torch.legacy.ts';
import { torch } from '#lib/formats/torch.read.ts';
import { tensorsIn } from '#lib/inspect/walk.ts';
import { flatLosses } from './losses.flat.ts';
import { dtypeLosses, listed, originLosses, plainLosses } from './losses.ts';
import { plainOf } from './plain.ts';
import type { EditOutput } from './protocol.edit.ts';

export interface Conversion extends Tree {
  /** Errors say why it cannot be written. */
  readonly losses: readonly Finding[];
}

export const outputFormats = { pt: torch, pth: torchLegacy, safetensors, npz } as const;

/** Whether a file of it is a dict of tensors and nothing else. */
export function isFlatOutput({ format, sharded }: EditOutput): boolean {
  return sharded || format === 'safetensors' || format === 'npz';
}

/** Whether it is written by what torch.save does: storages whole, tied tensors tied. */
export function isTorchOutput({ format }: EditOutput): boolean {
  return format === 'pt' || format === 'pth';
}

/** `source` is the checkpoint that the edits began with; `stem` names a tensor that stands alone. */
export function convert(
  { root, metadata }: Tree,
  source: Checkpoint,
  output: EditOutput,
  stem: string,
): Conversion {
  const plain = plainOf(root);
  if (!plain) {
    const nothing: Finding = {
      code: 'loss-everything',
      severity: 'error',
      message: 'nothing in it is a tensor or a plain value',
      advice: 'Look at the Safety page for what it is.',
    };
    return { root, metadata: new Map(), losses: [nothing] };
  }
  const losses = [...plainLosses(plain), ...originLosses(source, root)];
  const own = ownTexts(metadata, source);
  const texts = output.format === 'safetensors' ? own : new Map<string, string>();
  if (texts.size < own.size) losses.push(textLoss(own));
  if (!isFlatOutput(output)) {
    const named = [...tensorsIn(plain.root)].map(({ path, tensor }) => ({ name: path, tensor }));
    losses.push(...dtypeLosses(named, output.format));
    return checked({ root: plain.root, metadata: texts, losses }, output);
  }
  const isAlone = isTensor(plain.root);
  if (isAlone) losses.push(alone);
  const whole = isAlone ? new Dict([[stem, plain.root]]) : plain.root;
  const hasOrder = !isSorted(source) || (source.metadata.has(TREE_KEY) && !metadata.has(TREE_KEY));
  return flat(whole, texts, losses, { ...output, hasOrder });
}

function flat(
  root: Value,
  texts: Map<string, string>,
  losses: Finding[],
  { hasOrder, ...output }: EditOutput & { hasOrder: boolean },
): Conversion {
  const keepsOrder = (tensors: Dict) => !hasOrder || isInOrder(namedIn(tensors), output);
  const keeps = output.format === 'safetensors' && output.keepTree;
  try {
    const { tensors, text } = flattenTree(root, output.separator, keepsOrder);
    const views = isTorchOutput(output);
    const order = keepsOrder(tensors);
    losses.push(...flatLosses(root, tensors, { tree: keeps, views, order }));
    const named = namedIn(tensors).map(([name, tensor]) => ({ name, tensor }));
    losses.push(...dtypeLosses(named, output.format));
    if (tensors.size === 0) losses.push(noTensor);
    if (keeps && text !== null) texts.set(TREE_KEY, text);
    return checked(
      { root: views ? tensors : bareTensors(tensors), metadata: texts, losses },
      output,
    );
  } catch (error) {
    if (!(error instanceof FindingError)) throw error;
    return { root, metadata: texts, losses: [...losses, findingOf(error)] };
  }
}

/** Whether a file's own order of tensors tells nothing: its writer sorted them. */
function isSorted({ format }: Checkpoint): boolean {
  return format === 'safetensors' || format === 'sharded';
}

function namedIn(tensors: Dict): [string, Tensor][] {
  return [...tensors.entries()].map(([key, tensor]) => [String(key), tensor as Tensor]);
}

/** Whether what is written has tensors in the order that they are in. An index is sorted by names. */
function isInOrder(tensors: readonly [string, Tensor][], { format, sharded }: EditOutput): boolean {
  if (!sharded && format !== 'safetensors') return true;
  const order: typeof inFileOrder = sharded
    ? ([one], [two]) => inOrderOfCodePoints(one, two)
    : inFileOrder;
  return tensors.every((tensor, at) => at === 0 || order(tensors[at - 1]!, tensor) <= 0);
}

const alone: Finding = {
  code: 'loss-alone',
  severity: 'info',
  message: 'the tensor stands alone, and gets the name of the file',
};

const noTensor: Finding = {
  code: 'loss-empty',
  severity: 'error',
  message: 'there is no tensor to write',
  advice: 'Choose PyTorch’s own format for plain values.',
};

/** With the reason for which the writer would refuse it, where nothing here says so already. */
function checked(conversion: Conversion, { format }: EditOutput): Conversion {
  if (conversion.losses.some(({ severity }) => severity === 'error')) return conversion;
  try {
    outputFormats[format].check?.(conversion.root, conversion);
    return conversion;
  } catch (error) {
    return { ...conversion, losses: [...conversion.losses, findingOf(error, 'loss-refused')] };
  }
}

/** The free texts of a file, and those that edits have set; no other facts of a container. */
function ownTexts(metadata: ReadonlyMap<string, string>, source: Checkpoint): Map<string, string> {
  const isOwn = (key: string, text: string) =>
    source.texts?.has(key) || source.metadata.get(key) !== text;
  return new Map([...metadata].filter(([key, text]) => isOwn(key, text) && key !== 'format'));
}

function textLoss(texts: ReadonlyMap<string, string>): Finding {
  if (texts.has(TREE_KEY)) {
    return {
      code: 'loss-tree',
      severity: 'warning',
      message: 'the nested dicts and plain values that the file keeps in its metadata are left out',
      advice: 'Add the edit Unflatten, which restores them.',
    };
  }
  return {
    code: 'loss-metadata',
    severity: 'warning',
    message: `the file's metadata is left out: ${listed([...texts.keys()].map((key) => JSON.stringify(key)))}`,
  };
}

/** A dict whose tensors are all objects of their own, and nothing else: other formats write each by itself. */
export function bareTensors(root: Value): Value {
  if (!isDict(root)) return root;
  return new Dict(
    [...root.entries()].map(([key, value]) => {
      if (!isTensor(value)) return [key, value];
      const { state: _, ...rest } = value;
      return [key, rest];
    }),
  );
}
