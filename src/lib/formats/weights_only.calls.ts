/**
 * What REDUCE, NEWOBJ and BUILD of PyTorch's `weights_only` unpickler may be applied to, and what
 * Python's own types check of their arguments. Whatever checkpoints are made of is followed
 * exactly; calls that are allowed and that no checkpoint makes are Unsure.
 */
import { parameter, rebuilders, setState } from './weights_only.tensors.ts';
import {
  hashed,
  isKind,
  isName,
  natureOf,
  Refused,
  tuple,
  truth,
  aType,
  Unsure,
  type Py,
  type PyName,
  type Work,
} from './weights_only.values.ts';

type Callable = (args: readonly Py[], work: Work) => Py;

/** `callable(*args)` by REDUCE. */
export function call(callable: Py, args: Py, work: Work): Py {
  if (!isName(callable)) {
    if (isKind(callable, 'opaque')) throw new Unsure('what it would call');
    throw new Refused(`it would call ${aType(callable)}, which is not on the allow-list`);
  }
  return callName(callable, work.iterate(args), work);
}

/** A call of what the allow-list knows; also of a function that is handed to another. */
export function callName(callable: PyName, args: readonly Py[], work: Work): Py {
  const { path } = callable;
  const known = functions.get(path) ?? rebuilders.get(path);
  if (known) return known(args, work);
  if (path === REBUILD_FROM_TYPE) return rebuildFromType(args, work);
  const nature = natureOf(callable);
  if (nature === 'class' || nature === 'tensor class' || nature === 'function') {
    throw new Unsure(`what a call of ${path} gives`);
  }
  throw new Refused(`it would call ${path}, which is no function`);
}

/** `cls.__new__(cls, *args)` by NEWOBJ; a Parameter is made by its constructor. */
export function create(cls: Py, args: Py, work: Work): Py {
  if (!isName(cls)) {
    if (isKind(cls, 'opaque')) throw new Unsure('what it would make an instance of');
    throw new Refused(`it would make an instance of ${aType(cls)}`);
  }
  const items = work.iterate(args);
  const nature = natureOf(cls);
  if (nature !== 'class' && nature !== 'tensor class') {
    throw new Refused(`it would make an instance of ${cls.path}, which is no class`);
  }
  const empty = emptyOf.get(cls.path);
  if (empty) return empty();
  if (fromNew.has(cls.path)) return callName(cls, items, work);
  throw new Unsure(`what an instance of ${cls.path} is`);
}

/** Classes whose `__new__` ignores its arguments: `__init__` takes them. */
const emptyOf = new Map<string, () => Py>([
  ['collections.OrderedDict', () => dictOf('OrderedDict')],
  ['collections.Counter', () => dictOf('Counter')],
  ['builtins.set', () => ({ kind: 'set', items: new Set() })],
  ['builtins.bytearray', () => ({ kind: 'bytes', bytes: new Uint8Array(), mutable: true })],
]);
/** Classes whose `__new__` does it all. */
const fromNew = new Set([
  'torch.nn.parameter.Parameter',
  'torch.Size',
  'torch.device',
  'builtins.complex',
]);

/** BUILD: sets the state of what stands on top of the stack. */
export function build(target: Py, state: Py, work: Work): null {
  if (isKind(target, 'opaque')) throw new Unsure('what a state is set on');
  if (isKind(target, 'dict') && target.type === 'OrderedDict') {
    checkPairs(state, work);
    return null;
  }
  if (!buildable(target)) {
    throw new Refused(`it sets the state of ${aType(target)}`);
  }
  if (isKind(target, 'tensor') || isKind(target, 'storage')) {
    if (isKind(target, 'tensor')) work.iterate(state);
    throw new Unsure(`the state of ${aType(target)}`);
  }
  const isPair = isKind(state, 'tuple') && state.items.length === 2;
  if (isKind(target, 'dict') && !isPair) {
    if (truth(state)) checkPairs(state, work);
    return null;
  }
  if (isPair) {
    throw new Unsure(`the state of ${aType(target)}`);
  }
  // Only a Counter has a `__dict__`: an empty state changes nothing.
  if (truth(state)) throw new Refused(`it sets the state of ${aType(target)}, which has none`);
  return null;
}

/** Whether the value's class is on the allow-list. */
function buildable(value: Py): boolean {
  if (value === null || typeof value !== 'object') return false;
  switch (value.kind) {
    case 'dict':
      return value.type !== 'dict';
    case 'tuple':
      return value.type === 'torch.Size';
    case 'bytes':
      return value.mutable;
    case 'list':
    case 'name':
    case 'layout':
      return false;
    default:
      return true;
  }
}

/** What `dict.update` takes: a dict, or pairs. */
function checkPairs(value: Py, work: Work): void {
  if (isKind(value, 'dict')) return;
  for (const pair of work.iterate(value)) {
    const [key, , more] = work.iterate(pair);
    if (key === undefined || more !== undefined || work.iterate(pair).length !== 2) {
      throw new Refused('a dict is made of something else than pairs');
    }
    hashed(key);
  }
}

