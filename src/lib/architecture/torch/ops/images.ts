/** What ops over images, sounds and volumes have in common: (N, C, …), or (C, …) without a batch. */
import { raised } from '../../python/errors.ts';
import { demandFloat } from '../emit.ts';
import { shapeText, type PyTensor } from '../tensor.ts';
import { reshape } from './shape.ts';

/** Axes behind the channels. */
export type Rank = 1 | 2 | 3;

const axes = { 1: 'L', 2: 'H, W', 3: 'D, H, W' } as const;

/** Runs an op of batches; an input without a batch axis is a batch of one on the way. */
export function inBatches(
  what: string,
  x: PyTensor,
  rank: Rank,
  run: (x: PyTensor) => PyTensor,
): PyTensor {
  demandFloat(what, x);
  if (x.shape.length === rank + 2) return run(x);
  if (x.shape.length === rank + 1) {
    const output = run(reshape(x, [1, ...x.shape], what));
    return reshape(output, output.shape.slice(1), what);
  }
  throw raised(
    'RuntimeError',
    `${what}: input has shape ${shapeText(x.shape)}, (N, C, ${axes[rank]}) or (C, ${axes[rank]}) is needed`,
  );
}
