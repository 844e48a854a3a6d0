/** What differs between the plain values of two checkpoints: epoch, lr, param_groups, metadata. */
import { isDict, isScalar, type ObjectValue, type Value } from '#lib/checkpoint/value.ts';
import { summary } from '../repr.ts';
import { partsOf } from '../walk.ts';

export interface DifferingValue {
  /** How Python reaches it from the whole: `['optimizer']['param_groups'][0]['lr']`. */
  readonly path: string;
  /** In one line, as Python shows it; null where it is not there. */
  readonly a: string | null;
  readonly b: string | null;
}

/** Differences that are listed; the others are counted. */
const MOST_LISTED = 2000;
/** From this many entries on, dicts and lists with hardly a key in common are one difference. */
const FEW = 8;

/** Compares two trees in their order. Tensors are left out: they are compared by themselves. */
export function differingValues(
  a: Value,
  b: Value,
): { readonly listed: readonly DifferingValue[]; readonly more: number } {
  const listed: DifferingValue[] = [];
  let more = 0;
  const differ = (path: string, left: string | null, right: string | null) => {
    if (listed.length < MOST_LISTED) listed.push({ path, a: left, b: right });
    else more++;
  };
  const seen = new Map<ObjectValue, Set<ObjectValue>>();
  const open: [path: string, a: Value, b: Value][] = [['', a, b]];
  for (let next = open.pop(); next; next = open.pop()) {
    const [path, left, right] = next;
    if (isScalar(left) || isScalar(right)) {
      if (!Object.is(left, right)) differ(path, summary(left), summary(right));
      continue;
    }
    if (isElements(left) && isElements(right)) continue;
    if (seen.get(left)?.has(right)) continue;
    if (!seen.has(left)) seen.set(left, new Set());
    seen.get(left)!.add(right);
    if (left.kind !== right.kind || !haveSameContent(left, right)) {
      differ(path, summary(left), summary(right));
      continue;
    }
    if (left.kind === 'set') continue;
    const { both, onlyA, onlyB } = matched(left, right);
    const alone = onlyA.length + onlyB.length;
    if (alone > FEW && both.length < alone / 4) {
      differ(
        path,
        `${summary(left)}, ${onlyA.length} only here`,
        `${summary(right)}, ${onlyB.length} only here`,
      );
    } else {
      for (const [step, value] of onlyA) differ(path + step, summary(value), null);
      for (const [step, value] of onlyB) differ(path + step, null, summary(value));
    }
    for (const [step, one, other] of both.reverse()) open.push([path + step, one, other]);
  }
  return { listed, more };
}

function isElements(value: ObjectValue): boolean {
  return value.kind === 'tensor' || value.kind === 'sparse';
}

/** What an object is beside its parts. */
function haveSameContent(a: ObjectValue, b: ObjectValue): boolean {
  if (isDict(a) && isDict(b)) return a.type === b.type;
  if (a.kind === 'tuple' && b.kind === 'tuple') return a.type === b.type;
  if (a.kind === 'bytes' && b.kind === 'bytes') {
    return a.bytes.length === b.bytes.length && a.bytes.every((byte, at) => byte === b.bytes[at]);
  }
  if (a.kind === 'complex' && b.kind === 'complex') {
    return Object.is(a.real, b.real) && Object.is(a.imaginary, b.imaginary);
  }
  if (a.kind === 'global' && b.kind === 'global') return a.module === b.module && a.name === b.name;
  if (a.kind === 'set' && b.kind === 'set') {
    const texts = ({ items }: typeof a) => items.map(summary).sort().join();
    return a.frozen === b.frozen && texts(a) === texts(b);
  }
  return true;
}

type Alone = [step: string, value: Value];

/** The parts of two objects of a kind, by the steps that lead to them; tensors that have no partner go. */
function matched(a: ObjectValue, b: ObjectValue) {
  const both: [step: string, a: Value, b: Value][] = [];
  const onlyA: Alone[] = [];
  const others = new Map<string, Value>();
  for (const { step, value } of partsOf(b)) others.set(step, value);
  for (const { step, value } of partsOf(a)) {
    const other = others.get(step);
    others.delete(step);
    if (other !== undefined) both.push([step, value, other]);
    else onlyA.push([step, value]);
  }
  const isListed = ([, value]: Alone) => isScalar(value) || !isElements(value);
  return { both, onlyA: onlyA.filter(isListed), onlyB: [...others].filter(isListed) };
}
