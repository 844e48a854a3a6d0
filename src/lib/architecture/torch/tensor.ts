/**
 * A tensor without numbers. While forward is traced it stands for a node of the graph; while the
 * model is built it is a shape that a parameter or buffer may take on.
 *
 * In-place ops are values here: `x += y` gives x's object a new node, so that every name for that
 * object sees it. Views share a `memory`; a view of memory that was changed through another tensor
 * is stale, and using it is refused rather than computed from the old value.
 */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import type { NodeId } from '../graph.ts';
import type { PyClass } from '../python/classes.ts';
import { PyTuple } from '../python/collections.ts';
import { raised, unsupported } from '../python/errors.ts';
import { BoundMethod } from '../python/functions.ts';
import type { Interpreter } from '../python/interpreter.ts';
import { PyObject, type BinaryOperator, type PyValue } from '../python/object.ts';
import type { Session } from './session.ts';
import type { Tracer } from './tracer.ts';

/** What tensors that look at the same elements share. */
export interface Memory {
  /** Counts changes in place. */
  version: number;
}

/** The operators and methods of tensors, which are defined on top of the ops. */
export interface TensorProtocol {
  readonly tensorClass: PyClass;
  readonly parameterClass: PyClass;
  binary(
    operator: BinaryOperator,
    tensor: PyTensor,
    other: PyValue,
    reflected: boolean,
  ): PyValue | undefined;
  inplace(operator: BinaryOperator, tensor: PyTensor, other: PyValue): PyValue | undefined;
  attribute(tensor: PyTensor, name: string): PyValue | undefined;
}

export class PyTensor extends PyObject {
  readonly session: Session;
  readonly protocol: TensorProtocol;
  readonly dtype: Dtype;
  /** True for `torch.nn.Parameter`. */
  readonly isParameter: boolean;
  readonly memory: Memory;
  shape: readonly number[];
  requiresGrad: boolean;
  /** What made it, in words, for a tensor of the build: `torch.zeros`. */
  readonly madeBy: string;
  #traced: { tracer: Tracer; node: NodeId } | null = null;
  #seen: number;

  constructor(
    like: { session: Session; protocol: TensorProtocol },
    shape: readonly number[],
    dtype: Dtype,
    options: {
      isParameter?: boolean;
      requiresGrad?: boolean;
      memory?: Memory;
      madeBy?: string;
      traced?: { tracer: Tracer; node: NodeId };
    } = {},
  ) {
    super();
    this.session = like.session;
    this.protocol = like.protocol;
    this.shape = shape;
    this.dtype = dtype;
    this.isParameter = options.isParameter ?? false;
    this.requiresGrad = options.requiresGrad ?? false;
    this.memory = options.memory ?? { version: 0 };
    this.madeBy = options.madeBy ?? 'an operation';
    this.#traced = options.traced ?? null;
    this.#seen = this.memory.version;
  }

  get typeName(): string {
    return this.isParameter ? 'Parameter' : 'Tensor';
  }
  override get class(): PyClass {
    return this.isParameter ? this.protocol.parameterClass : this.protocol.tensorClass;
  }

  /** The node in a trace that is under way; undefined for a tensor of the build. */
  nodeIn(tracer: Tracer): NodeId | undefined {
    if (this.#seen !== this.memory.version) {
      throw unsupported('a view of a tensor that was then changed in place is not supported');
    }
    if (!this.#traced) return undefined;
    if (this.#traced.tracer !== tracer) {
      throw unsupported('a tensor that an earlier forward kept is not supported');
    }
    return this.#traced.node;
  }

  get isTraced(): boolean {
    return this.#traced !== null;
  }

  /** Takes over another tensor's value, as an op in place does. */
  become(other: PyTensor): void {
    if (!other.#traced || !this.#traced) {
      throw unsupported('changing a parameter or buffer in place in forward is not supported');
    }
    if (other.shape.join() !== this.shape.join()) {
      throw raised(
        'RuntimeError',
        `in place: the result has shape ${shapeText(other.shape)}, the tensor ${shapeText(this.shape)}`,
      );
    }
    this.#traced = other.#traced;
    this.#seen = ++this.memory.version;
  }

  override getAttribute(_interpreter: Interpreter, name: string): PyValue | undefined {
    return this.protocol.attribute(this, name);
  }
  override setAttribute(_interpreter: Interpreter, name: string, value: PyValue): void {
    if (name !== 'requires_grad' || typeof value !== 'boolean') {
      throw unsupported(`setting ${name} of a tensor is not supported`);
    }
    this.session.buildOnly('setting requires_grad');
    this.requiresGrad = value;
  }
  override truth(): boolean {
    throw this.#valueNeeded();
  }
  override toInt(): PyValue {
    throw this.#valueNeeded();
  }
  #valueNeeded(): Error {
    return unsupported('code that depends on the values of a tensor is not supported');
  }
  override length(): number {
    const [first] = this.shape;
    if (first === undefined) throw raised('TypeError', 'a 0-d tensor has no len()');
    return first;
  }
  override iterate(): Iterable<PyValue> {
    throw unsupported('iterating over a tensor is not supported');
  }
  override contains(): boolean {
    throw this.#valueNeeded();
  }
  override getItem(): PyValue {
    throw unsupported('indexing a tensor is not supported');
  }
  override setItem(): void {
    throw unsupported('assigning to a part of a tensor is not supported');
  }
  override compare(): PyValue {
    throw unsupported('comparing tensors is not supported');
  }
  override unary(_: Interpreter, operator: string): PyValue | undefined {
    throw unsupported(`"${operator}" of a tensor is not supported`);
  }
  override binary(
    _interpreter: Interpreter,
    operator: BinaryOperator,
    other: PyValue,
    reflected: boolean,
  ): PyValue | undefined {
    return this.protocol.binary(operator, this, other, reflected);
  }
  override inplace(
    _interpreter: Interpreter,
    operator: BinaryOperator,
    other: PyValue,
  ): PyValue | undefined {
    return this.protocol.inplace(operator, this, other);
  }
  override repr(): string {
    throw this.#valueNeeded();
  }

  get size(): PyTuple {
    return new PyTuple(this.shape.map(BigInt), 'torch.Size');
  }
  get numel(): number {
    return numel(this.shape);
  }
  method(value: PyValue): PyValue {
    return new BoundMethod(this, value);
  }
}

export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
