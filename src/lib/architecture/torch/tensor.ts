/**
 * A tensor without numbers. While forward is traced it stands for a node of the graph; while the
 * model is built it is a shape that a parameter or buffer may take on.
 *
 * In-place ops are values here: `x += y` gives x's object a new node, so that every name for that
 * object sees it. Tensors that look at the same elements share a `memory`. A View knows how to follow
 * a change of its base, and how to pass its own changes on; where it is not known whether PyTorch
 * would have made a view or a copy (`contiguous`, `reshape`), a tensor whose memory was changed
 * through another one is stale, and using it is refused rather than computed from the old value.
 */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import type { NodeId } from '../graph.ts';
import type { PyClass } from '../python/classes.ts';
import { PyTuple } from '../python/collections.ts';
import { raised, unsupported } from '../python/errors.ts';
import { BoundMethod } from '../python/functions.ts';
import type { Interpreter } from '../python/interpreter.ts';
import { PyObject, type BinaryOperator, type Comparison, type PyValue } from '../python/object.ts';
import type { HostValue } from './host.ts';
import type { Session } from './session.ts';
import type { Tracer } from './tracer.ts';

/** What tensors that look at the same elements share. */
export interface Memory {
  /** Counts changes in place. */
  version: number;
}

/** How a view and the tensor that it looks into follow each other's changes in place. */
export interface View {
  readonly base: PyTensor;
  /** The view of the base as it is now. */
  take(): PyTensor;
  /** The base with the view's elements replaced by `value`. */
  put(value: PyTensor): PyTensor;
  /** Whether its elements lie one behind the other. */
  readonly isInOrder: boolean;
}

/** What a new tensor has to be given. */
export interface TensorOwner {
  readonly session: Session;
  readonly protocol: TensorProtocol;
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
  unary(operator: '-' | '+' | '~', tensor: PyTensor): PyValue | undefined;
  compare(operator: Comparison, tensor: PyTensor, other: PyValue): PyValue | undefined;
  attribute(tensor: PyTensor, name: string): PyValue | undefined;
  setAttribute(tensor: PyTensor, name: string, value: PyValue): void;
  getItem(tensor: PyTensor, key: PyValue): PyValue;
  setItem(tensor: PyTensor, key: PyValue, value: PyValue): void;
  iterate(tensor: PyTensor): Iterable<PyValue>;
}

export class PyTensor extends PyObject {
  readonly session: Session;
  readonly protocol: TensorProtocol;
  readonly dtype: Dtype;
  /** True for `torch.nn.Parameter`. */
  readonly isParameter: boolean;
  readonly memory: Memory;
  readonly shape: readonly number[];
  requiresGrad: boolean;
  /** What made it, in words, for a tensor of the build: `torch.zeros`. */
  readonly madeBy: string;
  readonly #view: View | null;
  #value: HostValue | null;
  #traced: { tracer: Tracer; node: NodeId } | null;
  #seen: number;

  constructor(
    owner: TensorOwner,
    shape: readonly number[],
    dtype: Dtype,
    options: {
      isParameter?: boolean;
      requiresGrad?: boolean;
      memory?: Memory;
      view?: View;
      madeBy?: string;
      traced?: { tracer: Tracer; node: NodeId };
      /** The numbers, where the source itself makes them. */
      value?: HostValue | null;
    } = {},
  ) {
    super();
    this.session = owner.session;
    this.protocol = owner.protocol;
    this.shape = shape;
    this.dtype = dtype;
    this.isParameter = options.isParameter ?? false;
    this.requiresGrad = options.requiresGrad ?? false;
    this.#view = options.view ?? null;
    this.memory = options.view?.base.memory ?? options.memory ?? { version: 0 };
    this.madeBy = options.madeBy ?? 'an operation';
    this.#traced = options.traced ?? null;
    this.#value = options.value ?? null;
    this.#seen = this.memory.version;
  }

