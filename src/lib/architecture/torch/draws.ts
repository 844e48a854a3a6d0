/**
 * The random numbers that a source asks for while it builds its model, in its order. They are only
 * noted then; with a seed they are drawn one after the other, as PyTorch would have drawn them after
 * `torch.manual_seed(seed)`, and those that somebody needs are kept.
 */
import { Refusal } from '../python/errors.ts';
import { Generator, type TruncatedNormal } from './generator.ts';

export type Distribution =
  | { readonly kind: 'uniform'; readonly low: number; readonly high: number }
  | {
      readonly kind: 'normal';
      readonly mean: number;
      readonly std: number;
      /** False for a view whose elements do not lie in order. */
      readonly isInOrder: boolean;
    }
  | ({ readonly kind: 'trunc_normal' } & TruncatedNormal)
  | { readonly kind: 'integers'; readonly low: number; readonly high: number }
  | { readonly kind: 'permutation' };

export interface Draw {
  readonly count: number;
  readonly distribution: Distribution;
}

/** Of one run, those that nobody needs among them: a model of 1.5 billion parameters takes seconds. */
const maxDrawn = 2 ** 31;

export class Draws {
  /** A number stands for `torch.manual_seed`, null for the seed of the run. */
  readonly #log: (Draw | bigint | null)[] = [null];
  #values: ReadonlyMap<Draw, Float32Array | Float64Array> = new Map();

  note(count: number, distribution: Distribution): Draw {
    const draw = { count, distribution };
    this.#log.push(draw);
    return draw;
  }

  /** `torch.manual_seed`; null begins with the seed of the run. */
  reseed(seed: bigint | null): void {
    this.#log.push(seed);
  }

  /** Draws what is in `wanted`. */
  prepare(seed: bigint, wanted: ReadonlySet<Draw>): void {
    const values = new Map<Draw, Float32Array | Float64Array>();
    let generator = new Generator(seed);
    let total = 0;
    for (const entry of this.#log) {
      if (values.size === wanted.size) break;
      if (entry === null || typeof entry === 'bigint') {
        generator = new Generator(entry ?? seed);
        continue;
      }
      total += entry.count;
      if (total > maxDrawn) {
        const message = `more than ${maxDrawn} random numbers are drawn for first values`;
        throw new Refusal('python-budget', message);
      }
      if (wanted.has(entry)) values.set(entry, drawn(generator, entry));
      else skip(generator, entry);
    }
    this.#values = values;
  }

  /** The numbers of a draw that was prepared. They are shared: nobody may write into them. */
  of(draw: Draw): Float32Array | Float64Array {
    const values = this.#values.get(draw);
    if (!values) throw new Error('the draw was not prepared');
    return values;
  }
}

function drawn(generator: Generator, { count, distribution }: Draw): Float32Array | Float64Array {
  switch (distribution.kind) {
    case 'uniform':
      return generator.uniform(count, distribution.low, distribution.high);
    case 'normal': {
      const { mean, std, isInOrder } = distribution;
      return generator.normal(count, mean, std, isInOrder);
    }
    case 'trunc_normal':
      return generator.truncatedNormal(count, distribution);
    case 'integers':
      return generator.integers(count, distribution.low, distribution.high);
    case 'permutation':
      return generator.permutation(count);
    default:
      return distribution satisfies never;
  }
}

function skip(generator: Generator, draw: Draw): void {
  const { count, distribution } = draw;
  switch (distribution.kind) {
    case 'uniform':
    case 'integers':
      return generator.skip(count);
    case 'permutation':
      return generator.skip(Math.max(0, count - 1));
    case 'normal':
      return generator.skipNormal(count, distribution.isInOrder);
    case 'trunc_normal':
      // How many numbers that takes depends on the numbers.
      drawn(generator, draw);
      return;
    default:
      return distribution satisfies never;
  }
}
