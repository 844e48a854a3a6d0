/**
 * PyTorch's restricted unpickler (torch/_weights_only_unpickler.py, 2.13) run over values that stand
 * for Python's: says whether `torch.load(weights_only=True)` takes a pickle, and what it refuses
 * first. It follows that file step by step, down to what the functions of the allow-list check of
 * their arguments. Nothing is run, looked up or read beside the pickle. Where the outcome depends on
 * more than can be known here, the answer is `unknown`, never `loads`.
 */
import { decodeLong, decodeUtf8, PickleBytes } from '#lib/pickle/bytes.ts';
import { opcodes, type OpcodeName } from '#lib/pickle/opcodes.ts';
import { MAX_OPCODES } from '#lib/pickle/read.ts';
import { isAllowed } from './torch.names.ts';
import { build, call, create } from './weights_only.calls.ts';
import {
  hashed,
  isKind,
  nameOf,
  opaque,
  Refused,
  tuple,
  aType,
  Unsure,
  Work,
  type Py,
} from './weights_only.values.ts';

export interface Judgement {
  readonly verdict: 'loads' | 'refused' | 'unknown';
  /** The first thing that PyTorch refuses, or that makes the outcome unknown. */
  readonly reason?: Reason;
}

export interface Reason {
  /** Of the opcode in the pickle; undefined where the container is meant. */
  readonly offset?: number;
  readonly opcode?: string;
  /** Goes on from "because": `it names os.system`. */
  readonly message: string;
  /** The bytes end here or make no sense: with more of them it may be otherwise. */
  readonly isBroken?: true;
}

/** A pickle that was run to its end, or up to what PyTorch refuses. */
export interface Outcome extends Judgement {
  /** Undefined where it is refused. */
  readonly value?: Py;
  /** Offset just behind STOP. */
  readonly end: number;
}

/** `persistent_load`: what a persistent id stands for. Throws Refused or Unsure. */
export type PersistentLoad = (id: Py) => Py;

/** Modules that PyTorch never looks into, whatever was added to its allow-list. */
const blockedModules = new Set(['sys', 'os', 'posix', 'nt']);

const names: (OpcodeName | undefined)[] = [];
for (const [name, code] of Object.entries(opcodes)) names[code] = name as OpcodeName;

/** Judges the pickle that starts at `start`. */
export function judgePickle(
  bytes: Uint8Array,
  start = 0,
  persistentLoad: PersistentLoad = withoutStorages,
): Outcome {
  return new Unpickler(bytes, start, persistentLoad).load();
}

function withoutStorages(): never {
  throw new Refused('it refers to a storage where PyTorch expects none');
}

/** The words for an opcode that takes more than the stack holds. */
const EMPTY = 'it takes more from the stack than is there';

class Unpickler {
  readonly #bytes: PickleBytes;
  readonly #persistentLoad: PersistentLoad;
  readonly #memo = new Map<number, Py>();
  /** Stacks below the marks, as PyTorch keeps them. */
  readonly #meta: Py[][] = [];
  #stack: Py[] = [];
  readonly #work = new Work();
  #offset: number;
  #opcode = '';
  #unsure: Reason | undefined;

  constructor(bytes: Uint8Array, start: number, persistentLoad: PersistentLoad) {
    this.#bytes = new PickleBytes(bytes);
    this.#bytes.at = this.#offset = start;
    this.#persistentLoad = persistentLoad;
  }

  load(): Outcome {
    try {
      for (let count = 0; ; count++) {
        if (count > MAX_OPCODES) throw new Unsure(`it has more than ${MAX_OPCODES} opcodes`);
        this.#offset = this.#bytes.at;
        const code = this.#bytes.u8();
        this.#opcode = names[code] ?? `0x${code.toString(16)}`;
        if (this.#opcode === 'STOP') {
          const value = this.#pop();
          const unsure = this.#unsure;
          const end = this.#bytes.at;
          return unsure
            ? { verdict: 'unknown', reason: unsure, value, end }
            : { verdict: 'loads', value, end };
        }
        this.#step();
      }
    } catch (error) {
      const end = this.#bytes.at;
      if (error instanceof Unsure) {
        return { verdict: 'unknown', reason: this.#unsure ?? this.#reason(error.message), end };
      }
      if (error instanceof Refused) {
        return { verdict: 'refused', reason: this.#reason(error.message), end };
      }
      // PickleBytes and the UTF-8 decoder say so of bytes that are missing or wrong.
      if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
      const reason = this.#reason(`the pickle is broken: ${error.message}`);
      return { verdict: 'refused', reason: { ...reason, isBroken: true }, end };
    }
  }

  #reason(message: string): Reason {
    return { offset: this.#offset, opcode: this.#opcode, message };
  }

  /** The result of `make`; where it is not known, what comes later may still be refused. */
  #known(make: () => Py): Py {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof Unsure)) throw error;
      this.#unsure ??= this.#reason(error.message);
      return opaque;
    }
  }

