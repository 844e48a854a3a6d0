import {
  Dict,
  isDict,
  isScalar,
  isTensor,
  type ObjectValue,
  type Value,
} from '#lib/checkpoint/value.ts';
import type { Quantization, Tensor } from '#lib/checkpoint/tensor.ts';
import { label, pythonKey } from './repr.ts';

export interface Part {
  readonly key: Value;
  readonly value: Value;
  /** How Python reaches it from the whole: `['a']`, `[0]`, `._metadata`. */
  readonly step: string;
  /** An attribute of the object, not an entry of it. */
  readonly attribute?: true;
}

/** How many parts a value has, without making any. */
export function partCount(value: Value): number {
  if (isScalar(value)) return 0;
  switch (value.kind) {
    case 'dict':
      return value.size + attributesOf(value.attributes).size;
    case 'list':
    case 'tuple':
    case 'set':
      return value.items.length;
    case 'call': {
      const { state, appended, entries } = value;
      const more = (appended?.length ?? 0) + (entries?.length ?? 0);
      return 2 + Number(state !== undefined) + more;
    }
    case 'persistent':
      return 1;
    case 'sparse':
      return value.parts.length;
    case 'tensor':
      return Number(value.state !== undefined) + 2 * Number(isPerChannel(value.quantization));
    case 'bytes':
    case 'complex':
    case 'global':
      return 0;
    default:
      return value satisfies never;
  }
}

/** The parts of a value in order, from number `start` on. */
export function* partsOf(value: Value, start = 0): Generator<Part> {
  let index = 0;
  for (const [key, part, how] of rawParts(value)) {
    if (index++ < start) continue;
    if (how === 'attribute') yield { key, value: part, step: `.${label(key)}`, attribute: true };
    else
      yield { key, value: part, step: how === 'item' ? `[${pythonKey(key)}]` : `.${label(key)}` };
  }
}

type RawPart = [key: Value, value: Value, how: 'item' | 'field' | 'attribute'];

function* rawParts(value: Value): Generator<RawPart> {
  if (isScalar(value)) return;
  switch (value.kind) {
    case 'dict':
      for (const [key, item] of value.entries()) yield [key, item, 'item'];
      for (const [key, item] of attributesOf(value.attributes).entries()) {
        yield [key, item, 'attribute'];
      }
      return;
    case 'list':
    case 'tuple':
    case 'set':
      yield* indexed(value.items);
      return;
    case 'call':
      yield ['callable', value.callable, 'field'];
      yield ['args', value.args, 'field'];
      if (value.state !== undefined) yield ['state', value.state, 'field'];
      yield* indexed(value.appended ?? []);
      for (const [key, item] of value.entries ?? []) yield [key, item, 'item'];
      return;
    case 'persistent':
      yield ['id', value.id, 'field'];
      return;
    case 'sparse':
      for (const [name, tensor] of value.parts) yield [name, tensor, 'field'];
      return;
    case 'tensor': {
      const { quantization, state } = value;
      if (isPerChannel(quantization)) {
        yield ['scales', quantization.scales, 'field'];
        yield ['zero_points', quantization.zeroPoints, 'field'];
      }
      if (state !== undefined) yield ['__dict__', state, 'field'];
      return;
    }
    case 'bytes':
    case 'complex':
    case 'global':
      return;
    default:
      value satisfies never;
  }
}

function isPerChannel(
  quantization: Quantization | undefined,
): quantization is Extract<Quantization, { axis: number }> {
  return quantization !== undefined && 'axis' in quantization;
}

function* indexed(items: readonly Value[]): Generator<RawPart> {
  for (let index = 0; index < items.length; index++) yield [BigInt(index), items[index]!, 'item'];
}

/** An object's attributes by name; those that are no plain dict stay whole, as `__dict__`. */
function attributesOf(attributes: Value): Dict {
  if (attributes === null) return none;
  const isPlain = isDict(attributes) && attributes.attributes === null;
  return isPlain ? attributes : new Dict([['__dict__', attributes]]);
}
const none = new Dict();

/**
 * Every tensor of a tree at every place where it stands, with what `into` makes of the way there. A
 * container that stands in the tree twice is entered once, so neither cycles nor nested sharing can
 * blow it up; a tensor that stands in two containers comes twice.
 */
export function* tensorsAt<At>(
  root: Value,
  start: At,
  /** Goes one step on, to a part of what stands at `at`; `place` counts the parts. */
  into: (at: At, part: Part, place: number) => At,
): Generator<{ at: At; tensor: Tensor }> {
  const entered = new Set<ObjectValue>();
  const open: { at: At; parts: Iterator<Part>; place: number }[] = [];
  function* visit(value: Value, at: At) {
    if (isScalar(value)) return;
    if (isTensor(value)) yield { at, tensor: value };
    if (partCount(value) === 0 || entered.has(value)) return;
    entered.add(value);
    open.push({ at, parts: partsOf(value), place: 0 });
  }
  yield* visit(root, start);
  for (let top = open.at(-1); top; top = open.at(-1)) {
    const next = top.parts.next();
    if (next.done) open.pop();
    else {
      const place = top.place++;
      const { value } = next.value;
      if (!isScalar(value)) yield* visit(value, into(top.at, next.value, place));
    }
  }
}

/** Every tensor of a tree with its first path; what stands in it twice is given once. */
export function* tensorsIn(root: Value): Generator<{ path: string; tensor: Tensor }> {
  const seen = new Set<Tensor>();
  for (const { at, tensor } of tensorsAt(root, '', (path, { step }) => path + step)) {
    if (seen.has(tensor)) continue;
    seen.add(tensor);
    yield { path: at, tensor };
  }
}
