/**
 * torch's random numbers on the CPU: a Mersenne Twister, and the ways in which float32 tensors are
 * filled from it. The same seed gives PyTorch's sequence: uniform numbers bit for bit, normal ones up
 * to the last bits of log, sin and cos.
 */
import { mersenne } from 'pure-rand/generator/mersenne';

const { fround } = Math;

/** From this many elements on, PyTorch draws normal numbers in blocks of as many. */
const BLOCK = 16;

/** Above this share of the whole bell, trunc_normal_ draws from the bell and not from the interval. */
const MUCH_OF_THE_BELL = 0.3;

export class Generator {
  readonly #twister: ReturnType<typeof mersenne>;
  /** The second of a pair of normal numbers, which the next single one takes. */
  #spare: number | null = null;

  /** `torch.manual_seed(seed)`, of which the lowest 32 bits count. */
  constructor(seed: bigint) {
    this.#twister = mersenne(Number(BigInt.asUintN(32, seed)));
  }

  #word(): number {
    return this.#twister.next() >>> 0;
  }

  /** 53 bits between 0 and 1. */
  #double(): number {
    const high = this.#word();
    return ((high & 0x1fffff) * 2 ** 32 + this.#word()) / 2 ** 53;
  }

  /** Goes past `count` uniform numbers. */
  skip(count: number): void {
    for (let at = 0; at < count; at++) this.#twister.next();
  }

  /** `uniform_(low, high)`: 24 bits of each draw. */
  uniform(count: number, low: number, high: number): Float32Array<ArrayBuffer> {
    const from = fround(low);
    const width = fround(fround(high) - from);
    const values = new Float32Array(count);
    for (let at = 0; at < count; at++) {
      values[at] = ((this.#twister.next() & 0xffffff) / 2 ** 24) * width + from;
    }
    return values;
  }

  /** `normal_(mean, std)`; elements that do not lie in order are drawn one by one. */
  normal(count: number, mean: number, std: number, isInOrder = true): Float32Array<ArrayBuffer> {
    if (count < BLOCK || !isInOrder) {
      return Float32Array.from({ length: count }, () => this.#single() * std + mean);
    }
    const values = this.uniform(count, 0, 1);
    const tail = count % BLOCK;
    for (let at = 0; at < count - tail; at += BLOCK) turn(values, at, mean, std);
    if (tail > 0) {
      // The last block begins earlier, and all of it is drawn anew.
      values.set(this.uniform(BLOCK, 0, 1), count - BLOCK);
      turn(values, count - BLOCK, mean, std);
    }
    return values;
  }

  /** Goes past what `normal` would draw. */
  skipNormal(count: number, isInOrder: boolean): void {
    if (count < BLOCK || !isInOrder) for (let at = 0; at < count; at++) this.#single();
    else this.skip(count + (count % BLOCK > 0 ? BLOCK : 0));
  }

  /** A standard normal number by the polar coordinates of a pair (Box-Muller), in doubles. */
  #single(): number {
    if (this.#spare !== null) {
      const spare = this.#spare;
      this.#spare = null;
      return spare;
    }
    const angle = 2 * Math.PI * this.#double();
    const radius = Math.sqrt(-2 * Math.log1p(-this.#double()));
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /**
   * `nn.init.trunc_normal_` of PyTorch 2.13 (earlier ones draw otherwise): draws until every number
   * lies between low and high. Where that is much of the bell, normal numbers are drawn, else uniform
   * ones that are kept as often as the bell is high.
   */
  truncatedNormal(
    count: number,
    { mean, std, low, high, share }: TruncatedNormal,
  ): Float32Array<ArrayBuffer> {
    if (share > MUCH_OF_THE_BELL) {
      const values = this.normal(count, mean, std);
      const [least, most] = [fround(low), fround(high)];
      for (;;) {
        const outside = places(values, (value) => value < least || value > most);
        if (outside.length === 0) return values;
        const drawn = this.normal(count, mean, std);
        for (const at of outside) values[at] = drawn[at]!;
      }
    }
    const peak = -0.5 * ((Math.max(low, Math.min(mean, high)) - mean) / std) ** 2;
    const values = this.uniform(count, low, high);
    let drawn = values;
    let pending = [...values.keys()];
    for (;;) {
      const accept = this.uniform(count, 0, 1);
      const candidates = drawn;
      pending = pending.filter((at) => {
        const away = fround(fround(candidates[at]! - fround(mean)) / fround(std));
        return (
          fround(Math.log(accept[at]!)) > fround(fround(fround(away ** 2) * -0.5) - fround(peak))
        );
      });
      if (pending.length === 0) return values;
      drawn = this.uniform(count, low, high);
      for (const at of pending) values[at] = drawn[at]!;
    }
  }

  /** `torch.randperm(count)`. */
  permutation(count: number): Float64Array<ArrayBuffer> {
    const order = Float64Array.from({ length: count }, (_, at) => at);
    for (let at = 0; at < count - 1; at++) {
      const other = at + (this.#word() % (count - at));
      [order[at], order[other]] = [order[other]!, order[at]!];
    }
    return order;
  }

  /** `torch.randint(low, high)`: whole numbers below `high`. */
  integers(count: number, low: number, high: number): Float64Array<ArrayBuffer> {
    return Float64Array.from({ length: count }, () => low + (this.#word() % (high - low)));
  }
}

export interface TruncatedNormal {
  readonly mean: number;
  readonly std: number;
  readonly low: number;
  readonly high: number;
  /** Of the bell between low and high. */
  readonly share: number;
}

/** Makes 8 pairs of uniform numbers normal, in float32 as PyTorch does. */
function turn(values: Float32Array, start: number, mean: number, std: number): void {
  const [center, width] = [fround(mean), fround(std)];
  for (let at = start; at < start + BLOCK / 2; at++) {
    const radius = fround(Math.sqrt(fround(-2 * fround(Math.log(fround(1 - values[at]!))))));
    const angle = fround(2 * Math.PI * values[at + BLOCK / 2]!);
    values[at] = fround(fround(radius * fround(Math.cos(angle))) * width) + center;
    values[at + BLOCK / 2] = fround(fround(radius * fround(Math.sin(angle))) * width) + center;
  }
}

function places(values: Float32Array, test: (value: number) => boolean): number[] {
  const found: number[] = [];
  values.forEach((value, at) => {
    if (test(value)) found.push(at);
  });
  return found;
}
