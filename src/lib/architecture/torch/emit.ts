/**
 * How an op comes into being. While forward is traced, it is a node of the graph. What depends on
 * nothing but numbers of the source is worked out on the host instead, if `host/` knows how. While
 * the model is built, the rest is a shape without numbers, good enough for a parameter.
 */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import type { NodeId, Op, Ops } from '../graph.ts';
import { raised, unsupported } from '../python/errors.ts';
import { HostValue, type HostOptions, type Numbers } from './host.ts';
import { hostFunction } from './host/index.ts';
import { PyTensor, shapeText, type Memory, type TensorOwner } from './tensor.ts';

export type Attrs<K extends Op> = Ops[K]['attrs'];

/** dtypes that a graph computes in; integers are 32-bit on the way. */
const graphDtypes: ReadonlySet<Dtype> = new Set<Dtype>([
  'float32',
  'int64',
  'int32',
  'int16',
  'int8',
  'uint8',
  'bool',
]);

export interface EmitOptions {
  /** Shares another tensor's elements, or may do so: a change of one makes the other unusable. */
  readonly memory?: Memory;
  /** Makes the result a view of the op's one input: that input with the view's elements replaced. */
  readonly put?: (base: PyTensor, value: PyTensor) => PyTensor;
}

/** The result of an op with one output. At least one input is a tensor. */
export function emit<K extends Op>(
  op: K,
  inputs: readonly (PyTensor | null)[],
  attrs: Attrs<K>,
  shape: readonly number[],
  dtype: Dtype,
  { memory, put }: EmitOptions = {},
): PyTensor {
  const owner = ownerOf(op, inputs);
  const value = folded(op, owner, inputs, attrs, shape, dtype);
  const { tracer } = owner.session;
  const view = put && {
    base: owner,
    take: () => emit(op, [owner], attrs, shape, dtype),
    put: (changed: PyTensor) => put(owner, changed),
    isInOrder: owner.isInOrder && staysInOrder(op, attrs, owner.shape),
  };
  const shared = { ...(memory && { memory }), ...(view && { view }) };
  if (value || !tracer) return new PyTensor(owner, shape, dtype, { ...shared, value, madeBy: op });
  const node = addNode(op, owner, inputs, attrs, shape, dtype);
  return new PyTensor(owner, shape, dtype, { ...shared, traced: { tracer, node } });
}

/** Whether a view's elements lie one behind the other where those of its base do. */
function staysInOrder<K extends Op>(op: K, attrs: Attrs<K>, base: readonly number[]): boolean {
  if (op === 'reshape') return true;
  if (op !== 'slice') return false;
  const { size, step } = attrs as Attrs<'slice'>;
  const first = size.findIndex((length) => length > 1);
  if (first < 0) return true;
  return size.every((length, axis) => axis <= first || length === base[axis]) && step[first] === 1;
}

/** A tensor of the same elements under another name; with `memory`, one that may share them. */
export function copyOf(x: PyTensor, options: { memory?: Memory } = {}): PyTensor {
  const { tracer } = x.session;
  const value = tracer ? x.hostValue : x.value;
  if (value || !tracer)
    return new PyTensor(x, x.shape, x.dtype, { ...options, value, madeBy: x.madeBy });
  return new PyTensor(x, x.shape, x.dtype, {
    ...options,
    traced: { tracer, node: tracer.nodeOf(x) },
  });
}

/** The results of an op with several outputs, the first of which describes the node. */
export function emitMany<K extends Op>(
  op: K,
  inputs: readonly (PyTensor | null)[],
  attrs: Attrs<K>,
  outputs: readonly { readonly shape: readonly number[]; readonly dtype: Dtype }[],
): PyTensor[] {
  const owner = ownerOf(op, inputs);
  const { tracer } = owner.session;
  if (!tracer) {
    return outputs.map(({ shape, dtype }) => {
      const value = unknown(op, owner, shape, dtype);
      return new PyTensor(owner, shape, dtype, { value, madeBy: op });
    });
  }
  const [first] = outputs;
  const node = addNode(op, owner, inputs, attrs, first!.shape, first!.dtype);
  return outputs.map(({ shape, dtype }, index) => {
    const picked = tracer.add('pick', [node], { index }, shape, dtype);
    return new PyTensor(owner, shape, dtype, { traced: { tracer, node: picked } });
  });
}

