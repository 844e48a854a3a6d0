/**
 * A Graph's weights on the backend, and what is done with them: forward passes, losses with
 * gradients, reading the weights back. Weights are decoded and uploaded once.
 */
import * as tf from './tf.ts';
import type { Graph, ParameterSpec } from '#lib/architecture/graph.ts';
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { toFloat32 } from '#lib/checkpoint/elements.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import { execute, type Bindings } from './executor.ts';
import { checkExact, checkIndices } from './input_numbers.ts';
import { releaseFreeBuffers } from './gpu_memory.ts';
import { profile, type Profile, type ProfileContext } from './profile.ts';
import { tfDtype } from './tensors.ts';

export type { Graph };

/** A model's numbers in memory: float32 by key, and the integer counters. */
export interface Weights {
  readonly floats: ReadonlyMap<string, Float32Array>;
  readonly counters: ReadonlyMap<string, bigint>;
}

/** A tensor's numbers in row-major order: integers as 32 bits, bools as bytes. */
export interface Numbers {
  readonly values: Float32Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
  readonly dtype: Dtype;
}

export class Model {
  readonly #variables = new Map<string, tf.Variable>();
  readonly #counters = new Map<string, bigint>();
  readonly #state: readonly ParameterSpec[];
  /** What random numbers are drawn by, dropout's masks among them: the run, and its passes so far. */
  seed = 0;
  step = 0;

  private constructor(state: readonly ParameterSpec[]) {
    this.#state = state;
  }

  /** Uploads the weights of `state` from `tensors`, by state_dict key; ties are uploaded once. */
  static async load(
    state: readonly ParameterSpec[],
    tensors: ReadonlyMap<string, Tensor>,
    signal?: AbortSignal,
  ): Promise<Model> {
    const model = new Model(state);
    try {
      for (const spec of state) {
        if (spec.tiedTo !== undefined) continue;
        const tensor = tensors.get(spec.key);
        if (!tensor) throw new Error(`model: no value for ${spec.key}`);
        const bytes = await readTensor(tensor, signal);
        if (isCounter(spec)) model.#counters.set(spec.key, readCounter(bytes, tensor));
        else model.#upload(spec, bytes, tensor.dtype);
      }
      return model;
    } catch (error) {
      model.dispose();
      throw error;
    }
  }

