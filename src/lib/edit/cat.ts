/**
 * Tensors that one library holds apart and another in one, such as query, key and value: joined and
 * divided along their first axis, without a number being changed. What `_metadata` says of modules
 * stays as it is: load_state_dict passes over modules that are not there.
 */
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { FindingError, type Finding } from '#lib/checkpoint/finding.ts';
import {
  contiguousStrides,
  isMeta,
  metaStorage,
  numel,
  type Storage,
  type Tensor,
} from '#lib/checkpoint/tensor.ts';
import { Dict, isTensor, type ObjectValue, type Value } from '#lib/checkpoint/value.ts';
import { rewrite } from '#lib/checkpoint/rewrite.ts';
import type { Done, EditContext, Tree } from './apply.ts';
import { computedStorage } from './computed.ts';
import type { Edit } from './edits.ts';
import { elementsOf } from './owned.ts';
import { PathPattern, pathStep } from './path_pattern.ts';
import { dictsOf } from './rename_keys.ts';

type CatEdit = Extract<Edit, { kind: 'cat' | 'chunk' }>;

/** `torch.cat` of each parameter of the parts, in the place of the first of them. */
export function cat({ root }: Tree, edit: CatEdit, context: EditContext): Done {
  const steps = edit.parts.map((part) => pathStep(part, edit.whole, 'cat'));
  mustBeParts(edit);
  return changeDicts(root, edit, context, (dict) => {
    const groups = groupsOf(dict, edit, steps);
    const made = new Map<string, Tensor>();
    for (const [name, parts] of groups) made.set(name, joined(dict, name, parts));
    const wholeOf = new Map(
      [...groups].flatMap(([name, parts]) => parts.map((part) => [part, name] as const)),
    );
    const clash = [...made.keys()].find((name) => dict.has(name) && !wholeOf.has(name));
    if (clash !== undefined) throw taken('cat', clash);
    const entries = [...dict.entries()].flatMap(([key, value]): [Value, Value][] => {
      const whole = typeof key === 'string' ? wholeOf.get(key) : undefined;
      if (whole === undefined) return [[key, value]];
      const tensor = made.get(whole);
      return made.delete(whole) ? [[whole, tensor!]] : [];
    });
    return { entries, changed: groups.size };
  });
}

/** Names of the parts of each whole, in their order. Throws where one is missing. */
function groupsOf(
  dict: Dict,
  { parts, whole }: CatEdit,
  steps: readonly ((key: string) => string | null)[],
): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const key of dict.keys()) {
    for (const [at, step] of steps.entries()) {
      const name = typeof key === 'string' ? step(key) : null;
      if (name === null) continue;
      const group = groups.get(name) ?? [];
      groups.set(name, group);
      group[at] = key as string;
      break;
    }
  }
  for (const [name, group] of groups) {
    const lacking = parts.findIndex((_, at) => group[at] === undefined);
    if (lacking < 0) continue;
    throw refused(
      'cat-part',
      `cat: "${name}" lacks its part ${lacking + 1}, "${parts[lacking]}"`,
      `Take the edit out, or change its paths, so that all parts of "${whole}" are there.`,
    );
  }
  return groups;
}

function joined(dict: Dict, name: string, keys: readonly string[]): Tensor {
  const tensors = keys.map((key) => mustBeTensor('cat', key, dict.get(key)));
  const [first] = tensors as [Tensor];
  const other = tensors.findIndex(
    ({ dtype, shape }) =>
      dtype !== first.dtype || shape.slice(1).join() !== first.shape.slice(1).join(),
  );
  if (other > 0) {
    throw refused(
      'cat-unlike',
      `cat: "${keys[0]}" is ${told(first)}, "${keys[other]}" is ${told(tensors[other]!)}`,
      'Parts have one dtype and, but for their first axis, one shape.',
    );
  }
  const shape = [
    tensors.reduce((sum, tensor) => sum + tensor.shape[0]!, 0),
    ...first.shape.slice(1),
  ];
  const { conj: _, neg: __, encoding: ___, ...rest } = first;
  const storage = endToEnd(name, tensors);
  return { ...rest, shape, strides: contiguousStrides(shape), offset: 0, storage };
}

