/**
 * Numbers that the source itself makes (`torch.arange(n)`, a causal mask, RoPE's angles). They are
 * worked out on the host, when somebody asks: most masks are buffers of the checkpoint, and then
 * nobody does. Values are doubles whatever the dtype, rounded to it after every op, so int64 is
 * exact up to 2⁵³ and float32 is what PyTorch computes, give or take the last bit of exp or sin.
 *
 * First values of parameters and buffers come about in the same way, from numbers that the source
 * draws too. Such values are not known until the run has a seed; nothing in a graph depends on them.
 */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import type { Init } from '../graph.ts';
import { Refusal } from '../python/errors.ts';
import { isOwn, type Interpreter } from '../python/interpreter.ts';
import type { Draw } from './draws.ts';

/**
 * Elements worked out in one run, 8 bytes each. The tables of a model with 4096 positions and 128
 * angles take half a million; a mask of 4096 × 4096 takes 16 million, and as many before triu cuts
 * it. The limit is reached in about a second and a half.
 */
const maxHostElements = 2 ** 25;

/**
 * Elements worked out of random numbers for first values, 512 MB of doubles. The embedding of RoBERTa,
 * drawn and with the padding's row set to zero, takes 39 million; numbers as they are drawn take none.
 */
const maxDrawnElements = 2 ** 26;

/** What the runs of one interpreter have used of them. */
const used = new WeakMap<Interpreter, { known: number; drawn: number }>();

/** Of a float32 tensor, or doubles. */
export type Numbers = Float32Array | Float64Array;

/** What `HostValue` is told beside its numbers. */
export interface HostOptions {
  /** The values that it is worked out of. */
  readonly from?: readonly (HostValue | null)[];
  readonly draw?: Draw;
  /** How it came about: worked out, where nothing is said; null where a file brought it. */
  readonly init?: Init | null;
  /** Nobody knows the numbers. */
  readonly isUnknown?: boolean;
}

export class HostValue {
  readonly shape: readonly number[];
  readonly dtype: Dtype;
  readonly init: Init | null;
  /** False where random numbers are needed, or what is not worked out here. */
  readonly isKnown: boolean;
  readonly draw: Draw | null;
  readonly #interpreter: Interpreter;
  #compute: (() => Numbers) | null;
  /** Those of its inputs that are not known. */
  readonly #from: readonly HostValue[];
  #data: Float64Array | null = null;

  /** `compute` gives numel(shape) numbers in row-major order; its array may be kept. */
  constructor(
    interpreter: Interpreter,
    shape: readonly number[],
    dtype: Dtype,
    compute: () => Numbers,
    { from = [], draw, init = { kind: 'computed' }, isUnknown = false }: HostOptions = {},
  ) {
    this.#interpreter = interpreter;
    this.shape = shape;
    this.dtype = dtype;
    this.#compute = compute;
    this.#from = from.filter((value) => value !== null && !value.isKnown) as HostValue[];
    this.draw = draw ?? null;
    this.init = this.#from.find((value) => value.init?.kind === 'unknown')?.init ?? init;
    this.isKnown = !draw && !isUnknown && this.#from.length === 0;
  }

  /**
   * Numbers that are refused with a reason and the line when somebody asks for them: nobody knows
   * them (`isUnknown`), or they are not there yet and may be replaced before.
   */
  static refused(
    interpreter: Interpreter,
    shape: readonly number[],
    dtype: Dtype,
    what: string,
    isUnknown = true,
  ): HostValue {
    const frame = interpreter.frames.findLast(isOwn);
    const where = frame && `${frame.file} line ${frame.line}`;
    const refuse = (): never => {
      throw new Refusal('python-unsupported', what, where);
    };
    const init = { kind: 'unknown', reason: where ? `${what} (${where})` : what } as const;
    return new HostValue(interpreter, shape, dtype, refuse, { init, isUnknown });
  }

  /** Adds the draws that its numbers take. Every value is looked at once. */
  collectDraws(into: Set<Draw>, seen: Set<HostValue>): void {
    const open: HostValue[] = [this];
    for (let value = open.pop(); value; value = open.pop()) {
      if (seen.has(value)) continue;
      seen.add(value);
      if (value.draw) into.add(value.draw);
      else open.push(...value.#from);
    }
  }

  /** The numbers as doubles. They are shared: nobody may write into them. */
  get data(): Float64Array {
    if (this.#data) return this.#data;
    this.#count();
    const numbers = this.#compute!();
    this.#compute = null;
    const data = numbers instanceof Float64Array ? numbers : Float64Array.from(numbers);
    return (this.#data = roundTo(data, this.dtype));
  }

  /** The numbers as they come, which are not kept for the next one who asks. */
  numbers(): Numbers {
    return this.draw && this.#compute ? this.#compute() : this.data;
  }

  /** Counts what it takes against the budget. */
  #count(): void {
    if (this.draw) return;
    const count = numel(this.shape);
    const totals = used.get(this.#interpreter) ?? { known: 0, drawn: 0 };
    used.set(this.#interpreter, totals);
    const total = (totals[this.isKnown ? 'known' : 'drawn'] += count);
    const most = this.isKnown ? maxHostElements : maxDrawnElements;
    if (total > most) {
      throw new Refusal(
        'python-budget',
        `tensors of ${total} elements in all that the source makes itself, at most ${most} are possible`,
      );
    }
    this.#interpreter.step(Math.ceil(count / 64));
  }
}

const ranges: Partial<Record<Dtype, readonly [low: number, high: number]>> = {
  uint8: [0, 2 ** 8],
  int8: [-(2 ** 7), 2 ** 7],
  int16: [-(2 ** 15), 2 ** 15],
  int32: [-(2 ** 31), 2 ** 31],
};

/** Rounds in place where the dtype holds less than a double. */
function roundTo(data: Float64Array, dtype: Dtype): Float64Array {
  switch (dtype) {
    case 'float64':
      return data;
    case 'float32':
      return mapped(data, Math.fround);
    case 'bool':
      return mapped(data, (value) => (value !== 0 ? 1 : 0));
    case 'int64':
      if (data.every((value) => Number.isSafeInteger(value))) return data;
      throw new Refusal('python-unsupported', 'an int64 beyond 2**53 is not supported');
    default: {
      const range = ranges[dtype];
      if (!range) throw new Refusal('python-unsupported', `${dtype} tensors are not computed here`);
      const [low, high] = range;
      const size = high - low;
      return mapped(data, (value) => {
        const wrapped = (((value - low) % size) + size) % size;
        return wrapped + low;
      });
    }
  }
}

function mapped(data: Float64Array, change: (value: number) => number): Float64Array {
  return data.some((value) => !Object.is(change(value), value)) ? data.map(change) : data;
}
