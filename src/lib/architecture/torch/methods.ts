/** What tensors can do besides the ops: sizes, views, and conversions that change nothing. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { PyClass } from '../python/classes.ts';
import { unsupported } from '../python/errors.ts';
import { NativeFunction } from '../python/functions.ts';
import type { PyValue } from '../python/object.ts';
import { objectClass } from '../python/types.ts';
import { Given } from './arguments.ts';
import { PyDevice, dtypeValue, PyDtype } from './dtypes.ts';
import { tensorMethods, tensorOps } from './functional/index.ts';
import { getItem, iterate, setItem } from './indexing.ts';
import { binaryOperator, comparison, inplaceOperator, unaryOperator } from './operators.ts';
import * as ops from './ops/index.ts';
import { isInteger } from './promotion.ts';
import { normalizeDim } from './shapes.ts';
import { PyTensor, type TensorProtocol } from './tensor.ts';

/** `to(device)`, `to(dtype)`, `to(other)`: devices are all the same here. */
function convert(self: PyTensor, args: readonly PyValue[]): PyTensor {
  let dtype = self.dtype;
  for (const value of args) {
    if (value instanceof PyDtype || value instanceof PyTensor) dtype = value.dtype;
    else if (!(value instanceof PyDevice) && typeof value !== 'string' && value !== null) {
      throw unsupported('this form of Tensor.to is not supported');
    }
  }
  return ops.to(self, dtype);
}

/** Methods that convert. */
const conversions: Readonly<Record<string, Dtype>> = {
  float: 'float32',
  double: 'float64',
  half: 'float16',
  bfloat16: 'bfloat16',
  long: 'int64',
  int: 'int32',
  bool: 'bool',
};

/** What fills a parameter with its first values; the checkpoint brings others. */
const fills = 'normal_ uniform_ fill_ zero_ xavier_uniform_ trunc_normal_'.split(' ');

function methods(): Map<string, NativeFunction> {
  const table = new Map<string, NativeFunction>();
  const method = (
    name: string,
    signature: string,
    body: (self: PyTensor, given: Given, rest: PyValue[]) => PyValue,
  ): void => {
    const all = signature === '' ? 'self' : `self, ${signature}`;
    const run = new NativeFunction(name, all, (_, { values, rest }) =>
      body(values.get('self') as PyTensor, new Given(name, values), rest),
    );
    table.set(name, run);
  };
  for (const [name, [signature, body]] of Object.entries(tensorOps)) {
    const run = new NativeFunction(name, signature, (_, { values, rest }) =>
      body(new Given(name, values), rest),
    );
    table.set(name, run);
  }
  method('size', 'dim=None', (self, given) => {
    if (given.value('dim') === null) return self.size;
    return BigInt(self.shape[normalizeDim(given.int('dim'), self.shape.length, 'size')]!);
  });
  for (const name of ['dim', 'ndimension']) method(name, '', (self) => BigInt(self.shape.length));
  for (const name of ['numel', 'nelement']) method(name, '', (self) => BigInt(self.numel));
  for (const [name, [signature, body]] of Object.entries(tensorMethods)) {
    method(name, signature, body);
  }
  method(
    'to',
    '*args, device=None, dtype=None, non_blocking=False, copy=False',
    (self, given, rest) => {
      if (given.bool('copy')) throw unsupported('Tensor.to with copy=True is not supported');
      const flags = rest.filter((value) => typeof value !== 'boolean');
      return convert(self, [...flags, given.value('device'), given.value('dtype')]);
    },
  );
  for (const [name, dtype] of Object.entries(conversions)) {
    method(name, '', (self) => ops.to(self, dtype));
  }
  for (const name of ['cuda', 'cpu']) method(name, 'device=None', (self) => self);
  method('is_floating_point', '', (self) => !isInteger(self.dtype));
  method('requires_grad_', 'requires_grad=True', (self, given) => {
    self.session.buildOnly('requires_grad_');
    self.requiresGrad = given.bool('requires_grad');
    return self;
  });
  for (const name of fills) {
    method(name, '*args, **options', (self) => initialize(self, name));
  }
  return table;
}

/**
 * The effect of an initialiser: none on a parameter, whose numbers come from the checkpoint. Any
 * other tensor has unknown numbers from then on: it may still become a parameter or buffer.
 */
export function initialize(tensor: PyTensor, name: string): PyTensor {
  tensor.session.buildOnly(name);
  if (!tensor.isParameter) {
    tensor.become(new PyTensor(tensor, tensor.shape, tensor.dtype, { madeBy: name }));
  }
  return tensor;
}

/** The classes, operators and attributes of tensors. */
export function tensorProtocol(parameter: PyClass['construct']): TensorProtocol {
  const table = methods();
  const tensorClass = new PyClass('Tensor', [objectClass], {
    final: true,
    construct: () => {
      throw unsupported('torch.Tensor(…) is not supported');
    },
  });
  const parameterClass = new PyClass('Parameter', [tensorClass], {
    final: true,
    ...(parameter ? { construct: parameter } : {}),
  });
  return {
    tensorClass,
    parameterClass,
    binary: binaryOperator,
    inplace: inplaceOperator,
    unary: unaryOperator,
    compare: comparison,
    getItem,
    setItem,
    iterate,
    setAttribute(tensor, name, value) {
      if (name === 'requires_grad' && typeof value === 'boolean') {
        tensor.session.buildOnly('setting requires_grad');
        tensor.requiresGrad = value;
      } else if (name === 'data' && value instanceof PyTensor) {
        tensor.session.buildOnly('setting Tensor.data');
        tensor.become(value);
      } else {
        throw unsupported(`setting ${name} of a tensor is not supported`);
      }
    },
    attribute(tensor, name) {
      switch (name) {
        case 'shape':
          return tensor.size;
        case 'ndim':
          return BigInt(tensor.shape.length);
        case 'dtype':
          return dtypeValue(tensor.dtype);
        case 'device':
          return new PyDevice('cpu');
        case 'is_cuda':
          return false;
        case 'requires_grad':
          return tensor.requiresGrad;
        case 'data':
          // Initialisers reach parameters this way; they change nothing here.
          tensor.session.buildOnly('Tensor.data');
          return tensor;
        case 'T':
          return ops.t(tensor, 'T');
        case 'mT':
        case 'H':
        case 'mH':
          return ops.matrixTranspose(tensor, name);
        case 'grad':
          return null;
        default:
          break;
      }
      const method = table.get(name);
      if (method) return tensor.method(method);
      if (name.startsWith('__')) return undefined;
      throw unsupported(`Tensor.${name} is not supported`);
    },
  };
}