/** The elements of several tensors, one after the other. */
function endToEnd(name: string, tensors: readonly Tensor[]): Storage {
  const sizes = tensors.map(({ shape, dtype }) => numel(shape) * itemsize(dtype));
  const byteLength = sizes.reduce((sum, size) => sum + size, 0);
  const metas = tensors.filter(({ storage }) => isMeta(storage)).length;
  if (metas === tensors.length) return metaStorage(byteLength);
  if (metas > 0) {
    throw refused(
      'cat-meta',
      `cat: some parts of "${name}" have no elements (device meta)`,
      'Take the edit out.',
    );
  }
  const inputs = tensors.map(elementsOf);
  return computedStorage({
    byteLength,
    inputs,
    async compute(start, end, signal) {
      const bytes = new Uint8Array(end - start);
      let at = 0;
      for (const [index, input] of inputs.entries()) {
        const [from, to] = [Math.max(start, at), Math.min(end, at + sizes[index]!)];
        if (from < to) bytes.set(await input.read(from - at, to - at, signal), from - start);
        at += sizes[index]!;
      }
      return bytes;
    },
  });
}

/** `torch.chunk` of each parameter of the whole: views of it, in its place. */
export function chunk({ root }: Tree, edit: CatEdit, context: EditContext): Done {
  const steps = edit.parts.map((part) => pathStep(edit.whole, part, 'chunk'));
  mustBeParts(edit);
  return changeDicts(root, edit, context, (dict) => {
    let changed = 0;
    const copy = new Dict();
    for (const [key, value] of dict.entries()) {
      const names = typeof key === 'string' ? steps.map((step) => step(key)) : [];
      const parts = names.some((name) => name === null) ? [] : (names as string[]);
      if (parts.length > 0) changed++;
      const entries = parts.length > 0 ? divided(key as string, value, parts) : [[key, value]];
      for (const [name, part] of entries as [Value, Value][]) {
        if (copy.has(name)) throw taken('chunk', String(name));
        copy.set(name, part);
      }
    }
    return { entries: [...copy.entries()], changed };
  });
}

function divided(key: string, value: Value, names: readonly string[]): [string, Tensor][] {
  const tensor = mustBeTensor('chunk', key, value);
  const [length, ...others] = tensor.shape as [number, ...number[]];
  if (length % names.length > 0) {
    throw refused(
      'chunk-length',
      `chunk: "${key}" is ${told(tensor)}, whose first axis does not divide by ${names.length}`,
      'Change the number of parts.',
    );
  }
  const size = length / names.length;
  return names.map((name, at) => {
    const offset = tensor.offset + at * size * tensor.strides[0]!;
    return [name, { ...tensor, shape: [size, ...others], offset }];
  });
}

type Changed = { readonly entries: readonly [Value, Value][]; readonly changed: number };

/** Every dict that the edit is about, with other entries. */
function changeDicts(
  root: Value,
  edit: CatEdit,
  context: EditContext,
  change: (dict: Dict) => Changed,
): Done {
  const copies = new Map<ObjectValue, Dict>();
  let count = 0;
  for (const dict of dictsOf(root, edit.in, edit.kind, context)) {
    const { entries, changed } = change(dict);
    const copy = new Dict(entries, dict.type);
    copy.attributes = dict.attributes;
    copies.set(dict, copy);
    count += changed;
  }
  const sought = edit.kind === 'cat' ? edit.parts.join(', ') : edit.whole;
  const idle: Finding = {
    code: 'edit-idle',
    severity: 'warning',
    message: `${edit.kind}: "${sought}" fits no key`,
    advice: 'Compare it with the names here; edits before this one have already changed them.',
  };
  return {
    root: rewrite(root, { before: (value) => copies.get(value) ?? value }),
    changed: count,
    findings: count === 0 ? [idle] : [],
  };
}

function mustBeParts({ kind, parts, whole }: CatEdit): void {
  const numbers = (path: string) => [...new PathPattern(path, kind).names].sort().join();
  const other = parts.find((part) => numbers(part) !== numbers(whole));
  if (parts.length > 1 && new Set(parts).size === parts.length && other === undefined) return;
  throw refused(
    `${kind}-parts`,
    other === undefined
      ? `${kind}: "${whole}" needs two different parts or more, there are ${new Set(parts).size}`
      : `${kind}: "${other}" and "${whole}" have different numbers`,
    'Write the paths of the parts, with the same {n} as that of the whole.',
  );
}

function mustBeTensor(area: string, key: string, value: Value | undefined): Tensor {
  if (isTensor(value) && value.shape.length > 0 && !value.quantization) return value;
  throw refused(
    `${area}-tensor`,
    `${area}: "${key}" is ${isTensor(value) ? told(value) : 'no tensor'}`,
    'Tensors that are not quantized are joined and divided, along their first axis.',
  );
}

function taken(area: string, name: string): FindingError {
  return refused(
    `${area}-clash`,
    `${area}: something else has the name "${name}"`,
    'Rename or drop one of them first.',
  );
}

function told({ dtype, shape, quantization }: Tensor): string {
  return `${quantization ? 'quantized ' : ''}${dtype} [${shape.join(', ')}]`;
}

function refused(code: string, message: string, advice: string): FindingError {
  return new FindingError({ code, message, advice });
}
