/**
 * Reads a pickle as a virtual machine over inert values. Nothing that the pickle names is looked
 * up, imported or called: GLOBAL leaves a name, REDUCE and NEWOBJ leave a `call` with its
 * arguments, BUILD leaves the state beside it. What the values mean is for others to say: this
 * file knows nothing of torch.
 *
 * The machine runs until STOP and then says where it stopped, since PyTorch's legacy files hold
 * several pickles in a row.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { Dict, isHashable, type Call, type Global, type Value } from '#lib/checkpoint/value.ts';
import { decodeLong, decodeUtf8, PickleBytes } from './bytes.ts';
import { opcodes, type OpcodeName } from './opcodes.ts';
import { byteString, textToFloat, textToIndex, textToInt, unescapeRaw, unquote } from './texts.ts';

/** Opcodes in one pickle. A checkpoint of 100,000 tensors takes about 5 million. */
export const MAX_OPCODES = 50_000_000;
/** Containers, calls and bytes in one pickle. A checkpoint of a million tensors makes nine million. */
const MAX_OBJECTS = 10_000_000;
/** The newest protocol there is (PEP 574, Python 3.8). */
const NEWEST_PROTOCOL = 5;

/** Bytes of an int. Python's random state takes 2,500; to print a longer one takes quadratic time. */
const MAX_LONG_BYTES = 2 ** 16;

/** A callable that unpickling would have called or instantiated. */
export interface PickleCall {
  /** `module.name`. */
  readonly name: string;
  readonly global: Global;
  count: number;
  /** Offset of the first opcode that would have made the call. */
  readonly offset: number;
}

export interface Pickle {
  readonly value: Value;
  /** Offset just behind STOP. */
  readonly end: number;
  readonly protocol: number;
  readonly opcodes: number;
  readonly calls: readonly PickleCall[];
  /** Every name that the pickle mentions, called or not. */
  readonly globals: ReadonlyMap<string, Global>;
}

/** Reads one pickle that starts at `start`. Throws a FindingError that names the byte. */
export function readPickle(bytes: Uint8Array, start = 0): Pickle {
  return new Machine(bytes, start).run();
}

const names = new Map<number, OpcodeName>(
  Object.entries(opcodes).map(([name, code]) => [code, name as OpcodeName]),
);

