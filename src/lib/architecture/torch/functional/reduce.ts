/** Reductions, as functions and as methods. */
import { unsupported } from '../../python/errors.ts';
import type { Given } from '../arguments.ts';
import type { Functions } from '../natives.ts';
import * as ops from '../ops/index.ts';

/** A dim that may be None. */
export function optionalDim(given: Given): number | null {
  return given.value('dim') === null ? null : given.int('dim');
}

/** `dtype=` of softmax: a cast that is none here. */
function sameDtype(given: Given): void {
  if (given.value('dtype') !== null) throw unsupported('softmax with a dtype is not supported');
}

export const functional: Functions = {
  softmax: [
    'input, dim=None, _stacklevel=3, dtype=None',
    (given) => {
      sameDtype(given);
      return ops.softmax('softmax', given.tensor('input'), optionalDim(given));
    },
  ],
  log_softmax: [
    'input, dim=None, _stacklevel=3, dtype=None',
    (given) => {
      sameDtype(given);
      return ops.softmax('log_softmax', given.tensor('input'), optionalDim(given));
    },
  ],
};

/** Functions that `torch` and tensors have in common; a tensor leaves `input` out. */
export const tensor: Functions = {
  softmax: [
    'input, dim, dtype=None',
    (given) => {
      sameDtype(given);
      return ops.softmax('softmax', given.tensor('input'), given.int('dim'));
    },
  ],
  log_softmax: [
    'input, dim, dtype=None',
    (given) => {
      sameDtype(given);
      return ops.softmax('log_softmax', given.tensor('input'), given.int('dim'));
    },
  ],
};