function dictOf(type: 'OrderedDict' | 'Counter', entries = new Map<Py, Py>()): Py {
  return { kind: 'dict', type, entries };
}

/** Arguments in number and no more; `least` of them are needed. */
function arity(name: string, args: readonly Py[], least: number, most: number): void {
  if (args.length >= least && args.length <= most) return;
  throw new Refused(`it would call ${name} with ${args.length} arguments`);
}

const functions = new Map<string, Callable>([
  ['collections.OrderedDict', orderedDict],
  ['collections.Counter', counter],
  ['builtins.set', set],
  ['builtins.bytearray', bytearray],
  ['builtins.complex', complex],
  ['_codecs.encode', encode],
  ['torch.Size', size],
  ['torch.device', device],
  ['torch.serialization._get_layout', layout],
  ['torch.nn.parameter.Parameter', parameter],
]);

function orderedDict(args: readonly Py[], work: Work): Py {
  arity('OrderedDict', args, 0, 1);
  const [source] = args;
  if (source === undefined) return dictOf('OrderedDict');
  if (isKind(source, 'dict')) {
    return dictOf('OrderedDict', new Map(source.entries));
  }
  checkPairs(source, work);
  const entries = new Map<Py, Py>();
  for (const pair of work.iterate(source)) {
    const [key, value] = work.iterate(pair);
    entries.set(key!, value!);
  }
  return dictOf('OrderedDict', entries);
}

function counter(args: readonly Py[], work: Work): Py {
  arity('Counter', args, 0, 1);
  const [source = null] = args;
  if (source === null) return dictOf('Counter');
  if (isKind(source, 'dict')) {
    return dictOf('Counter', new Map(source.entries));
  }
  return dictOf('Counter', new Map(work.iterate(source).map((item) => [hashed(item), 1n])));
}

function set(args: readonly Py[], work: Work): Py {
  arity('set', args, 0, 1);
  const items = args.length === 0 ? [] : work.iterate(args[0]!);
  return { kind: 'set', items: new Set(items.map(hashed)) };
}

/** Bytes that a call may make out of a number; Python would make them, however many. */
const MAX_ZEROS = 2n ** 24n;

function bytearray(args: readonly Py[], work: Work): Py {
  arity('bytearray', args, 0, 3);
  const [source] = args;
  if (source === undefined) return { kind: 'bytes', bytes: new Uint8Array(), mutable: true };
  if (typeof source === 'string') {
    if (args.length < 2) throw new Refused('a bytearray is made of text without an encoding');
    const encoded = encode(args, work) as Extract<Py, { kind: 'bytes' }>;
    return { ...encoded, mutable: true };
  }
  if (args.length > 1) throw new Refused('a bytearray is made of no text with an encoding');
  const made = (bytes: Uint8Array): Py => ({ kind: 'bytes', bytes, mutable: true });
  if (typeof source === 'bigint' || typeof source === 'boolean') {
    const count = BigInt(source);
    if (count < 0n) throw new Refused(`a bytearray of ${count} bytes`);
    if (count > MAX_ZEROS) throw new Unsure(`a bytearray of ${count} bytes`);
    work.spend(Number(count));
    return made(new Uint8Array(Number(count)));
  }
  if (isKind(source, 'bytes')) {
    work.spend(source.bytes.length);
    return made(source.bytes.slice());
  }
  const items = work.iterate(source).map((item) => {
    const byte = typeof item === 'boolean' ? BigInt(item) : item;
    if (typeof byte === 'object' && byte !== null) throw new Unsure('the bytes of a bytearray');
    if (typeof byte === 'bigint' && byte >= 0n && byte < 256n) return Number(byte);
    throw new Refused('a bytearray is made of something else than bytes');
  });
  return made(Uint8Array.from(items));
}

function complex(args: readonly Py[]): Py {
  arity('complex', args, 0, 2);
  for (const [index, arg] of args.entries()) {
    const isText = typeof arg === 'string' && index === 0 && args.length === 1;
    if (isKind(arg, 'complex')) continue;
    if (isText || isKind(arg, 'tensor') || isKind(arg, 'opaque')) {
      throw new Unsure('a complex number that is not made of numbers');
    }
    if (typeof arg === 'bigint' && Math.abs(Number(arg)) > Number.MAX_VALUE) {
      throw new Refused('a complex number is made of an int that is too large');
    }
    if (typeof arg === 'object' || typeof arg === 'string') {
      throw new Refused(`a complex number is made of ${aType(arg)}`);
    }
  }
  return { kind: 'complex' };
}

const latin1 = /^(latin[-_]?1|iso-?8859-1|l1)$/i;

