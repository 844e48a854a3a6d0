/**
 * What calls of Python's own types make: dicts with entries and attributes, sets, bytes, complex
 * numbers. Each function gives undefined where the arguments are none that pickle writes; such a
 * call stays the data it is.
 */
import { Dict, tuple, type Call, type Value } from '#lib/checkpoint/value.ts';

/** What a call means, or undefined. */
export type Meaning = (call: Call) => Value | undefined;

/** The positional arguments of a call. */
export function argsOf(call: Call): Value[] {
  return typeof call.args === 'object' && call.args?.kind === 'tuple' ? call.args.items : [];
}

/** Entries come by SETITEMS, or (Python 2) as a list of pairs; attributes by BUILD. */
function rebuildDict(call: Call, type: Dict['type']): Value | undefined {
  const dict = new Dict([], type);
  const [initial] = argsOf(call);
  if (initial instanceof Dict) {
    for (const [key, value] of initial.entries()) dict.set(key, value);
  } else if (initial !== undefined) {
    if (typeof initial !== 'object' || initial?.kind !== 'list') return undefined;
    for (const pair of initial.items) {
      const items =
        typeof pair === 'object' && (pair?.kind === 'list' || pair?.kind === 'tuple')
          ? pair.items
          : [];
      if (items.length !== 2) return undefined;
      dict.set(items[0]!, items[1]!);
    }
  }
  for (const [key, value] of call.entries ?? []) dict.set(key, value);
  if (call.state !== undefined) {
    if (!(call.state instanceof Dict)) return undefined;
    dict.attributes = call.state;
  }
  return dict;
}

/** Protocol 2 has no bytes: Python 3 writes them as `_codecs.encode(text, 'latin1')`. */
function encodedBytes(call: Call): Value | undefined {
  const [text, codec] = argsOf(call);
  if (typeof text !== 'string' || (codec !== 'latin1' && codec !== 'latin-1')) return undefined;
  return latin1Bytes(text, false);
}

/** `bytes()`: protocol 2's form of `b''`. */
function rebuildEmptyBytes(call: Call): Value | undefined {
  if (argsOf(call).length > 0) return undefined;
  return { kind: 'bytes', bytes: new Uint8Array(), mutable: false };
}

function latin1Bytes(text: string, mutable: boolean): Value | undefined {
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  for (const [index, byte] of bytes.entries()) {
    if (byte !== text.charCodeAt(index)) return undefined;
  }
  return { kind: 'bytes', bytes, mutable };
}

function rebuildBytearray(call: Call): Value | undefined {
  const [content, codec] = argsOf(call);
  if (content === undefined) return { kind: 'bytes', bytes: new Uint8Array(), mutable: true };
  if (typeof content === 'string') {
    return codec === 'latin-1' || codec === 'latin1' ? latin1Bytes(content, true) : undefined;
  }
  if (typeof content === 'object' && content?.kind === 'bytes')
    return { ...content, mutable: true };
  return undefined;
}

function rebuildSet(call: Call, frozen: boolean): Value | undefined {
  const [items] = argsOf(call);
  if (items === undefined) return { kind: 'set', items: [], frozen };
  if (typeof items !== 'object' || items?.kind !== 'list') return undefined;
  return { kind: 'set', items: items.items, frozen };
}

function rebuildComplex(call: Call): Value | undefined {
  const [real, imaginary] = argsOf(call);
  if (typeof real !== 'number' || typeof imaginary !== 'number') return undefined;
  return { kind: 'complex', real, imaginary };
}

/** By the names that pickles of protocol 2 and of later ones use. */
export const builtinMeanings: readonly [string, Meaning][] = [
  ['collections.OrderedDict', (call) => rebuildDict(call, 'OrderedDict')],
  ['collections.Counter', (call) => rebuildDict(call, 'Counter')],
  // The factory of a defaultdict matters to who adds to it, not to what it holds.
  ['collections.defaultdict', (call) => rebuildDict({ ...call, args: tuple() }, 'defaultdict')],
  ['_codecs.encode', encodedBytes],
  ...['builtins', '__builtin__'].flatMap((module): [string, Meaning][] => [
    [`${module}.set`, (call) => rebuildSet(call, false)],
    [`${module}.frozenset`, (call) => rebuildSet(call, true)],
    [`${module}.bytes`, rebuildEmptyBytes],
    [`${module}.bytearray`, rebuildBytearray],
    [`${module}.complex`, rebuildComplex],
  ]),
];