/** A tensor of numbers that the source makes. */
export function hostTensor(
  owner: TensorOwner,
  madeBy: string,
  shape: readonly number[],
  dtype: Dtype,
  compute: () => Numbers,
  options: HostOptions = {},
): PyTensor {
  const value = new HostValue(owner.session.interpreter, shape, dtype, compute, options);
  return new PyTensor(owner, shape, dtype, { value, madeBy });
}

/** A tensor of memory that nobody has written to: it may be filled, its numbers may not be read. */
export function unset(
  owner: TensorOwner,
  madeBy: string,
  shape: readonly number[],
  dtype: Dtype,
  options: { isParameter?: boolean; requiresGrad?: boolean } = {},
): PyTensor {
  const reason = `the numbers of ${madeBy} are used before they are set`;
  const value = HostValue.refused(owner.session.interpreter, shape, dtype, reason, false);
  return new PyTensor(owner, shape, dtype, { ...options, value, madeBy });
}

function ownerOf(op: Op, inputs: readonly (PyTensor | null)[]): PyTensor {
  const owner = inputs.find((input) => input !== null);
  if (owner) return owner;
  throw new Error(`${op} without a tensor`);
}

function folded<K extends Op>(
  op: K,
  owner: PyTensor,
  inputs: readonly (PyTensor | null)[],
  attrs: Attrs<K>,
  shape: readonly number[],
  dtype: Dtype,
): HostValue | null {
  const { tracer, interpreter } = owner.session;
  const compute = hostFunction(op);
  const values = inputs.map((input) => input && (tracer ? input.hostValue : input.value));
  const isComplete = values.every((value, index) => value !== null || inputs[index] === null);
  if (compute && isComplete) {
    const run = () => compute(values, attrs, { shape, dtype });
    return new HostValue(interpreter, shape, dtype, run, { from: values });
  }
  return tracer ? null : unknown(op, owner, shape, dtype);
}

/** What the build does not work out; it is refused when somebody asks for the numbers. */
function unknown(op: Op, { session }: PyTensor, shape: readonly number[], dtype: Dtype): HostValue {
  const what = `first values that ${op} makes are not worked out`;
  return HostValue.refused(session.interpreter, shape, dtype, what);
}

function addNode<K extends Op>(
  op: K,
  { session }: PyTensor,
  inputs: readonly (PyTensor | null)[],
  attrs: Attrs<K>,
  shape: readonly number[],
  dtype: Dtype,
): NodeId {
  if (!graphDtypes.has(dtype)) {
    throw unsupported(
      `${op} of ${dtype} in forward is not supported: the graph computes in float32`,
    );
  }
  const tracer = session.tracer!;
  const nodes = inputs.map((tensor) => tensor && tracer.nodeOf(tensor));
  return tracer.add(op, nodes as unknown as Ops[K]['inputs'], attrs, shape, dtype);
}

/** How a message refers to a tensor: by its state_dict key, if it has one. */
export function named(role: string, tensor: PyTensor): string {
  const key = tensor.session.tracer?.keyOf(tensor);
  return key === undefined ? role : `${role} "${key}"`;
}

export function demandFloat(what: string, ...tensors: (PyTensor | null)[]): void {
  for (const tensor of tensors) {
    if (tensor && tensor.dtype !== 'float32') {
      throw raised('RuntimeError', `${what}: a tensor is ${tensor.dtype}, float32 is needed`);
    }
  }
}

export function demandShape(
  what: string,
  role: string,
  tensor: PyTensor | null,
  shape: readonly number[],
): void {
  if (!tensor || tensor.shape.join() === shape.join()) return;
  throw raised(
    'RuntimeError',
    `${what}: ${named(role, tensor)} has shape ${shapeText(tensor.shape)}, ${shapeText(shape)} is needed`,
  );
}
