/** Linear and bilinear layers of `torch.nn`. */
import { fillUniform, linearDefaults } from '../init.ts';
import type { Layers } from '../layer.ts';
import * as ops from '../ops/index.ts';

export const layers: Layers = {
  Linear: {
    signature: 'in_features, out_features, bias=True, device=None, dtype=None',
    build({ given, parameter }) {
      const [inputs, outputs] = [given.size('in_features'), given.size('out_features')];
      parameter('weight', [outputs, inputs]);
      parameter('bias', given.bool('bias') ? [outputs] : null);
    },
    reset: (self) => linearDefaults(self.tensor('weight'), self.held('bias')),
    forward: (call, self) =>
      ops.linear(call.tensor('input'), self.tensor('weight'), self.tensorOrNone('bias')),
  },
  Bilinear: {
    signature: 'in1_features, in2_features, out_features, bias=True, device=None, dtype=None',
    call: 'input1, input2',
    build({ given, parameter }) {
      const [in1, in2] = [given.size('in1_features', 1), given.size('in2_features')];
      const outputs = given.size('out_features');
      parameter('weight', [outputs, in1, in2]);
      parameter('bias', given.bool('bias') ? [outputs] : null);
    },
    reset(self) {
      const bound = 1 / Math.sqrt(self.size('in1_features', 1));
      fillUniform(self.tensor('weight'), -bound, bound);
      const bias = self.held('bias');
      if (bias) fillUniform(bias, -bound, bound);
    },
    forward: (call, self) =>
      ops.bilinear(
        call.tensor('input1'),
        call.tensor('input2'),
        self.tensor('weight'),
        self.tensorOrNone('bias'),
      ),
  },
};
