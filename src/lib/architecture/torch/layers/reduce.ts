/** Linear layers and softmax of `torch.nn`. */
import { optionalDim } from '../functional/reduce.ts';
import type { Layer, Layers } from '../layer.ts';
import * as ops from '../ops/index.ts';

const softmax = (op: 'softmax' | 'log_softmax'): Layer => ({
  signature: 'dim=None',
  forward: (call, self) => ops.softmax(op, call.tensor('input'), optionalDim(self)),
});

export const layers: Layers = {
  Linear: {
    signature: 'in_features, out_features, bias=True, device=None, dtype=None',
    build({ given, parameter }) {
      const [inputs, outputs] = [given.size('in_features'), given.size('out_features')];
      parameter('weight', [outputs, inputs]);
      parameter('bias', given.bool('bias') ? [outputs] : null);
    },
    forward: (call, self) =>
      ops.linear(call.tensor('input'), self.tensor('weight'), self.tensorOrNone('bias')),
  },
  Softmax: softmax('softmax'),
  LogSoftmax: softmax('log_softmax'),
};
