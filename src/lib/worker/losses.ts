/** What a checkpoint loses, or what becomes something else, where it is written in another format. */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import type { Finding } from '#lib/checkpoint/finding.ts';
import { isContiguous, isMeta, numel, type Storage, type Tensor } from '#lib/checkpoint/tensor.ts';
import {
  isScalar,
  isTensor,
  type Dict,
  type ObjectValue,
  type Value,
} from '#lib/checkpoint/value.ts';
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { numpyDescr } from '#lib/formats/numpy.ts';
import { codeByDtype } from '#lib/formats/safetensors.dtypes.ts';
import { storageClass } from '#lib/formats/torch.names.ts';
import { summary } from '#lib/inspect/repr.ts';
import { partCount, partsOf, tensorsIn, type Part } from '#lib/inspect/walk.ts';
import type { PlainTree } from './plain.ts';
import type { EditOutput } from './protocol.edit.ts';

type Format = EditOutput['format'];

/** Names that a sentence lists. */
const MAX_LISTED = 3;

const titles: Readonly<Record<Format, string>> = {
  pt: 'torch',
  pth: 'torch before 1.6',
  safetensors: 'safetensors',
  npz: 'npz',
};

/** `"a", "b", "c" and 4 more` */
export function listed(names: readonly string[]): string {
  const more = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : '';
  return `${names.slice(0, MAX_LISTED).join(', ')}${more}`;
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}

/** What `plainOf` left out or changed, so that PyTorch takes the file. */
export function plainLosses({ changes, count }: PlainTree): Finding[] {
  const place = ({ path, what }: (typeof changes)[number]) => `${path || 'the whole'} (${what})`;
  const lost = changes.filter(({ became }) => became === undefined);
  const turned = changes.filter(({ became }) => became !== undefined);
  const unlisted = count - changes.length;
  const found: Finding[] = [];
  if (lost.length > 0) {
    const what = counted(lost.length + unlisted, 'object');
    found.push({
      code: 'loss-objects',
      severity: 'warning',
      message: `${what} that weights_only=True refuses ${lost.length + unlisted === 1 ? 'is' : 'are'} left out: ${listed(lost.map(place))}`,
      advice: 'The original file keeps them.',
    });
  }
  if (turned.length > 0) {
    const shown = turned.map((change) => `${place(change)} becomes ${change.became}`);
    found.push({ code: 'loss-changed', severity: 'info', message: listed(shown) });
  }
  return found;
}

/** What any format loses of where the checkpoint came from. */
export function originLosses({ program, sources, root }: Checkpoint, after: Value): Finding[] {
  const found: Finding[] = [];
  if (program || (sources?.length ?? 0) > 0) {
    found.push({
      code: 'loss-program',
      severity: 'warning',
      message: 'the code that the file carries beside its weights is left out',
      advice: 'The original file keeps it.',
    });
  }
  const encoded = [...tensorsIn(after)].filter(({ tensor }) => tensor.encoding);
  if (encoded.length > 0) {
    const kinds = [...new Set(encoded.map(({ tensor }) => tensor.encoding!))];
    found.push({
      code: 'loss-encoding',
      severity: 'info',
      message: `${counted(encoded.length, 'tensor')} stored as ${listed(kinds)} become ${encoded[0]!.tensor.dtype}`,
    });
  }
  const devices = new Set([...tensorsIn(root)].map(({ tensor }) => tensor.storage.location));
  const others = [...devices].filter((device) => device !== 'cpu' && device !== 'meta');
  if (others.length > 0) {
    found.push({
      code: 'loss-device',
      severity: 'info',
      message: `the device ${listed(others)} becomes cpu: torch.load needs no map_location then`,
    });
  }
  return found;
}

/** Tensors that the format cannot hold: errors. */
export function dtypeLosses(
  tensors: Iterable<{ name: string; tensor: Tensor }>,
  format: Format,
): Finding[] {
  const lacking = new Map<Dtype, string[]>();
  const meta: string[] = [];
  for (const { name, tensor } of tensors) {
    if (format !== 'pt' && isMeta(tensor.storage)) meta.push(name);
    if (holds(format, tensor.dtype)) continue;
    const names = lacking.get(tensor.dtype) ?? [];
    lacking.set(tensor.dtype, names);
    names.push(name);
  }
  const found = [...lacking].map(([dtype, names]): Finding => ({
    code: 'loss-dtype',
    severity: 'error',
    message: `${titles[format]} has no ${dtype}: ${listed(names)}`,
    advice:
      dtype.startsWith('bfloat') || dtype.startsWith('float8')
        ? 'Cast them to float32 first, which changes no number.'
        : 'Choose PyTorch’s own format, or drop them.',
  }));
  if (meta.length > 0) {
    found.push({
      code: 'loss-meta',
      severity: 'error',
      message: `${titles[format]} cannot hold tensors without elements (device meta): ${listed(meta)}`,
      advice: 'Drop them.',
    });
  }
  return found;
}

function holds(format: Format, dtype: Dtype): boolean {
  switch (format) {
    case 'pt':
      return true;
    case 'pth':
      return storageClass(dtype) !== undefined;
    case 'safetensors':
      return codeByDtype.has(dtype);
    case 'npz':
      return numpyDescr(dtype) !== undefined;
    default:
      return format satisfies never;
  }
}

