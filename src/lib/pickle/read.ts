/**
 * Reads a pickle as a virtual machine over inert values. Nothing that the pickle names is looked
 * up, imported or called: GLOBAL leaves a name, REDUCE and NEWOBJ leave a `call` with its
 * arguments, BUILD leaves the state beside it. What the values mean is for others to say: this
 * file knows nothing of torch. Where `pickle.py` and CPython's `_pickle.c` differ, the latter
 * counts, as it is what `pickle.load` runs; only frames are held to their bounds, which it ignores.
 *
 * The machine runs until STOP and then says where it stopped, since PyTorch's legacy files hold
 * several pickles in a row.
 */
import { FindingError, type Finding } from '#lib/checkpoint/finding.ts';
import {
  Dict,
  isHashable,
  type Call,
  type Global,
  type PersistentId,
  type Tuple,
  type Value,
} from '#lib/checkpoint/value.ts';
import { Decoder, isConstant } from './decode.ts';
import type { OpcodeName } from './opcodes.ts';

/** Opcodes in one file. A checkpoint of 100,000 tensors takes about 5 million. */
export const MAX_OPCODES = 50_000_000;
/** Containers, calls and bytes in one file. A checkpoint of a million tensors makes nine million. */
const MAX_OBJECTS = 10_000_000;

/** What the pickles of one file may take, all of them together. */
export class Budget {
  #opcodes = 0;
  #objects = 0;

