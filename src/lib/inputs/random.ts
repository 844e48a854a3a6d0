/** Seeded randomness on the host: the same seed gives the same order and the same numbers. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { mersenne } from 'pure-rand/generator/mersenne';

/**
 * Numbers from 0 to 1, the first of them as random as the later ones: people take small seeds, and
 * pure-rand's xoroshiro128+ begins with nearly 1 for each of those. Mersenne Twister is torch's
 * generator on the CPU, too; the sequence is not torch's.
 */
export function uniform(seed: number): () => number {
  const generator = mersenne(seed);
  return () => uniformFloat64(generator);
}

/** The numbers 0 … count − 1 in a random order (Fisher-Yates). */
export function permutation(count: number, seed: number): Uint32Array {
  const generator = mersenne(seed);
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let at = count - 1; at > 0; at--) {
    const other = uniformInt(generator, 0, at);
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order;
}

/** Integers from 0 to `below` − 1, each as likely as the other. */
export function integers(count: number, below: number, seed: number): Int32Array<ArrayBuffer> {
  const generator = mersenne(seed);
  return Int32Array.from({ length: count }, () => uniformInt(generator, 0, below - 1));
}

/** Standard normal numbers (Box-Muller), as `torch.randn` draws them; not torch's own sequence. */
export function normal(count: number, seed: number): Float32Array<ArrayBuffer> {
  const draw = uniform(seed);
  const values = new Float32Array(count);
  for (let at = 0; at < count; at += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - draw()));
    const angle = 2 * Math.PI * draw();
    values[at] = radius * Math.cos(angle);
    if (at + 1 < count) values[at + 1] = radius * Math.sin(angle);
  }
  return values;
}
