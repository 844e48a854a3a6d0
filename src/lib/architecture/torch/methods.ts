/** What tensors can do besides the ops: sizes, views, and conversions that change nothing. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { PyClass } from '../python/classes.ts';
import { raised, unsupported } from '../python/errors.ts';
import { NativeFunction } from '../python/functions.ts';
import type { PyValue } from '../python/object.ts';
import { objectClass } from '../python/types.ts';
import { Given } from './arguments.ts';
import { newCreators } from './create.ts';
import { creatorMethod } from './create/creator.ts';
import { PyDevice, dtypeValue, PyDtype } from './dtypes.ts';
import { inPlaceOps, tensorMethods, tensorOps } from './functional/index.ts';
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
  short: 'int16',
  char: 'int8',
  byte: 'uint8',
  bool: 'bool',
};

/** Names of tensors by dtype, as `Tensor.type()` gives and takes them. */
const tensorTypes = new Map<string, Dtype>([
  ['torch.FloatTensor', 'float32'],
  ['torch.DoubleTensor', 'float64'],
  ['torch.HalfTensor', 'float16'],
  ['torch.BFloat16Tensor', 'bfloat16'],
  ['torch.LongTensor', 'int64'],
  ['torch.IntTensor', 'int32'],
  ['torch.ShortTensor', 'int16'],
  ['torch.CharTensor', 'int8'],
  ['torch.ByteTensor', 'uint8'],
  ['torch.BoolTensor', 'bool'],
]);

function typeOf({ dtype }: PyTensor): string {
  const name = [...tensorTypes].find(([, other]) => other === dtype)?.[0];
  if (name) return name;
  throw unsupported(`type of a ${dtype} tensor is not supported`);
}

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
  for (const [name, creator] of Object.entries(newCreators)) {
    table.set(name, creatorMethod(name, creator));
  }
  for (const name of inPlaceOps) {
    const [signature, body] = tensorOps[name]!;
    const run = new NativeFunction(`${name}_`, signature, (_, { values, rest }) => {
      const given = new Given(`${name}_`, values);
      given.tensor('input').become(body(given, rest) as PyTensor);
      return given.tensor('input');
    });
    table.set(`${name}_`, run);
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
  method('type', 'dtype=None, non_blocking=False', (self, given) => {
    const type = given.value('dtype');
    if (type === null) return typeOf(self);
    if (typeof type !== 'string') return ops.to(self, given.dtypeOrNone('dtype')!);
    const dtype = tensorTypes.get(type.replace('torch.cuda.', 'torch.'));
    if (dtype) return ops.to(self, dtype);
    throw raised('ValueError', `type: "${type}" is no type of tensors`);
  });
  for (const name of ['cuda', 'cpu']) method(name, 'device=None', (self) => self);
  method('is_floating_point', '', (self) => !isInteger(self.dtype));
  method('requires_grad_', 'requires_grad=True', (self, given) => {
    self.session.buildOnly('requires_grad_');
    self.requiresGrad = given.bool('requires_grad');
    return self;
  });
  return table;
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
        case 'is_mps':
        case 'is_xpu':
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
      const written = tensor.session.written.method(tensor, name);
      if (written !== undefined) return written;
      if (name.startsWith('__')) return undefined;
      throw unsupported(`Tensor.${name} is not supported`);
    },
  };
}
