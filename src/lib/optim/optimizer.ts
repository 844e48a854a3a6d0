/**
 * A torch.optim optimizer: rules applied to a model's parameters, with states held by parameter
 * name, and its state_dict in torch's form, both ways.
 */
import * as tf from '#lib/runtime/tf.ts';
import { toFloat32 } from '#lib/checkpoint/elements.ts';
import type { OptimizerName, SavedOptimizer } from '#lib/checkpoint/optimizer.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { Dict, dict, isDict, isTensor, list, type Value } from '#lib/checkpoint/value.ts';
import type { Model } from '#lib/runtime/model.ts';
import { adam, adamw } from './adam.ts';
import type { Rule, StateTensors } from './rule.ts';
import { sgd } from './sgd.ts';

export const rules: Readonly<Record<OptimizerName, Rule>> = { SGD: sgd, Adam: adam, AdamW: adamw };

/**
 * Entries of a param_group that choose an implementation or belong to a scheduler: kept as they
 * are, without a part in the arithmetic. Any other unknown entry is an error.
 */
const INERT_OPTIONS = new Set([
  'params',
  'param_names',
  'foreach',
  'fused',
  'capturable',
  'differentiable',
  'initial_lr',
  'max_lr',
  'min_lr',
  'base_lr',
  'base_momentum',
  'max_momentum',
  'decoupled_weight_decay',
]);

interface Group {
  readonly ids: readonly Value[];
  readonly keys: readonly string[];
  options: Dict;
}

interface ParameterState {
  step: number;
  tensors: StateTensors;
}

export class Optimizer {
  readonly name: OptimizerName;
  readonly #rule: Rule;
  readonly #groups: Group[];
  readonly #states = new Map<string, ParameterState>();

  private constructor(name: OptimizerName, groups: Group[]) {
    this.name = name;
    this.#rule = rules[name];
    this.#groups = groups;
    for (const { options } of groups) this.#checkOptions(options);
  }

  /** A fresh optimizer with one param_group, its options as torch's defaults but for `options`. */
  static fresh(
    name: OptimizerName,
    parameterOrder: readonly string[],
    options: Readonly<Record<string, Value>> = {},
  ): Optimizer {
    const ids = parameterOrder.map((_, index) => BigInt(index));
    const group = new Dict([...rules[name].defaults, ['params', list(...ids)]]);
    const optimizer = new Optimizer(name, [{ ids, keys: parameterOrder, options: group }]);
    optimizer.configure(options);
    return optimizer;
  }

  /** An optimizer that goes on from a state_dict; `keys` as `matchParameters` gives them. */
  static async restore(
    name: OptimizerName,
    saved: SavedOptimizer,
    keys: readonly (readonly [Value, string])[],
    signal?: AbortSignal,
  ): Promise<Optimizer> {
    const keyOf = new Dict(keys);
    const groups = saved.groups.map(({ ids, options }) => ({
      ids,
      keys: ids.map((id) => keyOf.get(id) as string),
      options: new Dict(options.entries(), options.type),
    }));
    const optimizer = new Optimizer(name, groups);
    try {
      for (const [id, key] of keys) {
        const state = saved.states.get(id);
        if (isDict(state)) optimizer.#states.set(key, await readState(state, key, signal));
      }
      return optimizer;
    } catch (error) {
      optimizer.dispose();
      throw error;
    }
  }

  /**
   * Sets options as a user would in `optimizer.param_groups`: in every group that has the first
   * one's value. A group with a value of its own, such as no weight decay for biases, keeps it.
   */
  configure(options: Readonly<Record<string, Value>>): void {
    for (const [key, value] of Object.entries(options)) {
      const before = this.#groups[0]?.options.get(key);
      for (const group of this.#groups) {
        const own = group.options.get(key);
        if (own === undefined) throw new Error(`optimizer: ${this.name} has no option ${key}`);
        if (!isSame(own, before) || isSame(own, value)) continue;
        group.options = new Dict(group.options.entries(), group.options.type).set(key, value);
      }
    }
  }