/** What a flat file of tensors has no place for; `kept` where a text beside them has it. */
export function flatLosses(root: Value, tensors: Dict, kept: boolean): Finding[] {
  const fate = kept ? 'kept as text in the metadata' : 'left out';
  const severity = kept ? 'info' : 'warning';
  const found: Finding[] = [];
  const shape = shapeOf(root);
  if (shape.nested.length > 0) {
    const names = [...tensors.keys()].map((key) => JSON.stringify(key));
    found.push({
      code: 'loss-nested',
      severity: 'info',
      message: `keys of nested dicts are joined: ${listed(names)}`,
      ...(kept && { advice: 'Unflatten makes the nested dicts of them again.' }),
    });
  }
  if (shape.values.length > 0) {
    const message = `${counted(shape.values.length, 'plain value')} ${shape.values.length === 1 ? 'is' : 'are'} ${fate}: ${listed(shape.values)}`;
    found.push({ code: 'loss-values', severity, message });
  }
  const { keys, marks, sparse } = shape;
  const facts = [
    keys > 0 && counted(keys, 'key that is no text', 'keys that are no texts'),
    marks.parameters > 0 && counted(marks.parameters, 'torch.nn.Parameter'),
    marks.gradients > 0 && `requires_grad of ${counted(marks.gradients, 'tensor')}`,
    marks.attributes > 0 && `attributes such as _metadata`,
  ].filter((fact) => fact !== false);
  if (facts.length > 0) {
    found.push({ code: 'loss-facts', severity, message: `${fate}: ${facts.join(', ')}` });
  }
  if (sparse > 0) {
    const message = `${counted(sparse, 'sparse tensor')} ${sparse === 1 ? 'is' : 'are'} written as ${sparse === 1 ? 'its' : 'their'} indices and values`;
    found.push({ code: 'loss-sparse', severity, message });
  }
  return [...found, ...sharingLosses(tensors, kept)];
}

/** Ties and views: each tensor is written with its own elements, under each of its names. */
function sharingLosses(tensors: Dict, kept: boolean): Finding[] {
  const byStorage = new Map<Storage, [string, Tensor][]>();
  for (const [key, value] of tensors.entries()) {
    if (!isTensor(value) || isMeta(value.storage)) continue;
    const group = byStorage.get(value.storage) ?? [];
    byStorage.set(value.storage, group);
    group.push([String(key), value]);
  }
  const tied: string[] = [];
  const overlapping: string[] = [];
  let views = 0;
  let more = 0;
  for (const [storage, group] of byStorage) {
    const [[, first]] = group as [[string, Tensor]];
    const isSame = ({ shape, strides, offset }: Tensor) =>
      shape.join() === first.shape.join() &&
      strides.join() === first.strides.join() &&
      offset === first.offset;
    const bytes = group.reduce(
      (sum, [, { shape, dtype }]) => sum + numel(shape) * itemsize(dtype),
      0,
    );
    if (group.length > 1) {
      const names = group.map(([name]) => JSON.stringify(name));
      (group.every(([, tensor]) => isSame(tensor)) ? tied : overlapping).push(...names);
      more += Math.max(0, bytes - storage.byteLength);
    } else if (bytes < storage.byteLength || !isContiguous(first)) views++;
  }
  const found: Finding[] = [];
  const size = more > 0 ? `, ${counted(more, 'byte')} more` : '';
  if (tied.length > 0) {
    found.push({
      code: 'loss-ties',
      severity: kept ? 'info' : 'warning',
      message: `tied tensors are written out under each name${size}: ${listed(tied)}`,
      ...(kept && { advice: 'Which of them are tied is kept as text in the metadata.' }),
    });
  }
  if (overlapping.length > 0) {
    found.push({
      code: 'loss-overlap',
      severity: 'warning',
      message: `tensors that share a part of a storage become tensors of their own: ${listed(overlapping)}`,
    });
  }
  if (views > 0) {
    const message = `${counted(views, 'view')} ${views === 1 ? 'is' : 'are'} written with just ${views === 1 ? 'its' : 'their'} elements, in row-major order`;
    found.push({ code: 'loss-views', severity: 'info', message });
  }
  return found;
}

interface Shape {
  /** Dicts and lists with tensors in other ones. */
  readonly nested: string[];
  readonly values: string[];
  keys: number;
  sparse: number;
  readonly marks: { parameters: number; gradients: number; attributes: number };
}

/** What a tree is made of beside a flat dict of tensors. */
function shapeOf(root: Value): Shape {
  const marks = { parameters: 0, gradients: 0, attributes: 0 };
  const shape: Shape = { nested: [], values: [], keys: 0, sparse: 0, marks };
  const seen = new Set<ObjectValue>();
  const open: { path: string; value: Value; parts: Iterator<Part> }[] = [];
  const visit = (path: string, value: Value): void => {
    if (isScalar(value) || (partCount(value) === 0 && !isTensor(value))) {
      shape.values.push(`${path} (${summary(value)})`);
      return;
    }
    const isKnown = seen.has(value);
    seen.add(value);
    if (isTensor(value)) {
      if (open.length > 1) shape.nested.push(path);
      if (value.parameter) marks.parameters++;
      else if (value.requiresGrad) marks.gradients++;
      if (value.state !== undefined) marks.attributes++;
      return;
    }
    if (value.kind === 'sparse') {
      shape.sparse++;
      return;
    }
    if (!isKnown) open.push({ path, value, parts: partsOf(value) });
  };
  visit('', root);
  while (open.length > 0) {
    const { path, value, parts } = open.at(-1)!;
    const next = parts.next();
    if (next.done) {
      open.pop();
      continue;
    }
    const part = next.value;
    if (part.attribute) {
      marks.attributes++;
      continue;
    }
    const isDict = !isScalar(value) && value.kind === 'dict';
    if (isDict && typeof part.key !== 'string') shape.keys++;
    visit(path + part.step, part.value);
  }
  return shape;
}
