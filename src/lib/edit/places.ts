/**
 * Where things stand in a tree, by names that people write: keys joined by dots, such as
 * `optimizer.state.0.exp_avg`. What stands in several places is met in each of them, since an edit
 * may want one of two tied tensors; a container that does is gone into once, by its first name, and
 * stays one object.
 */
import { parseOptimizer } from '#lib/checkpoint/optimizer.ts';
import { rewrite } from '#lib/checkpoint/rewrite.ts';
import { Dict, isDict, isScalar, type ObjectValue, type Value } from '#lib/checkpoint/value.ts';

/** An entry of a container. */
export interface Place {
  /** `model.conv1.weight`; of the root, nothing. */
  readonly name: string;
  /** The key in its own container: `conv1.weight`. */
  readonly key: string;
  readonly value: Value;
  /** What it is an entry of; null for the root. */
  readonly container: ObjectValue | null;
  /** Whether it is gone into; containers without entries are not. */
  readonly isContainer: boolean;
  readonly within: Within;
}

/** What the container of a place is. */
export interface Within {
  readonly name: string;
  /** Name of the optimizer's state_dict that it belongs to. */
  readonly optimizer: string | null;
  /** Name of the pickled object that it is a part of: its entries are attributes of a class. */
  readonly object: string | null;
}

/** Containers by what they are; a container comes after those in it, cycles aside. */
type Containers = ReadonlyMap<ObjectValue, Within>;

/** Every place of a tree; those within a container before the container's own. */
export function placesIn(root: Value): Place[] {
  const containers = containersIn(root);
  const places = [...containers].flatMap(([container, within]) => [
    ...placesOf(container, within, containers),
  ]);
  if (!isContainer(root)) places.push(rootPlace(root));
  return places;
}

/**
 * The tree with other values in places; undefined takes an entry out. What a change gives for a
 * container is not used, unless it is undefined: containers are gone into.
 */
export function mapPlaces(root: Value, change: (place: Place) => Value | undefined): Value {
  if (!isContainer(root)) return change(rootPlace(root)) ?? null;
  const containers = containersIn(root);
  return rewrite(root, {
    before(value) {
      const within = containers.get(value);
      if (!within) return value;
      const changed = [...placesOf(value, within, containers)].map((place) => {
        const item = change(place);
        return item !== undefined && place.isContainer ? place.value : item;
      });
      return withItems(value, changed);
    },
  });
}

/** Keys and values of a container's entries, in the order of `placesOf`. */
export function* entriesOf(container: ObjectValue): Generator<readonly [Value, Value]> {
  switch (container.kind) {
    case 'dict':
      yield* container.entries();
      return;
    case 'list':
    case 'tuple':
      for (const [index, item] of container.items.entries()) yield [BigInt(index), item];
      return;
    case 'call':
      for (const [index, item] of (container.appended ?? []).entries()) yield [BigInt(index), item];
      yield* container.entries ?? [];
      return;
    default:
      return;
  }
}

function* placesOf(
  container: ObjectValue,
  within: Within,
  containers: Containers,
): Generator<Place> {
  for (const [key, value] of entriesOf(container)) {
    const text = keyText(key);
    const name = joined(within.name, text);
    const inner = !isScalar(value) && containers.has(value);
    yield { name, key: text, value, container, isContainer: inner, within };
  }
}

const joined = (name: string, key: string) => (name === '' ? key : `${name}.${key}`);

function rootPlace(value: Value): Place {
  const within: Within = { name: '', optimizer: null, object: null };
  return { name: '', key: '', value, container: null, isContainer: false, within };
}

function keyText(key: Value): string {
  if (key === null) return 'None';
  if (typeof key !== 'object') return String(key);
  return key.kind === 'tuple' ? `(${key.items.map(keyText).join(', ')})` : `<${key.kind}>`;
}

/** Of a container the same kind with other items; undefined stands for none. */
function withItems(container: ObjectValue, items: (Value | undefined)[]): ObjectValue {
  const given = items.filter((item) => item !== undefined);
  switch (container.kind) {
    case 'dict': {
      const copy = new Dict([], container.type);
      [...container.keys()].forEach((key, at) => {
        if (items[at] !== undefined) copy.set(key, items[at]);
      });
      copy.attributes = container.attributes;
      return copy;
    }
    case 'list':
    case 'tuple':
      return { ...container, items: given };
    case 'call': {
      const appended = container.appended?.length ?? 0;
      const entries = (container.entries ?? []).flatMap(([key], at): [Value, Value][] => {
        const item = items[appended + at];
        return item === undefined ? [] : [[key, item]];
      });
      return {
        ...container,
        ...(container.appended && {
          appended: items.slice(0, appended).filter((item) => item !== undefined),
        }),
        ...(container.entries && { entries }),
      };
    }
    default:
      return container;
  }
}

/** Tuples of plain numbers, such as betas and sizes, are values; so is what has no entries. */
function isContainer(value: Value): value is ObjectValue {
  if (isScalar(value)) return false;
  switch (value.kind) {
    case 'dict':
      return value.size > 0;
    case 'list':
      return value.items.length > 0;
    case 'tuple':
      return !value.items.every(isScalar);
    case 'call':
      return true;
    default:
      return false;
  }
}

function containersIn(root: Value): Containers {
  const finished = new Map<ObjectValue, Within>();
  const seen = new Set<ObjectValue>();
  const open: { value: ObjectValue; within: Within; parts: Iterator<[Value, Within]> }[] = [];
  const enter = (value: Value, within: Within) => {
    if (!isContainer(value) || seen.has(value)) return;
    seen.add(value);
    const optimizer = within.optimizer ?? (parseOptimizer(value) && within.name);
    const here = optimizer === within.optimizer ? within : { ...within, optimizer };
    open.push({ value, within: here, parts: innerParts(value, here) });
  };
  enter(root, rootPlace(root).within);
  while (open.length > 0) {
    const { value, within, parts } = open.at(-1)!;
    const next = parts.next();
    if (!next.done) {
      enter(...next.value);
      continue;
    }
    finished.set(value, within);
    open.pop();
  }
  return finished;
}

/** What is in a container, and what a container there is called. */
function* innerParts(container: ObjectValue, within: Within): Generator<[Value, Within]> {
  const isCall = container.kind === 'call';
  const inside = isCall ? { ...within, object: within.object ?? within.name } : within;
  for (const [key, value] of entriesOf(container)) {
    if (!isScalar(value)) yield [value, { ...inside, name: joined(within.name, keyText(key)) }];
  }
  if (!isCall) return;
  yield [container.args, { ...inside, name: joined(within.name, 'args') }];
  if (isDict(container.state)) yield [container.state, inside];
}
