/** Rows of activations, as functions, in place and as layers. */
import { row } from './rows.ts';

const kinks = { shape: [9], values: [-7, -3, -1, -0.5, 0, 0.5, 1, 3, 7] } as const;
const x = { x: [2, 3, 4] } as const;

/** An activation as a function at its kinks, and as a layer in three axes. */
const both = (call: string, layer: string) => [
  row(call, { x: kinks }),
  row('self.m(x)', x, { init: `self.m = nn.${layer}` }),
];

export const activations = [
  ...both('F.relu(x)', 'ReLU()'),
  ...both('F.relu6(x)', 'ReLU6()'),
  row('F.relu6(x)', { x: { shape: [3], values: [0, 6, 5] } }),
  ...both('F.leaky_relu(x, 0.2)', 'LeakyReLU()'),
  ...both('F.elu(x, 0.7)', 'ELU(1.3)'),
  ...both('F.celu(x, 1.3)', 'CELU(0.6)'),
  ...both('F.selu(x)', 'SELU()'),
  ...both('F.gelu(x)', 'GELU()'),
  ...both('F.gelu(x, approximate="tanh")', "GELU(approximate='tanh')"),
  ...both('F.silu(x)', 'SiLU()'),
  ...both('F.mish(x)', 'Mish()'),
  ...both('F.softplus(x)', 'Softplus(beta=2, threshold=1)'),
  ...both('F.softsign(x)', 'Softsign()'),
  ...both('F.tanhshrink(x)', 'Tanhshrink()'),
  ...both('F.hardtanh(x)', 'Hardtanh(-0.3, 0.6)'),
  ...both('F.hardswish(x)', 'Hardswish()'),
  ...both('F.hardsigmoid(x)', 'Hardsigmoid()'),
  ...both('F.hardshrink(x)', 'Hardshrink(0.3)'),
  ...both('F.softshrink(x)', 'Softshrink(0.3)'),
  ...both('F.threshold(x, 0.5, -2)', 'Threshold(-0.1, 0.3)'),
  ...both('F.logsigmoid(x)', 'LogSigmoid()'),
  ...both('F.sigmoid(x) + F.tanh(x)', 'Sequential(nn.Sigmoid(), nn.Tanh())'),
  ...both('F.rrelu(x)', 'RReLU(0.1, 0.3)'),
  row('F.prelu(x, w)', { x: [2, 3, 4, 5], w: [3] }),
  row('F.prelu(x, w)', { x: kinks, w: [1] }),
  row('self.m(x)', { x: [2, 3, 4] }, { init: 'self.m = nn.PReLU(3)' }),
  row(
    'self.m(self.c(x))',
    { x: [1, 2, 4, 4] },
    {
      init: 'self.c = nn.Conv2d(2, 3, 3)\nself.m = nn.PReLU(3)',
    },
  ),
  row('F.glu(x)', { x: [2, 3, 4] }),
  row('self.m(x)', { x: [2, 4, 3, 2] }, { init: 'self.m = nn.GLU(1)' }),
  row(
    'y = x + 0\nF.relu_(y)\nz = x * 2\nF.leaky_relu(z, 0.1, inplace=True)\nreturn y + z + F.elu_(x * 3)',
    x,
  ),
  row('self.m(x + 0)', x, {
    init: 'self.m = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(4, 4), nn.SiLU(True))',
  }),
  row(
    'self.m(x) * 2 + (self.m(x) + 1).sigmoid_()',
    { x: [1, 2, 5, 5] },
    { init: 'self.m = nn.Conv2d(2, 3, 3)' },
  ),
];