  takeOpcode(): void {
    if (++this.#opcodes > MAX_OPCODES) throw new RangeError(`more than ${MAX_OPCODES} opcodes`);
  }
  takeObject(): void {
    if (++this.#objects > MAX_OBJECTS) throw new RangeError(`more than ${MAX_OBJECTS} objects`);
  }
}

/** A callable that unpickling would have called or instantiated. */
export interface PickleCall {
  /** `module.name`. */
  readonly name: string;
  readonly global: Global;
  count: number;
  /** Offset of the first opcode that would have made the call. */
  readonly offset: number;
}

/** A name that a pickle mentions, called or not. */
export interface PickleName {
  readonly global: Global;
  /** Of the first opcode that mentions it. */
  readonly offset: number;
}

/** What was read, as far as it could be. */
export interface Reading {
  /** Undefined where reading broke off. */
  readonly value: Value | undefined;
  /** Offset just behind the last opcode, STOP. */
  readonly end: number;
  readonly protocol: number;
  readonly opcodes: number;
  readonly calls: readonly PickleCall[];
  readonly names: readonly PickleName[];
  /** Values that STOP leaves on the stack; Python drops them. */
  readonly left: number;
  /** Why and where reading broke off. */
  readonly problem?: Finding;
}

/** A pickle that was read to its end. */
export interface Pickle extends Reading {
  readonly value: Value;
}

/** A call at the moment at which unpickling would make it. */
export interface MadeCall {
  readonly offset: number;
  readonly opcode: OpcodeName;
  readonly global: Global;
  readonly args: Value;
}

/** What may look on while a pickle is read. */
export interface Observer {
  /** False ends the reading, which then has neither a value nor a problem. */
  call?(call: MadeCall): boolean;
  /** Of texts and bytes, as they are pushed. */
  constant?(value: Value, offset: number): void;
  /** Of ids of things outside of the pickle. */
  persistent?(id: Value): void;
}

/** Reads one pickle that starts at `start`. Throws a FindingError that names the byte. */
export function readPickle(bytes: Uint8Array, start = 0, budget = new Budget()): Pickle {
  const { value, problem, ...reading } = examinePickle(bytes, start, budget);
  if (value === undefined) throw new FindingError(problem!);
  return { ...reading, value };
}

/** Reads one pickle as far as it can be read; throws nothing but defects. */
export function examinePickle(
  bytes: Uint8Array,
  start = 0,
  budget = new Budget(),
  observer: Observer = {},
): Reading {
  return new Machine(bytes, start, budget, observer).run();
}

class Machine {
  readonly #decoder: Decoder;
  readonly #budget: Budget;
  readonly #observer: Observer;
  /** The stack; `#marks` holds the heights at which MARK was seen. */
  readonly #stack: Value[] = [];
  readonly #marks: number[] = [];
  /** Sparse: a hostile file may use the index 2³¹ − 1. */
  readonly #memo = new Map<number, Value>();
  readonly #calls = new Map<string, PickleCall>();
  readonly #names = new Map<string, PickleName>();
  #protocol = 0;
  #opcode: OpcodeName = 'STOP';
  #isEnded = false;

  constructor(bytes: Uint8Array, start: number, budget: Budget, observer: Observer) {
    this.#decoder = new Decoder(bytes, start);
    this.#budget = budget;
    this.#observer = observer;
  }

  run(): Reading {
    let opcodes = 0;
    let value: Value | undefined;
    let problem: Finding | undefined;
    try {
      while (!this.#isEnded) {
        opcodes++;
        this.#budget.takeOpcode();
        const name = (this.#opcode = this.#decoder.next());
        if (name === 'STOP') {
          value = this.#pop();
          break;
        }
        this.#step(name, this.#decoder.argument);
      }
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
      const { offset } = this.#decoder;
      problem = {
        code: 'pickle-broken',
        severity: 'error',
        where: `byte ${offset}`,
        message: `pickle: byte ${offset}: ${error.message}`,
        advice: 'The file is damaged or cut off: get it again from where it came from.',
      };
    }
    return {
      value,
      end: this.#decoder.end,
      protocol: this.#protocol,
      opcodes,
      calls: [...this.#calls.values()],
      names: [...this.#names.values()],
      left: this.#stack.length,
      ...(problem && { problem }),
    };
  }

  #step(name: Exclude<OpcodeName, 'STOP'>, argument: Value | undefined): void {
    if (isConstant(name)) {
      if (typeof argument === 'string' || typeof argument === 'object') {
        this.#observer.constant?.(argument, this.#decoder.offset);
      }
      return this.#push(argument!);
    }
    switch (name) {
      case 'PROTO':
        this.#protocol = argument as number;
        return;
      case 'FRAME':
        return;

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
      case 'BINPUT':
      case 'LONG_BINPUT':
        this.#memo.set(argument as number, this.#top());
        return;
      case 'MEMOIZE':
        this.#memo.set(this.#memo.size, this.#top());
        return;
      case 'GET':
      case 'BINGET':
      case 'LONG_BINGET':
        return this.#get(argument as number);

      // What Python would look up or call. Here it stays data.
      case 'GLOBAL':
        return this.#global(argument as Global);
      case 'STACK_GLOBAL': {
        const [module, attribute] = this.#popMany(2);
        if (typeof module !== 'string' || typeof attribute !== 'string') {
          throw new TypeError('STACK_GLOBAL needs two strings');
        }
        return this.#global({ kind: 'global', module, name: attribute });
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
        const args = tupleOf(this.#popMark());
        this.#global(argument as Global);
        return this.#call(this.#pop(), args, 'reduce');
      }
      case 'OBJ': {
        const [callable, ...args] = this.#popMark();
        if (callable === undefined) throw new RangeError('OBJ without a class');
        return this.#call(callable, tupleOf(args), 'reduce');
      }
      case 'EXT1':
      case 'EXT2':
      case 'EXT4':
        return this.#extension(argument as number);
      case 'BUILD':
        return this.#build(this.#pop());
      case 'PERSID':
      case 'BINPERSID':
        return this.#persistent(argument ?? this.#pop());
      case 'NEXT_BUFFER':
        throw new TypeError(`${name} refers to a buffer outside of the file`);
      case 'READONLY_BUFFER':
        return this.#freeze();
      default:
        name satisfies never;
    }
  }

  #push(value: Value): void {
    if (typeof value === 'object' && value !== null) this.#budget.takeObject();
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

  #append(items: Value[]): void {
    const target = this.#top();
    if (typeof target === 'object' && target?.kind === 'list') extend(target.items, items);
    else if (isCall(target)) extend((target.appended ??= []), items);
    else this.#method(target, 'extend', items);
  }

  #add(items: Value[]): void {
    const target = this.#top();
    if (typeof target === 'object' && target?.kind === 'set') extend(target.items, items);
    else if (isCall(target)) extend((target.appended ??= []), items);
    else this.#method(target, 'add', items);
  }

  #setItems(items: Value[]): void {
    const target = this.#top();
    if (target instanceof Dict) {
      for (const [key, value] of pairs(items)) target.set(key, value);
    } else if (isCall(target)) {
      extend((target.entries ??= []), pairs(items));
    } else {
      this.#method(target, '__setitem__', items);
    }
  }

  #build(state: Value): void {
    const target = this.#top();
    if (isCall(target) && target.state === undefined) target.state = state;
    else if (state !== null) this.#method(target, '__setstate__', [state]);
  }

  #persistent(id: Value): void {
    this.#observer.persistent?.(id);
    this.#push({ kind: 'persistent', id });
  }

