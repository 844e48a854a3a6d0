/** Ops over tokens, and randomness. */
import { raised } from '../../python/errors.ts';
import { demandFloat, emit } from '../emit.ts';
import type { PyTensor } from '../tensor.ts';

/** Not in training, PyTorch returns the input itself: the two may share memory. */
export function dropout(x: PyTensor, p: number, training: boolean): PyTensor {
  demandFloat('dropout', x);
  if (!(p >= 0 && p <= 1)) {
    throw raised('ValueError', `dropout: the probability has to be between 0 and 1, not ${p}`);
  }
  return emit('dropout', [x], { p, training }, x.shape, x.dtype, { memory: x.memory });
}
