/**
 * Methods that give a tensor new numbers: one number, or random ones. While the model is built they
 * are first values; a parameter has no others.
 */
import { unsupported } from '../../python/errors.ts';
import type { Given } from '../arguments.ts';
import { random } from '../create/random.ts';
import { unknownTensor } from '../drawn.ts';
import { fillConstant, fillNormal, fillUniform } from '../init.ts';
import type { Method, Methods } from '../natives.ts';
import * as ops from '../ops/index.ts';
import type { PyTensor } from '../tensor.ts';

/** `build` is what it does while the model is built, `make` what the tensor becomes in forward. */
function filling(
  name: string,
  signature: string,
  build: (self: PyTensor, given: Given) => PyTensor,
  make: (self: PyTensor, given: Given) => PyTensor,
): [string, Method] {
  const body: Method[1] = (self, given) => {
    if (self.isParameter) self.session.buildOnly(name);
    if (given.optional('generator') !== null) {
      throw unsupported(`${name} with a generator of its own is not supported`);
    }
    if (!self.session.tracer) return build(self, given);
    self.become(make(self, given));
    return self;
  };
  return [name, [signature, body]];
}

/** low + (high − low) · u */
function uniform(self: PyTensor, given: Given): PyTensor {
  const bounds = [given.float('from_'), given.float('to')] as const;
  return random(self, 'uniform_', self.shape, self.dtype, 'uniform', bounds);
}

function normal(self: PyTensor, given: Given): PyTensor {
  const drawn = random(self, 'normal_', self.shape, self.dtype, 'normal');
  const [mean, std] = [given.float('mean'), given.float('std')];
  return ops.add(ops.mul(drawn, ops.number(std)), ops.number(mean));
}

/** Ones with probability p, zeros elsewhere. */
export function bernoulli(self: PyTensor, p: ops.Operand): PyTensor {
  const { session, shape, dtype } = self;
  if (!session.tracer) {
    // PyTorch takes one number of its generator to seed another library's.
    session.draws.note(1, { kind: 'uniform', low: 0, high: 1 });
    const reason = 'first values by bernoulli are not worked out';
    return unknownTensor(self, 'bernoulli', shape, dtype, reason);
  }
  const drawn = random(self, 'bernoulli', shape, 'float32', 'uniform');
  return ops.to(ops.compare('lt', drawn, p), dtype);
}

function chance(self: PyTensor, given: Given): PyTensor {
  return bernoulli(self, ops.number(given.float('p')));
}

function constant(self: PyTensor, given: Given): PyTensor {
  const value = given.tensorOrNumber('value');
  return fillConstant(self, typeof value === 'number' ? value : value.item);
}

export const methods: Methods = Object.fromEntries([
  filling(
    'bernoulli_',
    'p=0.5, *, generator=None',
    (self, given) => {
      self.become(chance(self, given));
      return self;
    },
    chance,
  ),
  filling('fill_', 'value', constant, constant),
  filling(
    'normal_',
    'mean=0, std=1, *, generator=None',
    (self, given) => fillNormal(self, given.float('mean'), given.float('std')),
    normal,
  ),
  filling(
    'uniform_',
    'from_=0, to=1, *, generator=None',
    (self, given) => fillUniform(self, given.float('from_'), given.float('to')),
    uniform,
  ),
  filling(
    'zero_',
    '',
    (self) => fillConstant(self, 0),
    (self) => fillConstant(self, 0),
  ),
]);