  /** A view of bytes that must not be written to. */
  #freeze(): void {
    const target = this.#top();
    if (typeof target !== 'object' || target?.kind !== 'bytes') {
      throw new TypeError('READONLY_BUFFER on a value that is no buffer');
    }
    if (target.mutable) this.#stack[this.#stack.length - 1] = { ...target, mutable: false };
  }

  /**
   * What an opcode does to an object by a method of its own: SETITEM on `os.environ` sets a
   * variable, BUILD on a class changes it. Like every call it stays data, in the object's place.
   */
  #method(target: Value, method: string, args: Value[]): void {
    if (target === null || typeof target !== 'object' || target.kind === 'tuple') {
      throw new TypeError(`${this.#opcode} on a value that has no ${method}`);
    }
    this.#stack.pop();
    const module = target.kind === 'global' ? target.module : '';
    const owner = target.kind === 'global' ? target.name : 'a value that the pickle computes';
    const name = `${owner}.${method}`;
    this.#call({ kind: 'global', module, name }, tupleOf([target, ...args]), 'reduce');
  }

  #global(global: Global): void {
    const key = `${global.module.length}:${global.module}.${global.name}`;
    let known = this.#names.get(key);
    if (!known) this.#names.set(key, (known = { global, offset: this.#decoder.offset }));
    this.#push(known.global);
  }

  #extension(code: number): void {
    if (code <= 0) throw new RangeError(`the extension code ${code}`);
    this.#global({ kind: 'global', module: 'copyreg', name: `extension ${code}` });
  }

  #call(callable: Value, args: Value, how: Call['how']): void {
    const global = namedBy(callable);
    const name = global.module ? `${global.module}.${global.name}` : global.name;
    const { offset } = this.#decoder;
    const known = this.#calls.get(name);
    if (known) known.count++;
    else this.#calls.set(name, { name, global, count: 1, offset });
    const isWanted = this.#observer.call?.({ offset, opcode: this.#opcode, global, args });
    this.#isEnded = isWanted === false;
    this.#push({ kind: 'call', callable, args, how });
  }
}

/** The name under which a callable is listed. */
function namedBy(callable: Value): Global {
  const named = isReferred(callable)
    ? callable.id.items.find((item) => item !== 'module')
    : callable;
  if (typeof named === 'object' && named?.kind === 'global') return named;
  return { kind: 'global', module: '', name: 'a value that the pickle computes' };
}

/** A class that comes by a persistent id, as files do which keep the class's source in it. */
function isReferred(value: Value): value is PersistentId & { id: Tuple } {
  if (typeof value !== 'object' || value?.kind !== 'persistent') return false;
  return (
    typeof value.id === 'object' && value.id?.kind === 'tuple' && value.id.items[0] !== 'storage'
  );
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