  #step(): void {
    const bytes = this.#bytes;
    switch (this.#opcode) {
      case 'PROTO':
        bytes.u8();
        return;
      case 'GLOBAL':
        return this.#global(bytes.line(), bytes.line());
      case 'NEWOBJ': {
        const args = this.#pop();
        const cls = this.#pop();
        return this.#push(this.#known(() => create(cls, args, this.#work)));
      }
      case 'REDUCE': {
        const args = this.#pop();
        const callable = this.#top();
        return this.#replace(this.#known(() => call(callable, args, this.#work)));
      }
      case 'BUILD': {
        const state = this.#pop();
        const target = this.#top();
        this.#known(() => build(target, state, this.#work));
        return;
      }
      case 'BINPERSID': {
        const id = this.#pop();
        return this.#push(this.#known(() => this.#persistent(id)));
      }

      case 'APPEND':
        return this.#append([this.#pop()]);
      case 'APPENDS':
        return this.#append(this.#popMark());
      case 'SETITEM': {
        const value = this.#pop();
        return this.#setItems([this.#pop(), value]);
      }
      case 'SETITEMS':
        return this.#setItems(this.#popMark());

      case 'MARK':
        this.#meta.push(this.#stack);
        this.#stack = [];
        return;
      case 'TUPLE':
        return this.#push(tuple(this.#popMark()));
      case 'TUPLE1':
        return this.#tuple(1);
      case 'TUPLE2':
        return this.#tuple(2);
      case 'TUPLE3':
        return this.#tuple(3);
      case 'EMPTY_TUPLE':
        return this.#push(tuple([]));
      case 'EMPTY_LIST':
        return this.#push({ kind: 'list', items: [] });
      case 'EMPTY_DICT':
        return this.#push({ kind: 'dict', type: 'dict', entries: new Map() });
      case 'EMPTY_SET':
        return this.#push({ kind: 'set', items: new Set() });

      case 'NONE':
        return this.#push(null);
      case 'NEWFALSE':
        return this.#push(false);
      case 'NEWTRUE':
        return this.#push(true);
      case 'BININT':
        return this.#push(BigInt(bytes.i32()));
      case 'BININT1':
        return this.#push(BigInt(bytes.u8()));
      case 'BININT2':
        return this.#push(BigInt(bytes.u16()));
      case 'LONG1':
        return this.#push(decodeLong(bytes.take(bytes.u8())));
      case 'BINFLOAT':
        return this.#push(bytes.f64());
      case 'BINUNICODE':
        return this.#push(decodeUtf8(bytes.take(bytes.u32())));
      case 'SHORT_BINSTRING':
        return this.#push(strictUtf8.decode(bytes.take(bytes.u8())));

      case 'BINGET':
        return this.#get(bytes.u8());
      case 'LONG_BINGET':
        return this.#get(bytes.u32());
      case 'BINPUT':
        this.#memo.set(bytes.u8(), this.#top());
        return;
      case 'LONG_BINPUT':
        this.#memo.set(bytes.u32(), this.#top());
        return;
      default:
        throw new Refused(`it uses the opcode ${this.#opcode}, which weights_only does not know`);
    }
  }

  #global(module: string, name: string): void {
    if (blockedModules.has(module)) {
      throw new Refused(`it names ${module}.${name}, of a module that PyTorch always refuses`);
    }
    if (!isAllowed({ kind: 'global', module, name })) {
      throw new Refused(`it names ${module}.${name}`);
    }
    this.#push(nameOf(`${module === '__builtin__' ? 'builtins' : module}.${name}`));
  }

  /** Only storages may be meant, and only by a tuple. */
  #persistent(id: Py): Py {
    if (isKind(id, 'opaque')) throw new Unsure('a persistent id');
    if (!isKind(id, 'tuple') || id.type !== 'tuple') {
      throw new Refused(`it has ${aType(id)} in the place of a persistent id`);
    }
    const [type] = id.items;
    if (isKind(type, 'opaque') || isKind(type, 'bytes')) {
      throw new Unsure('the type of a persistent id');
    }
    if (type !== 'storage') throw new Refused('it refers to something else than a storage');
    return this.#persistentLoad(id);
  }

  #append(items: readonly Py[]): void {
    const target = this.#top();
    if (isKind(target, 'list')) {
      for (const item of items) target.items.push(item);
    } else if (!isKind(target, 'opaque')) {
      throw new Refused(`it appends to ${aType(target)}, and not to a list`);
    }
  }

  #setItems(items: readonly Py[]): void {
    const target = this.#top();
    if (!isKind(target, 'opaque') && !isKind(target, 'dict')) {
      throw new Refused(`it sets items of ${aType(target)}, and not of a dict`);
    }
    for (let at = 0; at < items.length; at += 2) {
      if (at + 1 === items.length) throw new Refused('it sets a key without a value');
      const key = this.#known(() => hashed(items[at]!));
      if (isKind(target, 'dict')) target.entries.set(key, items[at + 1]!);
    }
  }

  #get(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw new Refused(`memo ${index} was never set`);
    this.#push(value);
  }

  #tuple(size: number): void {
    if (this.#stack.length < size) throw new Refused(EMPTY);
    this.#push(tuple(this.#stack.splice(this.#stack.length - size)));
  }

  #push(value: Py): void {
    this.#stack.push(value);
  }

  #replace(value: Py): void {
    this.#stack[this.#stack.length - 1] = value;
  }

  #pop(): Py {
    const value = this.#stack.pop();
    if (value === undefined) throw new Refused(EMPTY);
    return value;
  }

  #top(): Py {
    const value = this.#stack.at(-1);
    if (value === undefined) throw new Refused(EMPTY);
    return value;
  }

  #popMark(): Py[] {
    const items = this.#stack;
    const below = this.#meta.pop();
    if (!below) throw new Refused('it takes the values behind a MARK, and there is none');
    this.#stack = below;
    return items;
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
