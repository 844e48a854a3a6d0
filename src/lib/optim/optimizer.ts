/**
 * A torch.optim optimizer: a rule applied to a model's parameters, with param_groups and states held
 * by parameter name, and its state_dict in torch's form, both ways.
 */
import * as tf from '#lib/runtime/tf.ts';
import { matchesGlobs } from '#lib/checkpoint/glob.ts';
import type { OptimizerName, SavedOptimizer } from '#lib/checkpoint/optimizer.ts';
import { Dict, dict, isDict, list, type Value } from '#lib/checkpoint/value.ts';
import { element, Numbers } from '#lib/runtime/kernels/formula.ts';
import type { Model } from '#lib/runtime/model.ts';
import { adadelta } from './adadelta.ts';
import { adagrad } from './adagrad.ts';
import { adam, adamw } from './adam.ts';
import { adamax } from './adamax.ts';
import { nadam } from './nadam.ts';
import { checkOptions, invalid, isSame, optionValue } from './options.ts';
import { ParameterState } from './parameter_state.ts';
import { radam } from './radam.ts';
import { rmsprop } from './rmsprop.ts';
import type { Rule } from './rule.ts';
import type { OptimizerSettings, OptionValue } from './settings.ts';
import { sgd } from './sgd.ts';

export const rules: Readonly<Record<OptimizerName, Rule>> = {
  SGD: sgd,
  Adam: adam,
  AdamW: adamw,
  NAdam: nadam,
  RAdam: radam,
  Adamax: adamax,
  RMSprop: rmsprop,
  Adagrad: adagrad,
  Adadelta: adadelta,
};

/** A model's parameter, as `matchParameters` takes them too. */
interface Parameter {
  readonly key: string;
  readonly shape: readonly number[];
}

interface Group {
  readonly ids: readonly Value[];
  readonly keys: readonly string[];
  readonly options: Dict;
}

export class Optimizer {
  readonly name: OptimizerName;
  readonly #rule: Rule;
  readonly #groups: readonly Group[];
  /** By parameter, in the order that they came to be. */
  readonly #states = new Map<string, ParameterState>();