  #upload(spec: ParameterSpec, bytes: Uint8Array, dtype: Dtype): void {
    const kind = tfDtype(spec.dtype);
    const values = kind === 'float32' ? toFloat32(bytes, dtype) : toInt32(spec, bytes, dtype);
    const initial = tf.tensor(values, [...spec.shape], kind);
    const trainable = spec.kind === 'parameter' && spec.requiresGrad;
    // The variable takes over the tensor's data; disposing the tensor only drops its name.
    this.#variables.set(spec.key, tf.variable(initial, trainable));
    initial.dispose();
  }

  /** Parameters that gradients are computed for, by key. */
  get trainable(): Map<string, tf.Variable> {
    return new Map([...this.#variables].filter(([, variable]) => variable.trainable));
  }

  /** Parameters, trained or not, by key; a tied one by its first key alone. */
  get parameters(): Map<string, tf.Variable> {
    return this.#weightsOf('parameter');
  }

  /** Buffers of floats, such as running statistics, by key. */
  get buffers(): Map<string, tf.Variable> {
    return this.#weightsOf('buffer');
  }

  /** Buffers that are one int64, such as num_batches_tracked, by key. */
  get counters(): ReadonlyMap<string, bigint> {
    return this.#counters;
  }

  #weightsOf(kind: ParameterSpec['kind']): Map<string, tf.Variable> {
    const weights = new Map<string, tf.Variable>();
    for (const spec of this.#state) {
      const variable = this.#variables.get(spec.key);
      if (spec.kind === kind && variable?.dtype === 'float32') weights.set(spec.key, variable);
    }
    return weights;
  }

  /** Outputs of one pass over numbers in memory, read back. */
  async predict(graph: Graph, inputs: readonly Omit<Numbers, 'dtype'>[]): Promise<Numbers[]> {
    const uploaded = uploadInputs(graph, inputs);
    let outputs: tf.Tensor[] = [];
    try {
      outputs = this.forward(graph, uploaded);
      return await Promise.all(
        outputs.map(async (output, at) => ({
          values: (await output.data<'float32' | 'int32' | 'bool'>()).slice(),
          shape: output.shape,
          dtype: graph.nodes[graph.outputs[at]!]!.dtype,
        })),
      );
    } finally {
      tf.dispose([...uploaded, ...outputs]);
    }
  }

  /** Time and memory of each node of a pass in evaluation mode. */
  async profile(
    graph: Graph,
    inputs: readonly Omit<Numbers, 'dtype'>[],
    context: ProfileContext,
  ): Promise<Profile> {
    const uploaded = uploadInputs(graph, inputs);
    try {
      return await profile(graph, uploaded, this.#bindings(null), context);
    } finally {
      tf.dispose(uploaded);
    }
  }

  /** Bytes of the weights on the backend. */
  get bytes(): number {
    return [...this.#variables.values()].reduce(
      (sum, { size, dtype }) => sum + size * tf.util.bytesPerElement(dtype),
      0,
    );
  }

  /** Outputs of one pass. The caller disposes them. */
  forward(graph: Graph, inputs: readonly tf.Tensor[]): tf.Tensor[] {
    return tf.tidy(() => execute(graph, inputs, this.#bindings(null)));
  }

  /**
   * One training pass: the loss of the outputs, its gradients by key (null where a parameter takes
   * no part) and the outputs of `loss`; running statistics move. The caller disposes all of them.
   */
  gradients(
    graph: Graph,
    inputs: readonly tf.Tensor[],
    loss: (outputs: tf.Tensor[]) => { loss: tf.Scalar; extra: tf.Tensor },
  ): { loss: tf.Scalar; extra: tf.Tensor; gradients: Map<string, tf.Tensor | null> } {
    const updates: [string, tf.Tensor][] = [];
    const trainable = this.trainable;
    let extra!: tf.Tensor;
    const { value, grads } = tf.variableGrads(() => {
      const outputs = execute(graph, inputs, this.#bindings(updates));
      const result = loss(outputs);
      extra = tf.keep(result.extra);
      return result.loss;
    }, [...trainable.values()]);
    for (const [key, buffer] of updates) this.assign(key, buffer);
    const gradients = new Map(
      [...trainable].map(([key, variable]) => [key, grads[variable.name] ?? null]),
    );
    this.step++;
    return { loss: value, extra, gradients };
  }

  /** Replaces a weight's value and disposes the old one and the given tensor's handle. */
  assign(key: string, value: tf.Tensor): void {
    this.#variables.get(key)!.assign(value);
    value.dispose();
  }

  #bindings(updates: [string, tf.Tensor][] | null): Bindings {
    return {
      seed: this.seed,
      step: this.step,
      weight: (key) => {
        const variable = this.#variables.get(key);
        if (!variable) throw new Error(`model: no weight ${key}`);
        return variable;
      },
      updateBuffer: (key, value) => updates?.push([key, tf.keep(value)]),
      countBatch: (key) => {
        const count = (this.#counters.get(key) ?? 0n) + 1n;
        this.#counters.set(key, count);
        return Number(count);
      },
    };
  }

  /** Reads every weight back, or what stands for them; tied keys share one array. */
  async read(
    weights: {
      readonly tensors: ReadonlyMap<string, tf.Tensor>;
      readonly counters: ReadonlyMap<string, bigint>;
    } = { tensors: this.#variables, counters: this.#counters },
  ): Promise<Weights> {
    const floats = new Map<string, Float32Array>();
    for (const [key, tensor] of weights.tensors) {
      if (tensor.dtype !== 'float32') continue; // no pass changes integers
      floats.set(key, (await tensor.data<'float32'>()).slice());
    }
    const counters = new Map(weights.counters);
    for (const { key, tiedTo } of this.#state) {
      if (tiedTo === undefined) continue;
      const [value, count] = [floats.get(tiedTo), counters.get(tiedTo)];
      if (value) floats.set(key, value);
      if (count !== undefined) counters.set(key, count);
    }
    return { floats, counters };
  }

  /** Gives the weights' memory back, and on a GPU everything else that is not in use. */
  dispose(): void {
    for (const variable of this.#variables.values()) variable.dispose();
    this.#variables.clear();
    releaseFreeBuffers();
  }
}

/** Numbers on the backend for each input of a graph. Throws where it cannot pick by one. */
export function uploadInputs(graph: Graph, inputs: readonly Omit<Numbers, 'dtype'>[]): tf.Tensor[] {
  const types = graph.inputs.map((input) => tfDtype(graph.nodes[input]!.dtype));
  // All of them are checked before one is uploaded.
  for (const [at, { values }] of inputs.entries()) {
    if (types[at] !== 'int32') continue;
    checkIndices(graph, at, values);
    if (tf.getBackend() !== 'cpu') checkExact(`input ${at}`, values);
  }
  return inputs.map(({ values, shape }, at) => {
    const dtype = types[at]!;
    return tf.tensor(values, [...shape], dtype);
  });
}

/** int64 scalars, `num_batches_tracked` among them, stay exact on the host. */
function isCounter({ dtype, shape }: ParameterSpec): boolean {
  return dtype === 'int64' && shape.length === 0;
}

function readCounter(bytes: Uint8Array, tensor: Tensor): bigint {
  if (tensor.dtype === 'int64') {
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true);
  }
  return BigInt(Math.trunc(toFloat32(bytes, tensor.dtype)[0]!));
}

/** Integers and bools as the backend holds them. Throws where a number takes more than 32 bits. */
function toInt32({ key, shape }: ParameterSpec, bytes: Uint8Array, dtype: Dtype): Int32Array {
  if (dtype !== 'int64') return Int32Array.from(toFloat32(bytes, dtype));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Int32Array.from({ length: numel(shape) }, (_, at) => {
    const value = view.getBigInt64(8 * at, true);
    if (value === BigInt.asIntN(32, value)) return Number(value);
    throw new Error(`model: ${key} holds ${value}, the backend's integers have 32 bits`);
  });
}
