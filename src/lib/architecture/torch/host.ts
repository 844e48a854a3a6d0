/**
 * Numbers that the source itself makes (`torch.arange(n)`, a causal mask, RoPE's angles). They are
 * worked out on the host, when somebody asks: most masks are buffers of the checkpoint, and then
 * nobody does. Values are doubles whatever the dtype, rounded to it after every op, so int64 is
 * exact up to 2⁵³ and float32 is what PyTorch computes, give or take the last bit of exp or sin.
 */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import { Refusal } from '../python/errors.ts';
import type { Interpreter } from '../python/interpreter.ts';

/**
 * Elements worked out in one run, 8 bytes each. The tables of a model with 4096 positions and 128
 * angles take half a million; a mask of 4096 × 4096 takes 16 million, and as many before triu cuts
 * it. The limit is reached in about a second and a half.
 */
const maxHostElements = 2 ** 25;

/** What the runs of one interpreter have used of it. */
const used = new WeakMap<Interpreter, number>();

export class HostValue {
  readonly shape: readonly number[];
  readonly dtype: Dtype;
  readonly #interpreter: Interpreter;
  #compute: (() => Float64Array) | null;
  #data: Float64Array | null = null;

  /** `compute` gives numel(shape) numbers in row-major order; its array may be kept. */
  constructor(
    interpreter: Interpreter,
    shape: readonly number[],
    dtype: Dtype,
    compute: () => Float64Array,
  ) {
    this.#interpreter = interpreter;
    this.shape = shape;
    this.dtype = dtype;
    this.#compute = compute;
  }

  /** The numbers. They are shared: nobody may write into them. */
  get data(): Float64Array {
    if (this.#data) return this.#data;
    const count = numel(this.shape);
    const total = (used.get(this.#interpreter) ?? 0) + count;
    if (total > maxHostElements) {
      throw new Refusal(
        'python-budget',
        `tensors of ${total} elements in all that the source makes itself, at most ${maxHostElements} are possible`,
      );
    }
    used.set(this.#interpreter, total);
    this.#interpreter.step(Math.ceil(count / 64));
    const data = this.#compute!();
    this.#compute = null;
    return (this.#data = roundTo(data, this.dtype));
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
