/** What functions that make tensors have in common: a size, a dtype, and arguments that change nothing. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import { PyTuple } from '../../python/collections.ts';
import { raised, unsupported } from '../../python/errors.ts';
import { NativeFunction } from '../../python/functions.ts';
import { isNumeric } from '../../python/numbers.ts';
import type { PyValue } from '../../python/object.ts';
import { Given } from '../arguments.ts';
import { operand } from '../functional/operands.ts';
import type { Operand } from '../ops/index.ts';
import { checkRank } from '../shapes.ts';
import { PyTensor, shapeText, type TensorOwner } from '../tensor.ts';

/** Arguments that every creator takes. */
const options =
  'dtype=None, device=None, requires_grad=False, generator=None, out=None, layout=None, pin_memory=False, memory_format=None';

export interface Creator {
  /** The creator's own arguments. */
  readonly signature: string;
  readonly make: (call: CreatorCall) => PyTensor;
}

/** The arguments of one call. */
export class CreatorCall {
  readonly owner: TensorOwner;
  readonly name: string;
  readonly given: Given;
  readonly rest: readonly PyValue[];
  /** `dtype=`, null where it is absent. */
  readonly dtype: Dtype | null;

  constructor(owner: TensorOwner, name: string, given: Given, rest: readonly PyValue[]) {
    this.owner = owner;
    this.name = name;
    this.given = given;
    this.rest = rest;
    this.dtype = given.dtypeOrNone('dtype');
  }

  /** Of `zeros(2, 3)`, `zeros((2, 3))`, `zeros(size=(2, 3))`. */
  shape(): number[] {
    const size = this.given.value('size');
    if (size !== null) return this.shapeOf(size);
    const [first] = this.rest;
    const isOne = this.rest.length === 1 && !isNumeric(first!) && !(first instanceof PyTensor);
    return this.shapeOf(isOne ? first! : new PyTuple(this.rest));
  }

  shapeOf(value: PyValue): number[] {
    const shape = new Given(this.name, new Map([['size', value]])).ints('size');
    checkShape(this.name, shape);
    this.owner.session.interpreter.allocate(shape.length);
    return shape;
  }

  integer(value: PyValue): number {
    return new Given(this.name, new Map([['value', value]])).int('value');
  }

  operand(name: string): Operand {
    return operand(this.given, name);
  }
}

export function creatorFunction(owner: TensorOwner, name: string, creator: Creator): PyValue {
  const signature = [creator.signature, options].filter(Boolean).join(', ');
  return new NativeFunction(`torch.${name}`, signature, (_, { values, rest }) =>
    create(owner, name, creator, new Given(name, values), rest),
  );
}

/** A method of tensors, which are the owners then: `x.new_zeros(2)`. */
export function creatorMethod(name: string, creator: Creator): NativeFunction {
  return new NativeFunction(name, `${creator.signature}, ${options}`, (_, { values, rest }) => {
    const given = new Given(name, values);
    return create(given.tensor('self'), name, creator, given, rest);
  });
}

function create(
  owner: TensorOwner,
  name: string,
  creator: Creator,
  given: Given,
  rest: readonly PyValue[],
): PyTensor {
  if (given.value('out') !== null) throw unsupported(`torch.${name} with out is not supported`);
  const tensor = creator.make(new CreatorCall(owner, name, given, rest));
  tensor.requiresGrad ||= given.bool('requires_grad');
  return tensor;
}

export function checkShape(name: string, shape: readonly number[]): void {
  checkRank(shape.length, name);
  if (shape.some((length) => length < 0) || !Number.isSafeInteger(numel(shape))) {
    throw raised('RuntimeError', `${name}: the shape ${shapeText(shape)} is not possible`);
  }
}