/** `_codecs.encode(text, encoding)`. */
function encode(args: readonly Py[], work: Work): Py {
  arity('_codecs.encode', args, 1, 3);
  const [text, encoding = 'utf-8', errors = 'strict'] = args;
  if (typeof encoding !== 'string' || typeof errors !== 'string') {
    throw new Refused('_codecs.encode is told an encoding that is no text');
  }
  const isUtf8 = /^utf[-_]?8$/i.test(encoding);
  const limit = latin1.test(encoding) ? 0xff : /^ascii$/i.test(encoding) ? 0x7f : -1;
  if (errors !== 'strict' || (!isUtf8 && limit < 0)) {
    throw new Unsure(`what the encoding ${JSON.stringify(encoding.slice(0, 40))} gives`);
  }
  if (isKind(text, 'opaque')) throw new Unsure('a text');
  if (typeof text !== 'string') throw new Refused(`${aType(text!)} is encoded as text`);
  work.spend(text.length);
  if (isUtf8) {
    if (!text.isWellFormed()) throw new Refused('a text that is no Unicode is encoded');
    return { kind: 'bytes', bytes: new TextEncoder().encode(text), mutable: false };
  }
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > limit) throw new Refused(`a text that is no ${encoding} is encoded as such`);
    bytes[at] = code;
  }
  return { kind: 'bytes', bytes, mutable: false };
}

const INT64 = 2n ** 63n;

function size(args: readonly Py[], work: Work): Py {
  arity('torch.Size', args, 0, 1);
  const items = args.length === 0 ? [] : work.iterate(args[0]!);
  for (const item of items) {
    if (typeof item === 'boolean') continue;
    const isOdd = typeof item === 'bigint' && (item >= INT64 || item < -INT64);
    if (isOdd || isKind(item, 'tensor') || isKind(item, 'opaque')) {
      throw new Unsure('the items of a torch.Size');
    }
    if (typeof item !== 'bigint') throw new Refused(`a torch.Size holds ${aType(item)}`);
  }
  return tuple(items, 'torch.Size');
}

/** Kinds of devices that PyTorch can name without having them. */
const devices = new Set(
  'cpu cuda ipu xpu mkldnn opengl opencl ideep hip ve fpga maia xla lazy vulkan mps meta hpu mtia privateuseone'.split(
    ' ',
  ),
);

/** `torch.device('cuda:0')`, `torch.device('cuda', 0)`. */
function device(args: readonly Py[]): Py {
  arity('torch.device', args, 1, 2);
  const [name, index] = args;
  const isIndexed = typeof index === 'bigint' && index >= 0n && index < MAX_DEVICES;
  if (typeof name !== 'string' || (index !== undefined && !isIndexed)) {
    throw new Unsure('which device a torch.device means');
  }
  const [, kind, number] = /^([a-z]+)(?::(0|[1-9]\d*))?$/.exec(name) ?? [];
  if (kind === undefined || !devices.has(kind)) {
    throw new Refused(`it names the device ${JSON.stringify(name.slice(0, 40))}`);
  }
  if (number !== undefined && (isIndexed || BigInt(number) >= MAX_DEVICES)) {
    throw new Unsure('which device a torch.device means');
  }
  return { kind: 'device' };
}

/** Larger numbers of devices wrap around in PyTorch. */
const MAX_DEVICES = 100n;

const layouts = new Set(
  'strided sparse_coo sparse_csr sparse_csc sparse_bsr sparse_bsc _mkldnn jagged'
    .split(' ')
    .map((name) => `torch.${name}`),
);

function layout(args: readonly Py[]): Py {
  arity('_get_layout', args, 1, 1);
  const [name] = args;
  if (isKind(name, 'opaque')) throw new Unsure('a layout');
  if (typeof name === 'string' && layouts.has(name)) return { kind: 'layout', name };
  throw new Refused('it names a layout that PyTorch does not have');
}

const REBUILD_FROM_TYPE = 'torch._tensor._rebuild_from_type_v2';

/** `_rebuild_from_type_v2(func, new_type, args, state)`. */
function rebuildFromType(args: readonly Py[], work: Work): Py {
  arity('_rebuild_from_type_v2', args, 4, 4);
  const [callable, type, inner, state] = args as [Py, Py, Py, Py];
  if (isKind(callable, 'opaque')) throw new Unsure('what _rebuild_from_type_v2 would call');
  if (!isName(callable)) {
    throw new Refused(`_rebuild_from_type_v2 is handed ${aType(callable)} to call`);
  }
  if (callable.path === REBUILD_FROM_TYPE) throw new Unsure('_rebuild_from_type_v2 of itself');
  const made = callName(callable, work.iterate(inner), work);
  if (!isKind(made, 'tensor') || !isName(type)) {
    throw new Unsure('what _rebuild_from_type_v2 gives');
  }
  const own = made.parameter ? 'torch.nn.parameter.Parameter' : 'torch.Tensor';
  if (type.path !== own) throw new Unsure(`a tensor as ${type.path}`);
  setState(state, work);
  return made;
}