  private constructor(name: OptimizerName, groups: readonly Group[]) {
    this.name = name;
    this.#rule = rules[name];
    this.#groups = groups;
    for (const { options } of groups) checkOptions(this.#rule, options);
  }

  /**
   * A fresh optimizer over `parameters`, in the order of `parameters()`. Throws a FindingError for
   * options that torch's constructor refuses, and for groups that no parameter goes to.
   */
  static fresh(settings: OptimizerSettings, parameters: readonly Parameter[]): Optimizer {
    const rule = rules[settings.name];
    const defaults = new Dict(rule.defaults);
    for (const [key, value] of Object.entries(settings.options)) {
      defaults.set(key, optionValue(rule, key, value));
    }
    let next = 0n;
    const groups = divide(settings, parameters).map(({ members, options }): Group => {
      const ids = members.map(() => next++);
      const keys = members.map(({ key }) => key);
      // As in torch, a group's own entries come first. Names tell who is who in several groups.
      const group = new Dict();
      for (const [key, value] of Object.entries(options)) {
        group.set(key, optionValue(rule, key, value));
      }
      if (settings.groups.length > 0) group.set('param_names', list(...keys));
      for (const [key, value] of defaults.entries()) if (!group.has(key)) group.set(key, value);
      return { ids, keys, options: group.set('params', list(...ids)) };
    });
    const optimizer = new Optimizer(settings.name, groups);
    if (rule.isEager) {
      const shapes = new Map(parameters.map(({ key, shape }) => [key, shape]));
      for (const key of groups.flatMap(({ keys }) => keys)) {
        // The constructor's options count, even for a group with options of its own.
        const state = new ParameterState();
        state.complete(rule, rule.tensors(defaults), shapes.get(key)!, key);
        optimizer.#states.set(key, state);
      }
    }
    return optimizer;
  }

  /** An optimizer that goes on from a state_dict; `keys` as `matchParameters` gives them. */
  static async restore(
    name: OptimizerName,
    saved: SavedOptimizer,
    keys: readonly (readonly [Value, string])[],
    signal?: AbortSignal,
  ): Promise<Optimizer> {
    const rule = rules[name];
    const keyOf = new Dict(keys);
    const groups = saved.groups.map(({ ids, options }) => {
      const group = new Dict(options.entries(), options.type);
      for (const [key, value] of rule.later) if (!group.has(key)) group.set(key, value);
      return { ids, keys: ids.map((id) => keyOf.get(id) as string), options: group };
    });
    const optimizer = new Optimizer(name, groups);
    try {
      for (const [id, entries] of saved.states.entries()) {
        const key = keyOf.get(id);
        if (typeof key !== 'string' || !isDict(entries)) continue;
        optimizer.#states.set(key, await ParameterState.read(entries, rule, key, signal));
      }
      return optimizer;
    } catch (error) {
      optimizer.dispose();
      throw error;
    }
  }

  /** The param_groups themselves: what is set in them counts from the next step on. */
  get groups(): readonly Dict[] {
    return this.#groups.map(({ options }) => options);
  }

  /**
   * Sets options as a user would in `optimizer.param_groups`: in every group that has the first
   * one's value. A group with a value of its own, such as no weight decay for biases, keeps it.
   */
  configure(options: Readonly<Record<string, OptionValue>>): void {
    for (const [key, given] of Object.entries(options)) {
      const value = optionValue(this.#rule, key, given);
      const before = this.groups[0]?.get(key);
      for (const group of this.groups) {
        const own = group.get(key);
        if (isSame(own, before) && !isSame(own, value)) group.set(key, value);
      }
    }
    for (const group of this.groups) checkOptions(this.#rule, group);
  }

  /** One step: replaces the model's parameters and this state. Parameters without gradient stay. */
  step(model: Model, gradients: ReadonlyMap<string, tf.Tensor | null>): void {
    const parameters = model.trainable;
    // Parameters of a group that have come equally far share the numbers of the step.
    const shared = new Map<string, Numbers>();
    try {
      for (const [at, { keys, options }] of this.#groups.entries()) {
        for (const key of keys) {
          const [param, grad] = [parameters.get(key), gradients.get(key)];
          if (!param || !grad) continue;
          let state = this.#states.get(key);
          if (!state) this.#states.set(key, (state = new ParameterState()));
          const isFirst = state.complete(this.#rule, this.#rule.tensors(options), param.shape, key);
          const scalars = this.#rule.advance(state.scalars, options);
          const place = JSON.stringify([at, scalars, isFirst]);
          let numbers = shared.get(place);
          if (!numbers) {
            numbers = new Numbers(this.#rule.numbers(options, scalars, isFirst));
            shared.set(place, numbers);
          }
          const terms = { param: element(param), grad: element(grad), state: state.terms };
          const { param: next, ...tensors } = tf.tidy(() =>
            numbers.compute(this.#rule.formula({ ...terms, numbers: numbers.terms }, options)),
          );
          state.scalars = scalars;
          state.replace(tensors);
          model.assign(key, next!);
        }
      }
    } finally {
      for (const numbers of shared.values()) numbers.dispose();
    }
  }

  /** torch's state_dict, its tensors read back from the backend as float32. */
  async stateDict(): Promise<Dict> {
    const ids = new Map(
      this.#groups.flatMap(({ ids, keys }) => keys.map((key, at) => [key, ids[at]!])),
    );
    const states = new Dict();
    for (const [key, state] of this.#states) {
      const entries = await state.write();
      if (entries.size > 0) states.set(ids.get(key)!, entries);
    }
    const groups = this.#groups.map(({ ids, options }) => {
      const group = new Dict(options.entries(), options.type);
      group.delete('params'); // as in torch, it comes last, whatever else has been set
      return group.set('params', list(...ids));
    });
    return dict({ state: states, param_groups: list(...groups) });
  }

  dispose(): void {
    for (const state of this.#states.values()) state.dispose();
    this.#states.clear();
  }
}

/** The parameters of each param_group; those that no glob takes are the last one, without own options. */
function divide({ groups }: OptimizerSettings, parameters: readonly Parameter[]) {
  const divided = [...groups, { parameters: ['*'], options: {} }].map((group) => {
    return { ...group, members: [] as Parameter[] };
  });
  for (const parameter of parameters) {
    divided.find((group) => matchesGlobs(parameter.key, group.parameters))!.members.push(parameter);
  }
  const rest = divided.pop()!;
  const empty = divided.find(({ members }) => members.length === 0);
  if (empty) throw invalid(`no parameter is left for the group ${empty.parameters.join(', ')}`);
  return rest.members.length > 0 || groups.length === 0 ? [...divided, rest] : divided;
}
