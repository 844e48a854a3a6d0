/**
 * The tensors that come with a model out of a file. Those of the state_dict have keys, and their
 * numbers go to the backend. Others (constants of the code, plain attributes such as a mask) are
 * numbers of the source where they are small, so that what depends on them can be worked out while
 * the graph is made; large ones get a key of their own beside the state_dict's.
 */
import { formatElement } from '#lib/checkpoint/elements.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { isMeta, numel, type Storage, type Tensor } from '#lib/checkpoint/tensor.ts';
import { dtypes } from '#lib/checkpoint/dtype.ts';
import { unsupported } from '../python/errors.ts';
import { HostValue } from '../torch/host.ts';
import { PyTensor, type TensorOwner } from '../torch/tensor.ts';
import type { StateEntry } from '../torch/tree.ts';

/** Elements up to which a tensor counts as a number of the code, not as a weight. */
const SMALL = 4096;

interface Known {
  readonly tensor: Tensor;
  readonly role: 'parameter' | 'buffer' | 'other';
  /** Of large others: the key that they get. */
  readonly key: string;
  numbers: Float64Array | null;
}

export class CarriedTensors {
  readonly #known = new Map<string, Known>();
  readonly #storages = new Map<Storage, number>();

  /** Tensors of the same elements are one: tied weights are often pickled one by one. */
  identity({ storage, offset, shape, strides, dtype }: Tensor): string {
    let number = this.#storages.get(storage);
    if (number === undefined) this.#storages.set(storage, (number = this.#storages.size));
    return `${number} ${offset} ${shape.join()} ${strides.join()} ${dtype}`;
  }

  /** Takes a tensor in; the first role that it gets counts. */
  add(tensor: Tensor, role: Known['role'], key: string): void {
    const identity = this.identity(tensor);
    if (this.#known.has(identity)) return;
    this.#known.set(identity, { tensor, role, key, numbers: null });
  }

  /** Reads the small ones that have no key. */
  async read(signal?: AbortSignal): Promise<void> {
    for (const known of this.#known.values()) {
      const { tensor } = known;
      if (known.role !== 'other' || !isSmall(tensor) || isMeta(tensor.storage)) continue;
      known.numbers = numbersOf(await readTensor(tensor, signal), tensor);
    }
  }

  /** What the model reads beside its state_dict, by keys. */
  get large(): ReadonlyMap<string, Tensor> {
    const large = [...this.#known.values()].filter(
      ({ role, numbers }) => role === 'other' && numbers === null,
    );
    return new Map(large.map(({ key, tensor }) => [key, tensor]));
  }

  /** The tensors of one run, each made once. */
  in(owner: TensorOwner): { of(tensor: Tensor): PyTensor; extra(): StateEntry[] } {
    const made = new Map<string, PyTensor>();
    const of = (tensor: Tensor): PyTensor => {
      const identity = this.identity(tensor);
      let value = made.get(identity);
      if (!value) made.set(identity, (value = make(owner, this.#known.get(identity), tensor)));
      return value;
    };
    const extra = (): StateEntry[] =>
      [...this.large].map(([name, tensor]) => ({ name, value: of(tensor), kind: 'constant' }));
    return { of, extra };
  }
}

function isSmall({ shape, dtype }: Tensor): boolean {
  const { kind } = dtypes[dtype];
  return numel(shape) <= SMALL && (kind === 'float' || kind === 'int' || kind === 'bool');
}

function make(owner: TensorOwner, known: Known | undefined, tensor: Tensor): PyTensor {
  if (!known) throw unsupported('a tensor that is no part of the model');
  const { shape, dtype, requiresGrad } = tensor;
  const isParameter = known.role === 'parameter';
  const { numbers } = known;
  const { interpreter } = owner.session;
  const value = numbers && new HostValue(interpreter, shape, dtype, () => numbers, { init: null });
  return new PyTensor(owner, shape, dtype, {
    isParameter,
    requiresGrad: isParameter && requiresGrad,
    madeBy: 'the file',
    value,
  });
}

function numbersOf(bytes: Uint8Array, { dtype, shape }: Tensor): Float64Array {
  return Float64Array.from({ length: numel(shape) }, (_, index) => {
    const text = formatElement(bytes, dtype, index);
    if (text === 'True' || text === 'False') return Number(text === 'True');
    return Number(text.replace('inf', 'Infinity').replace('nan', 'NaN'));
  });
}
