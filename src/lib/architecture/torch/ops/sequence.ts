/** Dropout, of elements and of channels. */
import { raised } from '../../python/errors.ts';
import { demandFloat, emit } from '../emit.ts';
import { shapeText, type PyTensor } from '../tensor.ts';

/** Not in training, PyTorch returns the input itself: the two may share memory. */
export function dropout(x: PyTensor, p: number, training: boolean): PyTensor {
  check('dropout', x, p);
  return emit('dropout', [x], { p, training }, x.shape, x.dtype, { memory: x.memory });
}

/** Drops whole channels; `lead` axes are kept apart: batch and channel, or the channel alone. */
export function featureDropout(x: PyTensor, p: number, training: boolean, lead: number): PyTensor {
  check('feature_dropout', x, p);
  if (x.shape.length < 2) {
    throw raised('RuntimeError', `feature_dropout: the input has shape ${shapeText(x.shape)}`);
  }
  const attrs = { p, training, lead };
  return emit('feature_dropout', [x], attrs, x.shape, x.dtype, { memory: x.memory });
}

/** Elements, or with `lead` whole channels. */
export function alphaDropout(
  x: PyTensor,
  p: number,
  training: boolean,
  lead: number | null,
): PyTensor {
  check('alpha_dropout', x, p);
  const attrs = { p, training, lead };
  return emit('alpha_dropout', [x], attrs, x.shape, x.dtype, { memory: x.memory });
}

function check(what: string, x: PyTensor, p: number): void {
  demandFloat(what, x);
  if (p >= 0 && p <= 1) return;
  throw raised('ValueError', `${what}: the probability has to be between 0 and 1, not ${p}`);
}
