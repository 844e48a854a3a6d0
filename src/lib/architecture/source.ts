/**
 * From a model's source to its graph. Three steps, each of which can be refused with a finding
 * that names the line: read the source, build the module tree, trace forward.
 */
import type { Value } from '../checkpoint/value.ts';
import type { Result } from '../checkpoint/finding.ts';
import type { Graph, ParameterSpec } from './graph.ts';

/** One Python file as the user gave it. */
export interface SourceFile {
  readonly name: string;
  readonly text: string;
}

/** Something in the source that is or makes a model. */
export interface Candidate {
  /** Class, function or variable name. */
  readonly name: string;
  /** `class`: an nn.Module class; `instance`: a module-level nn.Module; `function`: returns one. */
  readonly kind: 'class' | 'instance' | 'function';
  readonly file: string;
  readonly line: number;
  readonly arguments: readonly Argument[];
}

/** A constructor argument; `default` is its Python literal, absent when one must be given. */
export interface Argument {
  readonly name: string;
  readonly default?: string;
  readonly annotation?: string;
}

/** The source was read: what it offers. `build` makes one of them. */
export interface ModelSource {
  readonly candidates: readonly Candidate[];
  /** Arguments by name, as checkpoint values (int is bigint, float is number). */
  build(name: string, args?: ReadonlyMap<string, Value>): Result<{ module: ModuleTree }>;
}

/** An instantiated module tree. */
export interface ModuleTree {
  readonly name: string;
  /** As `state_dict()` lists them: persistent buffers and parameters, in order. */
  readonly state: readonly ParameterSpec[];
  /** Keys in the order of `parameters()`: the order of an optimizer's states. Tied ones once. */
  readonly parameterOrder: readonly string[];
  /** Names of forward's arguments that need a tensor. */
  readonly inputs: readonly string[];
  trace(
    inputs: readonly { shape: readonly number[]; dtype: 'float32' | 'int32' }[],
    options: { training: boolean },
  ): Result<{ graph: Graph }>;
}
