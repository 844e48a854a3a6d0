import type { Doubles } from '../numbers.ts';

/** Numbers that are taken together: they stay in the nearest cache while they are gone through often. */
export const BLOCK = 4096;

/** Filled and used up between two awaits. */
const block = new Float64Array(BLOCK);
const words = new Uint32Array(block.buffer);

/**
 * Numbers as doubles, block by block, and the same as words, of each double the lower before the
 * upper. `use` may change them, and must not ask for blocks itself.
 */
export function inBlocks(
  numbers: Doubles,
  use: (block: Float64Array, words: Uint32Array, length: number) => void,
): void {
  for (let at = 0; at < numbers.length; at += BLOCK) {
    const part = numbers.subarray(at, at + BLOCK);
    block.set(part);
    use(block, words, part.length);
  }
}
