/** Activations, as functions of `torch.nn.functional` and of tensors. */
import { unsupported } from '../../python/errors.ts';
import type { Given } from '../arguments.ts';
import { maybeInPlace, type Function, type Functions } from '../natives.ts';
import * as ops from '../ops/index.ts';
import type { PyTensor } from '../tensor.ts';

/** An activation's arguments after `input`, and how it is worked out. */
export interface Activation {
  readonly signature: string;
  /** True where PyTorch has the argument `inplace`. */
  readonly inplace?: true;
  readonly compute: (x: PyTensor, given: Given) => PyTensor;
}

const plain = (op: (typeof ops.plainActivations)[number], inplace?: true): Activation => ({
  signature: '',
  ...(inplace && { inplace }),
  compute: (x) => ops.activation(op, x),
});

/** By their names in `torch.nn.functional`. */
export const activations = {
  celu: {
    signature: 'alpha=1.0',
    inplace: true,
    compute: (x, given) => ops.elu('celu', x, given.float('alpha')),
  },
  elu: {
    signature: 'alpha=1.0',
    inplace: true,
    compute: (x, given) => ops.elu('elu', x, given.float('alpha')),
  },
  gelu: {
    signature: "approximate='none'",
    compute: (x, given) => ops.gelu(x, given.word('approximate', ['none', 'tanh'])),
  },
  glu: { signature: 'dim=-1', compute: (x, given) => ops.glu(x, given.int('dim')) },
  hardshrink: {
    signature: 'lambd=0.5',
    compute: (x, given) => ops.shrink('hardshrink', x, given.float('lambd')),
  },
  hardsigmoid: plain('hardsigmoid', true),
  hardswish: plain('hardswish', true),
  hardtanh: {
    signature: 'min_val=-1.0, max_val=1.0',
    inplace: true,
    compute: (x, given) => ops.hardtanh(x, given.float('min_val'), given.float('max_val')),
  },
  leaky_relu: {
    signature: 'negative_slope=0.01',
    inplace: true,
    compute: (x, given) => ops.leakyRelu(x, given.float('negative_slope')),
  },
  logsigmoid: plain('logsigmoid'),
  mish: plain('mish', true),
  relu: { signature: '', inplace: true, compute: (x) => ops.relu(x) },
  relu6: { signature: '', inplace: true, compute: (x) => ops.relu6(x) },
  selu: plain('selu', true),
  sigmoid: { signature: '', compute: (x) => ops.floatFunction('sigmoid', x) },
  silu: plain('silu', true),
  softplus: {
    signature: 'beta=1.0, threshold=20.0',
    compute: (x, given) => ops.softplus(x, given.float('beta'), given.float('threshold')),
  },
  softshrink: {
    signature: 'lambd=0.5',
    compute: (x, given) => ops.shrink('softshrink', x, given.float('lambd')),
  },
  softsign: plain('softsign'),
  tanh: { signature: '', compute: (x) => ops.floatFunction('tanh', x) },
  tanhshrink: plain('tanhshrink'),
  threshold: {
    signature: 'threshold, value',
    inplace: true,
    compute: (x, given) => ops.threshold(x, given.float('threshold'), given.float('value')),
  },
} satisfies Record<string, Activation>;

/** `input, alpha=1.0, inplace=False` */
export function signatureOf({ signature, inplace }: Activation, first = 'input'): string {
  return [first, signature, inplace && 'inplace=False'].filter(Boolean).join(', ');
}

function asFunction(activation: Activation): Function {
  return [
    signatureOf(activation),
    (given) => {
      const x = given.tensor('input');
      const result = activation.compute(x, given);
      return activation.inplace ? maybeInPlace(given, x, result) : result;
    },
  ];
}

/** `relu_(x)` */
function inPlace(activation: Activation): Function {
  return [
    signatureOf({ signature: activation.signature, compute: activation.compute }),
    (given) => {
      const x = given.tensor('input');
      x.become(activation.compute(x, given));
      return x;
    },
  ];
}

const prelu: Function = [
  'input, weight',
  (given) => ops.prelu(given.tensor('input'), given.tensor('weight')),
];

export const functional: Functions = {
  ...Object.fromEntries(
    Object.entries(activations).map(([name, activation]) => [name, asFunction(activation)]),
  ),
  ...Object.fromEntries(
    (['celu', 'elu', 'hardtanh', 'leaky_relu', 'relu', 'selu', 'threshold'] as const).map(
      (name) => [`${name}_`, inPlace(activations[name])],
    ),
  ),
  prelu,
  rrelu: [
    'input, lower=0.125, upper=0.3333333333333333, training=False, inplace=False',
    (given) => {
      const x = given.tensor('input');
      return maybeInPlace(given, x, rrelu(x, given, given.bool('training')));
    },
  ],
};

/** Leaky in evaluation; in training the slopes would be random. */
export function rrelu(x: PyTensor, given: Given, training: boolean): PyTensor {
  if (training) throw unsupported('rrelu in training is not supported');
  return ops.leakyRelu(x, (given.float('lower') + given.float('upper')) / 2);
}

/** Those that `torch` and tensors have, too; sigmoid and tanh are functions of single elements. */
export const tensor: Functions = {
  celu: functional.celu!,
  hardshrink: functional.hardshrink!,
  prelu,
  relu: ['input', (given) => ops.relu(given.tensor('input'))],
  relu_: functional.relu_!,
  selu: ['input', (given) => ops.activation('selu', given.tensor('input'))],
  threshold: functional.threshold!,
};