  /** `copy.deepcopy`: a tensor of its own, which has a key of its own in the state_dict. */
  override deepCopy(): PyTensor {
    if (this.#traced) throw unsupported('a copy of what forward computes is not supported');
    const { isParameter, requiresGrad, madeBy, value } = this;
    return new PyTensor(this, this.shape, this.dtype, { isParameter, requiresGrad, madeBy, value });
  }

  get typeName(): string {
    return this.isParameter ? 'Parameter' : 'Tensor';
  }
  override get class(): PyClass {
    return this.isParameter ? this.protocol.parameterClass : this.protocol.tensorClass;
  }

  /** The node in a trace that is under way; undefined for a tensor of the build. */
  nodeIn(tracer: Tracer): NodeId | undefined {
    this.#refresh();
    if (!this.#traced) return undefined;
    if (this.#traced.tracer !== tracer) {
      throw unsupported('a tensor that an earlier forward kept is not supported');
    }
    return this.#traced.node;
  }

  get isTraced(): boolean {
    this.#refresh();
    return this.#traced !== null;
  }

  /** False for a view of unknown making whose tensor was then changed in place. */
  get isFresh(): boolean {
    return this.#seen === this.memory.version || this.#view !== null;
  }

  /**
   * The numbers, where they depend on the source alone: null for what a forward computes, for
   * random numbers, and in a trace for parameters and buffers, which come from the checkpoint.
   */
  get hostValue(): HostValue | null {
    this.#refresh();
    if (!this.#value?.isKnown) return null;
    return this.session.tracer?.keyOf(this) === undefined ? this.#value : null;
  }

  /** The numbers of a tensor of the build, random and unknown ones among them. */
  get value(): HostValue | null {
    this.#refresh();
    return this.#value;
  }

  /** Whether its elements lie one behind the other: a tensor of its own, or such a view. */
  get isInOrder(): boolean {
    return this.#view?.isInOrder ?? true;
  }

  /** Catches up with changes of the memory that were made through another tensor. */
  #refresh(): void {
    if (this.#seen === this.memory.version) return;
    if (!this.#view) {
      throw unsupported('a view of a tensor that was then changed in place is not supported');
    }
    this.#adopt(this.#view.take());
  }

  #adopt(other: PyTensor): void {
    this.#traced = other.#traced;
    this.#value = other.#value;
    this.#seen = this.memory.version;
  }

  /** Takes a new value, and so does every tensor that this one is a view of. */
  #write(value: PyTensor): void {
    if (this.session.tracer && !this.#traced && !this.hostValue) {
      throw unsupported('changing a parameter or buffer in place in forward is not supported');
    }
    if (this.#view) this.#view.base.#write(this.#view.put(value));
    else this.memory.version++;
    this.#adopt(value);
  }

  /** Takes over another tensor's value, as an op in place does. */
  become(other: PyTensor): void {
    if (other.shape.join() !== this.shape.join()) {
      throw raised(
        'RuntimeError',
        `in place: the result has shape ${shapeText(other.shape)}, the tensor ${shapeText(this.shape)}`,
      );
    }
    if (other.dtype !== this.dtype) {
      throw raised(
        'RuntimeError',
        `in place: the result is ${other.dtype}, the tensor ${this.dtype}`,
      );
    }
    this.#write(other);
  }

  override getAttribute(_interpreter: Interpreter, name: string): PyValue | undefined {
    return this.protocol.attribute(this, name);
  }
  override setAttribute(_interpreter: Interpreter, name: string, value: PyValue): void {
    this.protocol.setAttribute(this, name, value);
  }
  override truth(): boolean {
    return this.item !== 0;
  }
  override toInt(): PyValue {
    return BigInt(Math.trunc(this.item));
  }

  /** The one number of it. */
  get item(): number {
    const value = this.hostValue;
    if (!value) {
      throw unsupported('code that depends on the values of a tensor is not supported');
    }
    if (this.numel !== 1) {
      throw raised(
        'RuntimeError',
        `a tensor of ${this.numel} elements cannot be converted to a number`,
      );
    }
    return value.data[0]!;
  }

  override length(): number {
    const [first] = this.shape;
    if (first === undefined) throw raised('TypeError', 'a 0-d tensor has no len()');
    return first;
  }
  override iterate(): Iterable<PyValue> {
    return this.protocol.iterate(this);
  }
  override contains(): boolean {
    throw unsupported('"in" of a tensor is not supported');
  }
  override getItem(_: Interpreter, key: PyValue): PyValue {
    return this.protocol.getItem(this, key);
  }
  override setItem(_: Interpreter, key: PyValue, value: PyValue): void {
    this.protocol.setItem(this, key, value);
  }
  override compare(_: Interpreter, operator: Comparison, other: PyValue): PyValue | undefined {
    return this.protocol.compare(operator, this, other);
  }
  override unary(_: Interpreter, operator: '-' | '+' | '~'): PyValue | undefined {
    return this.protocol.unary(operator, this);
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
    throw unsupported('the text of a tensor is not supported');
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
