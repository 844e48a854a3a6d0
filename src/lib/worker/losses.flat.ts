/** What a checkpoint loses where it becomes a flat dict of tensors, which is all that some files hold. */
import type { Finding } from '#lib/checkpoint/finding.ts';
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { isContiguous, isMeta, numel, type Storage, type Tensor } from '#lib/checkpoint/tensor.ts';
import {
  isDict,
  isScalar,
  isTensor,
  type Call,
  type Dict,
  type ObjectValue,
  type Value,
} from '#lib/checkpoint/value.ts';
import { summary } from '#lib/inspect/repr.ts';
import { partCount, partsOf, type Part } from '#lib/inspect/walk.ts';
import { counted, listed } from './losses.ts';

/** How much of the rest a file keeps. */
export interface Keeping {
  /** The tree, as a text beside the tensors. */
  readonly tree: boolean;
  /** Tensors as torch.save writes them: views, ties, parameters. */
  readonly views: boolean;
  /** The order of the tensors. */
  readonly order: boolean;
}

/** What becomes of a tree, of which `tensors` are written. */
export function flatLosses(root: Value, tensors: Dict, keeping: Keeping): Finding[] {
  const fate = keeping.tree ? 'kept as text in the metadata' : 'left out';
  const severity = keeping.tree ? 'info' : 'warning';
  const found: Finding[] = [];
  const shape = shapeOf(root);
  if (shape.nested > 0) {
    const names = [...tensors.keys()].map((key) => JSON.stringify(key));
    found.push({
      code: 'loss-nested',
      severity: 'info',
      message: `keys of nested dicts and places in lists are joined to names: ${listed(names)}`,
      ...(keeping.tree && { advice: 'Unflatten makes the nested dicts of them again.' }),
    });
  }
  if (shape.values.length > 0) {
    const message = `${counted(shape.values.length, 'plain value')} ${shape.values.length === 1 ? 'is' : 'are'} ${fate}: ${listed(shape.values)}`;
    found.push({ code: 'loss-values', severity, message });
  }
  const { keys, types, again } = shape;
  const own = keeping.views ? noMarks() : shape.marks;
  const attributes = shape.attributes + own.attributes;
  const parameters = own.parameters + shape.madeMarks.parameters;
  const gradients = own.gradients + shape.madeMarks.gradients;
  const facts = [
    keys > 0 && counted(keys, 'key that is no text', 'keys that are no texts'),
    types.length > 0 && `the type of ${counted(types.length, 'dict')} (${typeNames(types)})`,
    parameters > 0 && counted(parameters, 'torch.nn.Parameter'),
    gradients > 0 && `requires_grad of ${counted(gradients, 'tensor')}`,
    attributes > 0 && 'attributes such as _metadata',
    !keeping.order && 'the order of the names',
  ].filter((fact) => fact !== false);
  if (facts.length > 0) {
    found.push({ code: 'loss-facts', severity, message: `${fate}: ${facts.join(', ')}` });
  }
  if (again.length > 0) {
    found.push({
      code: 'loss-again',
      severity,
      message: `what stands in several places is written once, by its first name; these have no tensors of their own: ${listed(again)}`,
      ...(keeping.tree && { advice: 'Unflatten has it in all of its places again.' }),
    });
  }
  const { made } = shape;
  if (made > 0) {
    const message = `${counted(made, 'sparse or nested tensor')} ${made === 1 ? 'is' : 'are'} written as what ${made === 1 ? 'it is' : 'they are'} made of`;
    found.push({ code: 'loss-made', severity, message });
  }
  return keeping.views ? found : [...found, ...sharingLosses(tensors, keeping.tree)];
}

const typeNames = (types: readonly string[]) => [...new Set(types)].join(' and ');

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
  /** Tensors that are elsewhere than in the outermost dict. */
  nested: number;
  readonly values: string[];
  /** Paths of dicts and lists that stood somewhere before. */
  readonly again: string[];
  keys: number;
  /** Of dicts that have one of their own. */
  readonly types: string[];
  /** Of dicts. */
  attributes: number;
  /** Tensors that are made of others. */
  made: number;
  readonly marks: Marks;
  readonly madeMarks: Marks;
}

/** What tensors are beside their elements. */
interface Marks {
  parameters: number;
  gradients: number;
  attributes: number;
}

const noMarks = (): Marks => ({ parameters: 0, gradients: 0, attributes: 0 });

/** What a tree is made of beside a flat dict of tensors. */
function shapeOf(root: Value): Shape {
  const shape: Shape = {
    ...{ nested: 0, values: [], again: [], types: [] },
    ...{ keys: 0, attributes: 0, made: 0, marks: noMarks(), madeMarks: noMarks() },
  };
  const seen = new Set<ObjectValue>();
  const open: { path: string; value: Value; parts: Iterator<Part> }[] = [];
  const visit = (path: string, value: Value): void => {
    if (isScalar(value) || isPlain(value)) {
      shape.values.push(`${path} (${summary(value)})`);
      return;
    }
    if (isTensor(value) || value.kind === 'sparse') {
      const marks = isTensor(value) ? shape.marks : shape.madeMarks;
      if (value.parameter) marks.parameters++;
      else if (value.requiresGrad) marks.gradients++;
    }
    if (isTensor(value)) {
      if (open.length > 1 || !isDict(root)) shape.nested++;
      if (value.state !== undefined) shape.marks.attributes++;
    } else if (value.kind === 'sparse' || value.kind === 'call') shape.made++;
    else if (value.kind !== 'tuple' && seen.has(value)) shape.again.push(path);
    else {
      seen.add(value);
      if (value.kind === 'dict' && value.type !== 'dict') shape.types.push(value.type);
      open.push({ path, value, parts: partsOf(value) });
    }
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
      shape.attributes++;
      continue;
    }
    if (isDict(value) && typeof part.key !== 'string') shape.keys++;
    visit(path + part.step, part.value);
  }
  return shape;
}

/** What has no tensors in it: empty containers, a device. */
function isPlain(value: ObjectValue): boolean {
  if (value.kind === 'tensor') return false;
  return partCount(value) === 0 || (value.kind === 'call' && !isNested(value));
}

/** A nested tensor, which is the call that makes it of its parts. */
function isNested({ callable }: Call): boolean {
  return (
    typeof callable === 'object' &&
    callable?.kind === 'global' &&
    callable.name === '_rebuild_nested_tensor'
  );
}
