/** Softmax of `torch.nn`. */
import { raised } from '../../python/errors.ts';
import { optionalDim } from '../functional/reduce.ts';
import type { Layer, Layers } from '../layer.ts';
import * as ops from '../ops/index.ts';
import { shapeText } from '../tensor.ts';

const softmax = (op: 'softmax' | 'log_softmax'): Layer => ({
  signature: 'dim=None',
  forward: (call, self) => ops.softmax(op, call.tensor('input'), optionalDim(self)),
});

export const layers: Layers = {
  LogSoftmax: softmax('log_softmax'),
  Softmax: softmax('softmax'),
  Softmax2d: {
    signature: '',
    forward(call) {
      const x = call.tensor('input');
      if (x.shape.length === 3 || x.shape.length === 4) return ops.softmax('softmax', x, -3);
      throw raised('ValueError', `Softmax2d: input has shape ${shapeText(x.shape)}`);
    },
  },
  Softmin: {
    signature: 'dim=None',
    forward(call, self) {
      const negative = ops.dtypeKeeper('neg', call.tensor('input'));
      return ops.softmax('softmax', negative, optionalDim(self));
    },
  },
};
