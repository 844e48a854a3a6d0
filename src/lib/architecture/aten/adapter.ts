/**
 * ATen's operators on top of the shim. TorchScript and torch.export call them by their schemas:
 * other names, another order of arguments and more of them than Python's functions have. A table
 * says for each operator what its schema is and which function of `torch` it amounts to, or works
 * it out itself. Overloads share an entry; what an argument is tells them apart.
 */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { dtypeValue } from '../torch/dtypes.ts';
import { unsupported } from '../python/errors.ts';
import { PyTensor, type TensorOwner } from '../torch/tensor.ts';
import { call } from '../python/functions.ts';
import { Placeholder, type CallArguments, type PyValue } from '../python/object.ts';
import { PyModule } from '../python/modules.ts';
import { PyTuple } from '../python/collections.ts';
import { bindArguments, signatureFromText } from '../python/signature.ts';
import { Given } from '../torch/arguments.ts';

/**
 * A schema in Python's words, and what it does. `torch.mean`, `F.relu` and `.expand` (a method of
 * the first argument) are given the positional arguments in their order, and the others by name.
 */
export type Adapter = readonly [
  schema: string,
  body: `torch.${string}` | `F.${string}` | `.${string}` | ((given: Given, aten: Aten) => PyValue),
];
export type Adapters = Readonly<Record<string, Adapter>>;

/**
 * Where numbers lie and how they are computed, which is not what they are. `implicit` is TorchScript's
 * own mark on expand.
 */
const ignored = new Set(
  'layout device pin_memory memory_format non_blocking cudnn_enabled cudnn_enable benchmark \
deterministic allow_tf32 implicit sparse_grad sparse scale_grad_by_freq generator'.split(' '),
);

export class Aten {
  readonly owner: TensorOwner;
  readonly #table: ReadonlyMap<string, Adapter>;
  readonly #libraries: ReadonlyMap<string, PyValue>;
  /** dtypes by the numbers that stand for them in the code. */
  readonly #dtypes: ReadonlyMap<bigint, Dtype>;
  /** Counters of BatchNorm layers that were counted up and wait for their batch_norm. */
  readonly #counted = new Map<string, PyTensor>();

  constructor(
    owner: TensorOwner,
    libraries: ReadonlyMap<string, PyValue>,
    table: ReadonlyMap<string, Adapter>,
    dtypes: ReadonlyMap<bigint, Dtype> = new Map(),
  ) {
    this.owner = owner;
    this.#dtypes = dtypes;
    this.#libraries = libraries;
    this.#table = table;
  }

  has(name: string): boolean {
    return this.#table.has(name) || this.#table.has(name.replace(/_$/, ''));
  }

  /** Calls an operator by its name without an overload: `conv2d`, `add_`. */
  call(name: string, args: CallArguments): PyValue {
    const adapter = this.#table.get(name);
    if (adapter) return this.#apply(name, adapter, args);
    const base = this.#table.get(name.replace(/(?<!_)_$/, ''));
    if (!base) throw unsupported(`the operator aten::${name} is not supported`);
    const [self] = args.positional.length > 0 ? args.positional : [...args.keywords.values()];
    if (!(self instanceof PyTensor))
      throw unsupported(`aten::${name} of something else than a tensor`);
    if (name === 'add_' && this.#counts(self)) return self;
    const result = this.#apply(name, base, args);
    if (!(result instanceof PyTensor)) throw unsupported(`aten::${name} with several results`);
    if (result !== self) self.become(result);
    return self;
  }

  #apply(name: string, [schema, body]: Adapter, args: CallArguments): PyValue {
    const signature = signatureFromText(schema);
    const { values } = bindArguments(`aten::${name}`, signature, args);
    if (values.has('dtype')) values.set('dtype', this.dtype(values.get('dtype')!));
    if (typeof body !== 'string') return body(new Given(`aten::${name}`, values), this);
    const positional: PyValue[] = [];
    const keywords = new Map<string, PyValue>();
    for (const { name: key, kind } of signature.parameters) {
      const value = values.get(key)!;
      if (ignored.has(key)) continue;
      if (kind !== 'keyword-only') positional.push(value);
      else if (value !== null) keywords.set(key, value);
    }
    while (positional.length > 1 && positional.at(-1) === null) positional.pop();
    return this.#python(body, { positional, keywords });
  }

  /** A dtype that may be written as a number; other values as they are. */
  dtype(value: PyValue): PyValue {
    if (typeof value !== 'bigint') return value;
    const dtype = this.#dtypes.get(value);
    if (dtype) return dtypeValue(dtype);
    throw unsupported(`the dtype with the number ${value} is not supported`);
  }

  /** Calls a function of the shim: `torch.where`, `F.interpolate`, `.expand`. */
  python(
    name: string,
    positional: readonly PyValue[],
    keywords: Record<string, PyValue> = {},
  ): PyValue {
    return this.#python(name, { positional, keywords: new Map(Object.entries(keywords)) });
  }

  /** The same, of which one tensor is expected. */
  tensor(
    name: string,
    positional: readonly PyValue[],
    keywords: Record<string, PyValue> = {},
  ): PyTensor {
    const result = this.python(name, positional, keywords);
    if (result instanceof PyTensor) return result;
    throw new Error(`${name} gives no tensor`);
  }

  #python(name: string, args: CallArguments): PyValue {
    const { interpreter } = this.owner.session;
    if (name.startsWith('.')) {
      const [self, ...rest] = args.positional;
      if (!(self instanceof PyTensor))
        throw unsupported(`aten:${name} of something else than a tensor`);
      const method = this.owner.protocol.attribute(self, name.slice(1));
      return call(interpreter, method ?? null, { ...args, positional: rest });
    }
    const isFunctional = name.startsWith('F.');
    const library = this.#libraries.get(isFunctional ? 'torch.nn.functional' : 'torch');
    const value = library instanceof PyModule ? library.known(name.replace(/^\w+\./, '')) : null;
    if (value === undefined)
      throw unsupported(`${name.replace(/^F\./, 'torch.nn.functional.')} is not supported`);
    return call(interpreter, value, args);
  }

  /** Whether `add_` counts a batch of a BatchNorm layer: the node batch_norm does that itself. */
  #counts(tensor: PyTensor): boolean {
    const key = this.owner.session.tracer?.keyOf(tensor);
    if (!key || !/(^|\.)num_batches_tracked$/.test(key)) return false;
    this.#counted.set(key, tensor);
    return true;
  }

  /** The counter that was counted up for the layer of these running statistics. */
  takeCounter(runningMean: PyTensor | null): PyTensor | null {
    const mean = runningMean && this.owner.session.tracer?.keyOf(runningMean);
    if (!mean) return null;
    const key = mean.replace(/running_mean$/, 'num_batches_tracked');
    const counter = this.#counted.get(key) ?? null;
    this.#counted.delete(key);
    return counter;
  }
}

/** Several results, of which all but the first are for the backward pass of torch's own kernels. */
export function withUnused(result: PyValue, ...names: readonly string[]): PyTuple {
  const reason = 'it is an intermediate result of torch, which the graph does not compute';
  return new PyTuple([result, ...names.map((name) => new Placeholder(name, reason))]);
}
