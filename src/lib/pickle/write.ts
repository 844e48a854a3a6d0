/**
 * Writes values as a pickle of protocol 2 with only those opcodes that PyTorch's `weights_only`
 * unpickler reads (torch/_weights_only_unpickler.py). Like the reader it knows nothing of torch:
 * tensors and other things with a meaning are turned into calls and persistent ids before.
 *
 * Objects are memoised by identity, so what is shared in memory is shared in the file, and a list
 * may contain itself. The walk keeps its own stack: nesting costs memory, not a crash.
 */
import type { ObjectValue, Value } from '#lib/checkpoint/value.ts';
import { encodeLong, encodeUtf8 } from './bytes.ts';
import { opcodes as op } from './opcodes.ts';

const PROTOCOL = 2;
/** LONG1's length is one byte; longer integers need LONG4, which `weights_only` refuses. */
const MAX_LONG_BYTES = 255;

type Step = Value | (() => unknown);

/** Pickles `root`. Throws an Error for values that protocol 2 and `weights_only` have no form for. */
export function writePickle(root: Value): Uint8Array<ArrayBuffer> {
  const out = new ByteBuilder();
  const memo = new Map<ObjectValue | string, number>();
  /** Tuples and calls whose parts are being written; meeting one again is a cycle. */
  const open = new Set<ObjectValue>();
  const work: Step[] = [root];

  const memoise = (value: ObjectValue | string) => {
    const index = memo.size;
    memo.set(value, index);
    if (index < 256) out.u8(op.BINPUT, index);
    else out.u8(op.LONG_BINPUT).u32(index);
  };
  const recall = (index: number) => {
    if (index < 256) out.u8(op.BINGET, index);
    else out.u8(op.LONG_BINGET).u32(index);
  };
  const mark = () => out.u8(op.MARK);
  /** Schedules steps to run in the order given, before everything that waits already. */
  const then = (steps: readonly Step[]) => {
    for (let index = steps.length - 1; index >= 0; index--) work.push(steps[index]!);
  };
  const openOnce = (value: ObjectValue) => {
    if (open.has(value)) throw new Error(`pickle: a ${value.kind} contains itself`);
    open.add(value);
  };

  const writeObject = (value: ObjectValue): void => {
    switch (value.kind) {
      case 'list':
        out.u8(op.EMPTY_LIST);
        memoise(value);
        if (value.items.length === 0) return;
        return then([mark, ...value.items, () => out.u8(op.APPENDS)]);
      case 'dict':
        if (value.type !== 'dict' || value.attributes !== null) {
          throw new Error(`pickle: a ${value.type} must be written as a call`);
        }
        out.u8(op.EMPTY_DICT);
        memoise(value);
        return setItems([...value.entries()]);
      case 'tuple': {
        if (value.type !== 'tuple')
          throw new Error(`pickle: ${value.type} must be written as a call`);
        const count = value.items.length;
        if (count === 0) return void out.u8(op.EMPTY_TUPLE);
        openOnce(value);
        if (count > 3) out.u8(op.MARK);
        const code = count > 3 ? op.TUPLE : [op.TUPLE1, op.TUPLE2, op.TUPLE3][count - 1]!;
        return then([
          ...value.items,
          () => {
            out.u8(code);
            memoise(value);
            open.delete(value);
          },
        ]);
      }
      case 'call':
        openOnce(value);
        return then([
          value.callable,
          value.args,
          () => {
            out.u8(value.how === 'new' ? op.NEWOBJ : op.REDUCE);
            memoise(value);
            open.delete(value);
          },
          ...(value.appended?.length ? [mark, ...value.appended, () => out.u8(op.APPENDS)] : []),
          () => setItems(value.entries ?? []),
          ...(value.state === undefined ? [] : [value.state, () => out.u8(op.BUILD)]),
        ]);
      case 'global':
        if (/\n/.test(value.module + value.name)) {
          throw new Error('pickle: a name holds a line break');
        }
        out.u8(op.GLOBAL).raw(encodeUtf8(`${value.module}\n${value.name}\n`));
        return memoise(value);
      case 'persistent':
        return then([value.id, () => out.u8(op.BINPERSID)]);
      case 'bytes':
      case 'set':
      case 'complex':
      case 'tensor':
      case 'sparse':
        throw new Error(`pickle: protocol ${PROTOCOL} has no opcode for ${value.kind}`);
      default:
        value satisfies never;
    }
  };

  const setItems = (entries: [Value, Value][]) => {
    if (entries.length === 0) return;
    then([mark, ...entries.flat(), () => out.u8(op.SETITEMS)]);
  };

  const writeString = (text: string) => {
    const bytes = encodeUtf8(text);
    out.u8(op.BINUNICODE).u32(bytes.length).raw(bytes);
    memoise(text);
  };

  out.u8(op.PROTO, PROTOCOL);
  while (work.length > 0) {
    const step = work.pop() as Step;
    if (typeof step === 'function') step();
    else if (step === null) out.u8(op.NONE);
    else if (typeof step === 'boolean') out.u8(step ? op.NEWTRUE : op.NEWFALSE);
    else if (typeof step === 'number') out.u8(op.BINFLOAT).f64(step);
    else if (typeof step === 'bigint') writeInt(out, step);
    else {
      const index = memo.get(step);
      if (index !== undefined) recall(index);
      else if (typeof step === 'string') writeString(step);
      else writeObject(step);
    }
  }
  return out.u8(op.STOP).finish();
}

function writeInt(out: ByteBuilder, value: bigint): void {
  if (value >= 0n && value < 256n) {
    out.u8(op.BININT1, Number(value));
  } else if (value >= 0n && value < 65536n) {
    out.u8(op.BININT2).u16(Number(value));
  } else if (BigInt.asIntN(32, value) === value) {
    out.u8(op.BININT).i32(Number(value));
  } else {
    const bytes = encodeLong(value);
    if (bytes.length > MAX_LONG_BYTES) {
      throw new Error(`pickle: an int of ${bytes.length} bytes is longer than weights_only reads`);
    }
    out.u8(op.LONG1, bytes.length).raw(bytes);
  }
}

/** Bytes that grow by doubling. */
class ByteBuilder {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  #reserve(size: number): number {
    const at = this.#at;
    this.#at += size;
    if (this.#at > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#at, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
  u8(...values: number[]): this {
    const at = this.#reserve(values.length);
    values.forEach((value, index) => this.#view.setUint8(at + index, value));
    return this;
  }
  u16(value: number): this {
    const at = this.#reserve(2);
    this.#view.setUint16(at, value, true);
    return this;
  }
  u32(value: number): this {
    const at = this.#reserve(4);
    this.#view.setUint32(at, value, true);
    return this;
  }
  i32(value: number): this {
    const at = this.#reserve(4);
    this.#view.setInt32(at, value, true);
    return this;
  }
  f64(value: number): this {
    const at = this.#reserve(8);
    this.#view.setFloat64(at, value, false);
    return this;
  }
  raw(bytes: Uint8Array): this {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#at);
  }
}
