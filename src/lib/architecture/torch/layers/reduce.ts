/** Softmax of `torch.nn`. */
import { optionalDim } from '../functional/reduce.ts';
import type { Layer, Layers } from '../layer.ts';
import * as ops from '../ops/index.ts';

const softmax = (op: 'softmax' | 'log_softmax'): Layer => ({
  signature: 'dim=None',
  forward: (call, self) => ops.softmax(op, call.tensor('input'), optionalDim(self)),
});

export const layers: Layers = {
  Softmax: softmax('softmax'),
  LogSoftmax: softmax('log_softmax'),
};
