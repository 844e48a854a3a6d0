/**
 * Methods that give a tensor new numbers: one number, or random ones. On a parameter they are first
 * values and change nothing, since the checkpoint brings others.
 */
import { numel } from '#lib/checkpoint/tensor.ts';
import { raised } from '../../python/errors.ts';
import type { Given } from '../arguments.ts';
import { random } from '../create/random.ts';
import { hostTensor } from '../emit.ts';
import { initialize } from '../initialize.ts';
import type { Method, Methods } from '../natives.ts';
import * as ops from '../ops/index.ts';
import { isInteger } from '../promotion.ts';
import type { PyTensor } from '../tensor.ts';

function filling(
  name: string,
  signature: string,
  make: (self: PyTensor, given: Given) => PyTensor,
): [string, Method] {
  const body: Method[1] = (self, given) => {
    if (self.isParameter) return initialize(self, name);
    self.become(make(self, given));
    return self;
  };
  return [name, [signature, body]];
}

function constant(self: PyTensor, value: number): PyTensor {
  if (isInteger(self.dtype) && !Number.isInteger(value)) {
    throw raised('RuntimeError', `fill_: ${value} does not fit into ${self.dtype}`);
  }
  const fill = () => new Float64Array(numel(self.shape)).fill(value);
  return hostTensor(self, 'Tensor.fill_', self.shape, self.dtype, fill);
}

/** low + (high − low) · u */
function uniform(self: PyTensor, low: number, high: number): PyTensor {
  return random(self, 'uniform_', self.shape, self.dtype, 'uniform', [low, high]);
}

function normal(self: PyTensor, mean: number, std: number): PyTensor {
  const drawn = random(self, 'normal_', self.shape, self.dtype, 'normal');
  return ops.add(ops.mul(drawn, ops.number(std)), ops.number(mean));
}

/** Ones with probability p, zeros elsewhere. */
export function bernoulli(self: PyTensor, p: ops.Operand): PyTensor {
  const drawn = random(self, 'bernoulli', self.shape, 'float32', 'uniform');
  return ops.to(ops.compare('lt', drawn, p), self.dtype);
}

/** Initialisers that exist as methods; only ever used on parameters. */
const initializers = ['trunc_normal_', 'xavier_uniform_'].map((name): [string, Method] => [
  name,
  ['*args, **options', (self) => initialize(self, name)],
]);

export const methods: Methods = Object.fromEntries([
  ...initializers,
  filling('bernoulli_', 'p=0.5, *, generator=None', (self, given) =>
    bernoulli(self, ops.number(given.float('p'))),
  ),
  filling('fill_', 'value', (self, given) => {
    const value = given.tensorOrNumber('value');
    return constant(self, typeof value === 'number' ? value : value.item);
  }),
  filling('normal_', 'mean=0, std=1, *, generator=None', (self, given) =>
    normal(self, given.float('mean'), given.float('std')),
  ),
  filling('uniform_', 'from_=0, to=1, *, generator=None', (self, given) =>
    uniform(self, given.float('from_'), given.float('to')),
  ),
  filling('zero_', '', (self) => constant(self, 0)),
]);
