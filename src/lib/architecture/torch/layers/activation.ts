/** Activations of `torch.nn`. */
import { activations, rrelu, signatureOf, type Activation } from '../functional/activation.ts';
import { fillConstant } from '../init.ts';
import type { Layer, Layers } from '../layer.ts';
import { maybeInPlace } from '../natives.ts';
import * as ops from '../ops/index.ts';

function layer(activation: Activation): Layer {
  return {
    signature: signatureOf(activation, ''),
    forward(call, self) {
      const x = call.tensor('input');
      const result = activation.compute(x, self);
      return activation.inplace ? maybeInPlace(self, x, result) : result;
    },
  };
}

export const layers: Layers = {
  CELU: layer(activations.celu),
  ELU: layer(activations.elu),
  GELU: layer(activations.gelu),
  GLU: layer(activations.glu),
  Hardshrink: layer(activations.hardshrink),
  Hardsigmoid: layer(activations.hardsigmoid),
  Hardswish: layer(activations.hardswish),
  Hardtanh: layer(activations.hardtanh),
  Identity: { signature: '*args, **options', forward: (call) => call.tensor('input') },
  LeakyReLU: layer(activations.leaky_relu),
  LogSigmoid: layer(activations.logsigmoid),
  Mish: layer(activations.mish),
  PReLU: {
    signature: 'num_parameters=1, init=0.25, device=None, dtype=None',
    build({ given, parameter }) {
      parameter('weight', [given.size('num_parameters', 1)]);
    },
    reset: (self) => fillConstant(self.tensor('weight'), self.float('init')),
    forward: (call, self) => ops.prelu(call.tensor('input'), self.tensor('weight')),
  },
  ReLU: layer(activations.relu),
  ReLU6: layer(activations.relu6),
  RReLU: {
    signature: 'lower=0.125, upper=0.3333333333333333, inplace=False',
    forward(call, self) {
      const x = call.tensor('input');
      return maybeInPlace(self, x, rrelu(x, self, self.bool('training')));
    },
  },
  SELU: layer(activations.selu),
  SiLU: layer(activations.silu),
  Sigmoid: layer(activations.sigmoid),
  Softplus: layer(activations.softplus),
  Softshrink: layer(activations.softshrink),
  Softsign: layer(activations.softsign),
  Tanh: layer(activations.tanh),
  Tanhshrink: layer(activations.tanhshrink),
  Threshold: layer(activations.threshold),
};
