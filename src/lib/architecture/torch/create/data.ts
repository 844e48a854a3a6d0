/** Tensors of numbers that stand in the source: `torch.tensor([[1, 2], [3, 4]])`. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { PyList, PyTuple } from '../../python/collections.ts';
import { raised, unsupported } from '../../python/errors.ts';
import type { Interpreter } from '../../python/interpreter.ts';
import { isNumeric, toFloat } from '../../python/numbers.ts';
import { typeName, usable, type PyValue } from '../../python/object.ts';
import { hostTensor } from '../emit.ts';
import * as ops from '../ops/index.ts';
import { checkRank } from '../shapes.ts';
import { PyTensor, shapeText } from '../tensor.ts';
import type { Creator, CreatorCall } from './creator.ts';

/** The numbers of nested lists while they are gathered. */
interface Gathered {
  readonly numbers: number[];
  readonly dtypes: Set<Dtype>;
  readonly interpreter: Interpreter;
}

/** Adds the numbers of `value`, `depth` lists deep, and gives its shape. */
function gather(value: PyValue, into: Gathered, depth: number): readonly number[] {
  checkRank(depth, 'tensor');
  if (value instanceof PyTensor) {
    if (!value.hostValue)
      throw unsupported('a list of tensors that forward computes in torch.tensor');
    into.interpreter.allocate(value.hostValue.data.length);
    for (const item of value.hostValue.data) into.numbers.push(item);
    into.dtypes.add(value.dtype);
    return value.shape;
  }
  if (isNumeric(value)) {
    into.numbers.push(toFloat(value));
    const dtypes = { boolean: 'bool', bigint: 'int64', number: 'float32' } as const;
    into.dtypes.add(dtypes[typeof value as keyof typeof dtypes]);
    return [];
  }
  if (!(value instanceof PyList || value instanceof PyTuple)) {
    throw raised('TypeError', `tensor: numbers are needed, not ${typeName(value)}`);
  }
  into.interpreter.allocate(value.items.length);
  const shapes = value.items.map((item) => gather(usable(item), into, depth + 1));
  const [first = []] = shapes;
  const other = shapes.find((shape) => shape.join() !== first.join());
  if (other) {
    throw raised(
      'ValueError',
      `tensor: the lists differ in length (${shapeText(first)} and ${shapeText(other)})`,
    );
  }
  return [shapes.length, ...first];
}

/** The widest kind there is decides. */
function dtypeOf(dtypes: ReadonlySet<Dtype>): Dtype {
  const order = ['float64', 'float32', 'int64', 'int32', 'uint8', 'bool'] as const;
  return order.find((dtype) => dtypes.has(dtype)) ?? [...dtypes][0] ?? 'float32';
}

function fromData({ owner, name }: CreatorCall, data: PyValue, dtype: Dtype | null): PyTensor {
  const { interpreter } = owner.session;
  const gathered: Gathered = { numbers: [], dtypes: new Set(), interpreter };
  const shape = gather(data, gathered, 0);
  const result = dtype ?? dtypeOf(gathered.dtypes);
  return hostTensor(owner, `torch.${name}`, shape, result, () => {
    const numbers = Float64Array.from(gathered.numbers);
    return result.includes('int') ? numbers.map(Math.trunc) : numbers;
  });
}

export const creators: Readonly<Record<string, Creator>> = {
  as_tensor: {
    signature: 'data',
    make(call) {
      const data = call.given.value('data');
      if (data instanceof PyTensor) return ops.to(data, call.dtype ?? data.dtype);
      return fromData(call, data, call.dtype);
    },
  },
  tensor: {
    signature: 'data',
    make(call) {
      const data = call.given.value('data');
      if (data instanceof PyTensor) return ops.detach(ops.to(data, call.dtype ?? data.dtype));
      return fromData(call, data, call.dtype);
    },
  },
};

export const newCreators: Readonly<Record<string, Creator>> = {
  new_tensor: {
    signature: 'self, data',
    make: (call) =>
      fromData(call, call.given.value('data'), call.dtype ?? call.given.tensor('self').dtype),
  },
};