  #checkOptions(options: Dict): void {
    const known = new Set(this.#rule.defaults.map(([key]) => key));
    for (const key of options.keys()) {
      if (typeof key !== 'string' || !(known.has(key) || INERT_OPTIONS.has(key))) {
        throw new Error(`optimizer: ${this.name} has no option ${String(key)} in param_groups`);
      }
    }
    this.#rule.compile(options);
  }

  /** One step: replaces the model's parameters and this state. Parameters without gradient stay. */
  step(model: Model, gradients: ReadonlyMap<string, tf.Tensor | null>): void {
    const parameters = model.trainable;
    for (const { keys, options } of this.#groups) {
      const update = this.#rule.compile(options);
      for (const key of keys) {
        const grad = gradients.get(key);
        const param = parameters.get(key);
        if (!grad || !param) continue;
        const state = this.#states.get(key) ?? { step: 0, tensors: {} };
        state.step++;
        const { tensors } = state;
        const next = tf.tidy(() => update({ param, grad, state: tensors, step: state.step }));
        for (const old of Object.values(tensors)) old.dispose();
        // tidy leaves its results to the caller; keep them out of any scope around.
        state.tensors = next.state;
        for (const tensor of Object.values(next.state)) tf.keep(tensor);
        model.assign(key, next.param);
        this.#states.set(key, state);
      }
    }
  }

  /** torch's state_dict, its tensors read back from the backend as float32. */
  async stateDict(): Promise<Dict> {
    const states = new Dict();
    for (const { ids, keys } of this.#groups) {
      for (const [index, key] of keys.entries()) {
        const state = this.#states.get(key);
        if (!state) continue;
        const entries = new Dict();
        if (this.#rule.counts) entries.set('step', scalar(state.step));
        for (const [name, tensor] of Object.entries(state.tensors)) {
          const values = await tensor.data<'float32'>();
          const bytes = new Uint8Array(values.slice().buffer);
          entries.set(name, tensorFromBytes(bytes, 'float32', tensor.shape));
        }
        if (entries.size > 0) states.set(ids[index]!, entries);
      }
    }
    const groups = this.#groups.map(({ options }) => new Dict(options.entries(), options.type));
    return dict({ state: states, param_groups: list(...groups) });
  }

  dispose(): void {
    for (const { tensors } of this.#states.values()) {
      for (const tensor of Object.values(tensors)) tensor.dispose();
    }
    this.#states.clear();
  }
}

/** Whether two options are the same; 0 and 0.0 are. */
function isSame(a: Value, b: Value | undefined): boolean {
  const isNumber = (value: unknown) => typeof value === 'number' || typeof value === 'bigint';
  return isNumber(a) && isNumber(b) ? Number(a) === Number(b) : a === b;
}

async function readState(state: Dict, key: string, signal?: AbortSignal): Promise<ParameterState> {
  const read: ParameterState = { step: 0, tensors: {} };
  try {
    for (const [name, value] of state.entries()) {
      if (value === null) continue; // SGD without momentum, before 2.0: momentum_buffer None
      if (name === 'step') {
        read.step = await readStep(value, key, signal);
      } else if (isTensor(value) && typeof name === 'string') {
        const values = toFloat32(await readTensor(value, signal), value.dtype);
        read.tensors[name] = tf.tensor(values, [...value.shape], 'float32');
      } else {
        throw new Error(`optimizer: the state ${String(name)} of ${key} is no tensor`);
      }
    }
    return read;
  } catch (error) {
    tf.dispose(read.tensors);
    throw error;
  }
}

/** A float32 scalar tensor since PyTorch 1.12, a plain int before. */
async function readStep(value: Value, key: string, signal?: AbortSignal): Promise<number> {
  if (typeof value === 'bigint' || typeof value === 'number') return Number(value);
  if (isTensor(value)) return toFloat32(await readTensor(value, signal), value.dtype)[0]!;
  throw new Error(`optimizer: the step of ${key} is no number`);
}

function scalar(value: number) {
  return tensorFromBytes(new Uint8Array(new Float32Array([value]).buffer), 'float32', []);
}