class Machine {
  readonly #bytes: PickleBytes;
  /** The stack; `#marks` holds the heights at which MARK was seen. */
  readonly #stack: Value[] = [];
  readonly #marks: number[] = [];
  /** Sparse: a hostile file may use the index 2³¹ − 1. */
  readonly #memo = new Map<number, Value>();
  readonly #calls = new Map<string, PickleCall>();
  readonly #globals = new Map<string, Global>();
  #protocol = 0;
  #objects = 0;
  /** Where the current frame ends (protocol 4), or -1. */
  #frameEnd = -1;
  #opcodeAt = 0;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = new PickleBytes(bytes);
    this.#bytes.at = start;
  }

  run(): Pickle {
    let steps = 0;
    try {
      for (;;) {
        this.#opcodeAt = this.#bytes.at;
        if (++steps > MAX_OPCODES) throw new RangeError(`more than ${MAX_OPCODES} opcodes`);
        const code = this.#bytes.u8();
        const name = names.get(code);
        if (!name) throw new RangeError(`unknown opcode 0x${code.toString(16).padStart(2, '0')}`);
        if (name === 'STOP') break;
        this.#step(name);
        if (this.#frameEnd >= 0 && this.#bytes.at >= this.#frameEnd) {
          if (this.#bytes.at > this.#frameEnd)
            throw new RangeError('an opcode straddles its frame');
          this.#frameEnd = -1;
        }
      }
      if (this.#marks.length > 0) throw new RangeError('STOP inside of an open MARK');
      const value = this.#pop();
      if (this.#stack.length > 0) {
        throw new RangeError(`STOP leaves ${this.#stack.length} values on the stack`);
      }
      return {
        value,
        end: this.#bytes.at,
        protocol: this.#protocol,
        opcodes: steps,
        calls: [...this.#calls.values()],
        globals: this.#globals,
      };
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
      throw new FindingError({
        code: 'pickle-broken',
        where: `byte ${this.#opcodeAt}`,
        message: `pickle: byte ${this.#opcodeAt}: ${error.message}`,
        advice: 'The file is damaged or cut off: get it again from where it came from.',
      });
    }
  }

  #step(name: Exclude<OpcodeName, 'STOP'>): void {
    const bytes = this.#bytes;
    switch (name) {
      case 'PROTO': {
        this.#protocol = bytes.u8();
        if (this.#protocol > NEWEST_PROTOCOL) {
          throw new RangeError(`protocol ${this.#protocol} is newer than ${NEWEST_PROTOCOL}`);
        }
        return;
      }
      case 'FRAME': {
        const length = bytes.length64();
        if (this.#frameEnd >= 0) throw new RangeError('a frame inside of a frame');
        this.#frameEnd = bytes.at + length;
        return;
      }

      // Constants.
      case 'NONE':
        return this.#push(null);
      case 'NEWTRUE':
        return this.#push(true);
      case 'NEWFALSE':
        return this.#push(false);
      case 'BININT':
        return this.#push(BigInt(bytes.i32()));
      case 'BININT1':
        return this.#push(BigInt(bytes.u8()));
      case 'BININT2':
        return this.#push(BigInt(bytes.u16()));
      case 'LONG1':
        return this.#push(decodeLong(bytes.take(bytes.u8())));
      case 'LONG4':
        return this.#push(decodeLong(this.#long(this.#size(bytes.i32()))));
      case 'INT': {
        const line = bytes.line();
        return this.#push(line === '00' ? false : line === '01' ? true : textToInt(line));
      }
      case 'LONG':
        return this.#push(textToInt(bytes.line().replace(/L$/, '')));
      case 'FLOAT':
        return this.#push(textToFloat(bytes.line()));
      case 'BINFLOAT':
        return this.#push(bytes.f64());

      // Texts and bytes. The STRING family is Python 2's str: text where it is UTF-8.
      case 'UNICODE':
        return this.#push(unescapeRaw(bytes.line()));
      case 'BINUNICODE':
        return this.#push(decodeUtf8(bytes.take(bytes.u32())));
      case 'SHORT_BINUNICODE':
        return this.#push(decodeUtf8(bytes.take(bytes.u8())));
      case 'BINUNICODE8':
        return this.#push(decodeUtf8(bytes.take(bytes.length64())));
      case 'STRING':
        return this.#push(byteString(unquote(bytes.line())));
      case 'BINSTRING':
        return this.#push(byteString(bytes.take(this.#size(bytes.i32()))));
      case 'SHORT_BINSTRING':
        return this.#push(byteString(bytes.take(bytes.u8())));
      case 'BINBYTES':
        return this.#push({ kind: 'bytes', bytes: bytes.take(bytes.u32()), mutable: false });
      case 'SHORT_BINBYTES':
        return this.#push({ kind: 'bytes', bytes: bytes.take(bytes.u8()), mutable: false });
      case 'BINBYTES8':
        return this.#push({ kind: 'bytes', bytes: bytes.take(bytes.length64()), mutable: false });
      case 'BYTEARRAY8':
        return this.#push({ kind: 'bytes', bytes: bytes.take(bytes.length64()), mutable: true });

      // Containers.
      case 'EMPTY_LIST':
        return this.#push({ kind: 'list', items: [] });
      case 'EMPTY_DICT':
        return this.#push(new Dict());
      case 'EMPTY_SET':
        return this.#push({ kind: 'set', items: [], frozen: false });
      case 'EMPTY_TUPLE':
        return this.#tuple([]);
      case 'TUPLE':
        return this.#tuple(this.#popMark());
      case 'TUPLE1':
        return this.#tuple(this.#popMany(1));
      case 'TUPLE2':
        return this.#tuple(this.#popMany(2));
      case 'TUPLE3':
        return this.#tuple(this.#popMany(3));
      case 'LIST':
        return this.#push({ kind: 'list', items: this.#popMark() });
      case 'DICT':
        return this.#push(new Dict(pairs(this.#popMark())));
      case 'FROZENSET':
        return this.#push({ kind: 'set', items: this.#popMark(), frozen: true });
      case 'APPEND':
        return this.#append([this.#pop()]);
      case 'APPENDS':
        return this.#append(this.#popMark());
      case 'ADDITEMS':
        return this.#add(this.#popMark());
      case 'SETITEM':
        return this.#setItems(this.#popMany(2));
      case 'SETITEMS':
        return this.#setItems(this.#popMark());

      // Stack and memo.
      case 'MARK':
        this.#marks.push(this.#stack.length);
        return;
      case 'POP':
        if (this.#marks.at(-1) === this.#stack.length) this.#marks.pop();
        else this.#pop();
        return;
      case 'POP_MARK':
        this.#popMark();
        return;
      case 'DUP':
        return this.#push(this.#top());
      case 'PUT':
        this.#memo.set(textToIndex(bytes.line()), this.#top());
        return;
      case 'BINPUT':
        this.#memo.set(bytes.u8(), this.#top());
        return;
      case 'LONG_BINPUT':
        this.#memo.set(bytes.u32(), this.#top());
        return;
      case 'MEMOIZE':
        this.#memo.set(this.#memo.size, this.#top());
        return;
      case 'GET':
        return this.#get(textToIndex(bytes.line()));
      case 'BINGET':
        return this.#get(bytes.u8());
      case 'LONG_BINGET':
        return this.#get(bytes.u32());

      // What Python would look up or call. Here it stays data.
      case 'GLOBAL':
        return this.#global(bytes.line(), bytes.line());
      case 'STACK_GLOBAL': {
        const [module, attribute] = this.#popMany(2);
        if (typeof module !== 'string' || typeof attribute !== 'string') {
          throw new TypeError('STACK_GLOBAL needs two strings');
        }
        return this.#global(module, attribute);
      }
      case 'REDUCE': {
        const [callable, args] = this.#popMany(2) as [Value, Value];
        return this.#call(callable, args, 'reduce');
      }
      case 'NEWOBJ': {
        const [callable, args] = this.#popMany(2) as [Value, Value];
        return this.#call(callable, args, 'new');
      }
      case 'NEWOBJ_EX': {
        const [callable, args, keywords] = this.#popMany(3) as [Value, Value, Value];
        return this.#call(callable, tupleOf([args, keywords]), 'new');
      }
      case 'INST': {
        const [module, attribute] = [bytes.line(), bytes.line()];
        const args = tupleOf(this.#popMark());
        this.#global(module, attribute);
        return this.#call(this.#pop(), args, 'reduce');
      }
      case 'OBJ': {
        const [callable, ...args] = this.#popMark();
        if (callable === undefined) throw new RangeError('OBJ without a class');
        return this.#call(callable, tupleOf(args), 'reduce');
      }
      case 'EXT1':
        return this.#extension(bytes.u8());
      case 'EXT2':
        return this.#extension(bytes.u16());
      case 'EXT4':
        return this.#extension(bytes.i32());
      case 'BUILD': {
        const state = this.#pop();
        const target = this.#top();
        if (!isCall(target)) throw new TypeError('BUILD on a value that no call made');
        if (target.state !== undefined) throw new TypeError('a second BUILD on one object');
        target.state = state;
        return;
      }
      case 'PERSID':
        return this.#push({ kind: 'persistent', id: bytes.line() });
      case 'BINPERSID':
        return this.#push({ kind: 'persistent', id: this.#pop() });
      case 'NEXT_BUFFER':
      case 'READONLY_BUFFER':
        throw new TypeError(`${name} refers to a buffer outside of the file`);
      default:
        name satisfies never;
    }
  }

  #push(value: Value): void {
    if (typeof value === 'object' && value !== null && ++this.#objects > MAX_OBJECTS) {
      throw new RangeError(`more than ${MAX_OBJECTS} objects`);
    }
    this.#stack.push(value);
  }

  #tuple(items: Value[]): void {
    this.#push(tupleOf(items));
  }

  /** The height below which the current MARK protects the stack. */
  get #floor(): number {
    return this.#marks.at(-1) ?? 0;
  }

  #pop(): Value {
    if (this.#stack.length <= this.#floor) throw new RangeError('the stack is empty');
    return this.#stack.pop() as Value;
  }

  #popMany(count: number): Value[] {
    if (this.#stack.length - count < this.#floor) throw new RangeError('the stack is empty');
    return this.#stack.splice(this.#stack.length - count);
  }

  #popMark(): Value[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw new RangeError('no MARK on the stack');
    return this.#stack.splice(mark);
  }

  #top(): Value {
    if (this.#stack.length <= this.#floor) throw new RangeError('the stack is empty');
    return this.#stack.at(-1) as Value;
  }

  #get(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw new RangeError(`memo ${index} was never set`);
    this.#stack.push(value);
  }

  /** A length field that is signed in the format. */
  #size(size: number): number {
    if (size < 0) throw new RangeError(`negative length ${size}`);
    return size;
  }

  #long(size: number): Uint8Array {
    if (size > MAX_LONG_BYTES) throw new RangeError(`an int of ${size} bytes`);
    return this.#bytes.take(size);
  }

  #append(items: Value[]): void {
    const target = this.#top();
    if (typeof target === 'object' && target?.kind === 'list') extend(target.items, items);
    else if (isCall(target)) extend((target.appended ??= []), items);
    else throw new TypeError('APPEND to a value that is no list');
  }

  #add(items: Value[]): void {
    const target = this.#top();
    if (typeof target === 'object' && target?.kind === 'set') extend(target.items, items);
    else if (isCall(target)) extend((target.appended ??= []), items);
    else throw new TypeError('ADDITEMS to a value that is no set');
  }

  #setItems(items: Value[]): void {
    const target = this.#top();
    if (target instanceof Dict) {
      for (const [key, value] of pairs(items)) target.set(key, value);
    } else if (isCall(target)) {
      extend((target.entries ??= []), pairs(items));
    } else {
      throw new TypeError('SETITEM on a value that is no dict');
    }
  }

  #global(module: string, name: string): void {
    const full = `${module}.${name}`;
    let global = this.#globals.get(full);
    if (!global) this.#globals.set(full, (global = { kind: 'global', module, name }));
    this.#push(global);
  }

  #extension(code: number): void {
    this.#global('copyreg', `extension ${code}`);
  }

  #call(callable: Value, args: Value, how: Call['how']): void {
    const global: Global =
      typeof callable === 'object' && callable?.kind === 'global'
        ? callable
        : { kind: 'global', module: '', name: 'a value that the pickle computes' };
    const name = global.module ? `${global.module}.${global.name}` : global.name;
    const known = this.#calls.get(name);
    if (known) known.count++;
    else this.#calls.set(name, { name, global, count: 1, offset: this.#opcodeAt });
    this.#push({ kind: 'call', callable, args, how });
  }
}

function isCall(value: Value): value is Call {
  return typeof value === 'object' && value?.kind === 'call';
}

function tupleOf(items: Value[]): Value {
  return { kind: 'tuple', items, type: 'tuple' };
}

/** `push(...items)` overflows the JavaScript stack at some 100,000 items. */
function extend<T>(target: T[], items: readonly T[]): void {
  for (const item of items) target.push(item);
}

function pairs(items: Value[]): [Value, Value][] {
  if (items.length % 2) throw new RangeError('a key without a value');
  return Array.from({ length: items.length / 2 }, (_, index) => {
    const [key, value] = [items[2 * index] as Value, items[2 * index + 1] as Value];
    if (!isHashable(key)) throw new TypeError('a list, dict, set or bytearray as a key');
    return [key, value];
  });
}
