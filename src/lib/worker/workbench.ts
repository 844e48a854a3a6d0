/**
 * A model on the bench: its module tree bound to a state_dict, uploaded when first run, and the
 * training run on it. tfjs is loaded with the first run and not before.
 */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { FindingError, type Finding } from '#lib/checkpoint/finding.ts';
import {
  findOptimizer,
  matchParameters,
  parseOptimizer,
  recogniseOptimizer,
  type OptimizerName,
  type SavedOptimizer,
} from '#lib/checkpoint/optimizer.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import type { Dict, Value } from '#lib/checkpoint/value.ts';
import { bind, type Binding, type StateDictCandidate } from '#lib/architecture/binding.ts';
import type { CarriedModel } from '#lib/architecture/carried/model.ts';
import { editModel, type Edited } from '#lib/architecture/edit_model.ts';
import { noEdits, type ModelEdits } from '#lib/architecture/edits.ts';
import type { Graph, ParameterSpec } from '#lib/architecture/graph.ts';
import { parseLiteral } from '#lib/architecture/literal.ts';
import type { ModelSource, ModuleTree } from '#lib/architecture/source.ts';
import type { Model } from '#lib/runtime/model.ts';
import type { RunFacts } from '#lib/training/run_file.ts';
import type { ProfileContext } from '#lib/runtime/profile.ts';
import { firstValues, freshWeights, type FreshWeight } from './first_values.ts';
import { GraphView } from './graph_view.ts';
import type { CheckedBackend } from './lab.state.ts';
import type { Values } from './arrays.ts';
import {
  describeRun,
  makeInputs,
  predict,
  type InputShape,
  type Runner,
  type Sources,
} from './running.ts';
import { findTask } from './task.ts';
import { trainedWeights } from './trained.ts';
import { Training, type TrainRun } from './training.ts';
import type { MeasuredGraph, ModelTask, RunInput, RunResult, TrainSummary } from './protocol.ts';

/** Graphs that are kept; the page asks for a few shapes again and again. */
const MOST_GRAPHS = 64;

export type BenchSource = NonNullable<RunFacts['model']['source']>;

interface BenchParts {
  readonly checkpoint: Checkpoint;
  readonly stateDict: StateDictCandidate;
  readonly module: ModuleTree;
  readonly edits: ModelEdits;
  /** Whether the state_dict is one of the model with its edits, as a run keeps it. */
  readonly kept: boolean;
  readonly source: BenchSource | null;
  readonly inputs?: readonly InputShape[];
}

/** A saved optimizer, with the parameter of each id. */
export interface MatchedOptimizer {
  readonly name: OptimizerName;
  readonly saved: SavedOptimizer;
  readonly keys: readonly (readonly [Value, string])[];
}

export class Workbench {
  readonly module: ModuleTree;
  readonly binding: Binding;
  readonly stateDict: StateDictCandidate;
  readonly checkpoint: Checkpoint;
  /** What was changed of the model before it is trained. */
  readonly edits: ModelEdits;
  readonly edited: Edited;
  readonly fresh: readonly FreshWeight[];
  /** What it was built from; null where the file brings its own forward pass. */
  readonly source: BenchSource | null;
  readonly training = new Training(this);
  #seed = 0;
  readonly #graphs = new Map<string, Graph>();
  readonly #found: ReturnType<typeof findTask>;
  #model: Promise<Model> | null = null;
  #ran = false;
  /** Counts everything that asked for the model. */
  #runs = 0;
  /** The pass that was measured last. */
  graphView: GraphView | null = null;
  /** Ends a run when another model takes this one's place. */
  readonly #closing = new AbortController();

  private constructor(parts: BenchParts) {
    const { checkpoint, stateDict, module, edits, kept, source, inputs } = parts;
    const edited = editModel(module, edits);
    if (!edited.ok) throw new FindingError(edited.findings[0]!);
    this.checkpoint = checkpoint;
    this.stateDict = stateDict;
    this.edits = edits;
    this.source = source;
    this.edited = edited;
    this.module = edited.module;
    // A state of the edited model has its keys already.
    const options = { rename: edits.rename, ...(!kept && { edited }) };
    this.binding = bind(this.module.state, stateDict.dict, options);
    this.fresh = freshWeights(this.module, this.binding, kept ? { ...edits, fresh: [] } : edits);
    this.#found = findTask(this.module, inputs);
  }

  /** What the model is for, as far as trials say. */
  get task(): ModelTask {
    return this.#found.task;
  }

  /** Builds a candidate of the source and binds it. Throws a FindingError that names the line. */
  static build(parts: {
    checkpoint: Checkpoint;
    stateDict: StateDictCandidate;
    source: ModelSource;
    files: BenchSource['files'];
    candidate: string;
    file: string | undefined;
    arguments: Readonly<Record<string, string>>;
    edits?: ModelEdits;
    kept?: boolean;
  }): Workbench {
    const { checkpoint, stateDict, source, candidate, file } = parts;
    const values = new Map<string, Value>();
    for (const [name, text] of Object.entries(parts.arguments)) {
      if (text.trim() !== '') values.set(name, parseLiteral(text));
    }
    const built = source.build(candidate, values, file);
    if (!built.ok) throw new FindingError(built.findings[0]!);
    const { module } = built;
    const { edits = noEdits, kept = false } = parts;
    const { files, arguments: args } = parts;
    const made: BenchSource = { files, candidate, file: file ?? null, arguments: args };
    return new Workbench({ checkpoint, stateDict, module, edits, kept, source: made });
  }

  /** Binds a model that came out of the checkpoint's own file. */
  static carried({
    checkpoint,
    carried: { module, stateDict: dict, inputs },
    stateDicts,
    edits = noEdits,
    kept = false,
  }: {
    checkpoint: Checkpoint;
    carried: CarriedModel;
    stateDicts: readonly StateDictCandidate[];
    edits?: ModelEdits;
    kept?: boolean;
  }): Workbench {
    // Saving puts trained weights where the file has them.
    const place = stateDicts.find((candidate) =>
      [...candidate.dict.keys()].every((key) => dict.has(key)),
    );
    const stateDict = { ...(place ?? { path: [], origin: dict, score: 0 }), dict };
    return new Workbench({ checkpoint, stateDict, module, edits, kept, inputs, source: null });
  }

  /** Whether every weight has a value, from the file or a first one. */
  get isReady(): boolean {
    return this.#lacking.length === 0;
  }

  get #lacking(): string[] {
    const { missing, mismatched } = this.binding;
    const fresh = new Set(this.fresh.map(({ key }) => key));
    return [...missing, ...mismatched.map(({ key }) => key)].filter((key) => {
      const tiedTo = this.module.state.find((spec) => spec.key === key)?.tiedTo;
      return !fresh.has(tiedTo ?? key);
    });
  }

  /** Of the trials: what may be missing for a pass, and the graph of one that went through. */
  get warnings(): readonly Finding[] {
    return this.#found.findings;
  }

  get trial(): Graph | null {
    return this.#found.graph;
  }

  /** Parameters in the order of `parameters()`: all of them, or those that are trained. */
  parameters(which: 'all' | 'trained'): ParameterSpec[] {
    const specs = new Map(this.module.state.map((spec) => [spec.key, spec]));
    const all = this.module.parameterOrder.map((key) => specs.get(key)!);
    return which === 'all' ? all : all.filter(({ requiresGrad }) => requiresGrad);
  }

  /** The optimizer of the last kept state, or of the file; see `matchOptimizer`. */
  savedOptimizer() {
    const saved = this.training.last?.optimizer;
    return this.matchOptimizer(saved ?? findOptimizer(this.checkpoint.root)?.dict ?? null);
  }

  /** An optimizer's state_dict by the model's parameters; or why it does not fit. */
  matchOptimizer(state: Dict | null): { found: MatchedOptimizer | null; note: string | null } {
    const saved = parseOptimizer(state ?? undefined);
    if (!saved) return { found: null, note: null };
    const { last, optimizer } = this.training;
    const recognised =
      state === last?.optimizer && optimizer
        ? { name: optimizer, certain: true }
        : recogniseOptimizer(saved);
    if (!recognised) {
      return { found: null, note: 'its optimizer is none that torch.optim is known to write' };
    }
    // Scripts hand an optimizer all parameters, or those alone that they do not freeze.
    const all = matchParameters(saved, this.parameters('all'));
    const match = all.ok ? all : matchParameters(saved, this.parameters('trained'));
    if (!match.ok) return { found: null, note: all.ok ? null : all.findings[0]!.message };
    const { name, certain } = recognised;
    return {
      found: { name, saved, keys: match.keys },
      note: certain ? null : doubtOf(name),
    };
  }

  /** The model on the backend, uploaded with its first use. */
  load(signal: AbortSignal): Promise<Model> {
    const missing = this.#lacking;
    if (missing.length > 0) {
      throw new FindingError({
        code: 'model-incomplete',
        message: `model: ${missing.length} of its weights have no value in the file: ${missing.slice(0, 4).join(', ')}${missing.length > 4 ? ', …' : ''}`,
        advice:
          'Choose another state_dict, or correct the constructor arguments on the Model page.',
      });
    }
    if (!this.#model) {
      const model = import('#lib/runtime/model.ts').then(({ Model }) =>
        Model.load(this.module.state, this.#tensors(), signal),
      );
      this.#model = model;
      model.catch(() => {
        if (this.#model === model) this.#model = null;
      });
    }
    return this.#model;
  }

  /** The weights to go on from: the last kept state, else the file's and first values. */
  #tensors(): Map<string, Tensor> {
    const { last } = this.training;
    if (!last) {
      const held = [...this.binding.matched].map(([key, { tensor }]) => [key, tensor] as const);
      return new Map([...held, ...firstValues(this.module, this.fresh, this.#seed)]);
    }
    const state = trainedWeights(this, last.weights, 'model');
    return new Map([...state.entries()] as [string, Tensor][]);
  }

  /** The seed of first values; with another one, a model that is not trained yet is made anew. */
  async reseed(seed: number): Promise<void> {
    const isOther = seed !== this.#seed && this.fresh.length > 0 && !this.training.last;
    this.#seed = seed;
    if (isOther) await this.unload();
  }

  /** Takes the model off the backend; the next use puts it there anew. */
  async unload(): Promise<void> {
    const model = this.#model;
    this.#model = null;
    await model?.then(
      (loaded) => loaded.dispose(),
      () => {}, // it never came to be
    );
  }

  /** The graph for a batch of inputs of one shape, traced once for each shape and mode. */
  graph(inputs: readonly InputShape[], training: boolean): Graph {
    const key = `${training} ${inputs.map(({ shape, dtype }) => `${dtype} ${shape.join(' ')}`).join()}`;
    let graph = this.#graphs.get(key);
    if (!graph) {
      const traced = this.module.trace(inputs, { training });
      if (!traced.ok) throw new FindingError(traced.findings[0]!);
      graph = traced.graph;
      // A text that grows asks for a length after the other: the oldest one goes.
      if (this.#graphs.size >= MOST_GRAPHS) this.#graphs.delete([...this.#graphs.keys()][0]!);
      this.#graphs.set(key, graph);
    }
    return graph;
  }

  /** What runs in evaluation mode need. */
  runner(backend: CheckedBackend): Runner {
    return {
      module: this.module,
      graph: (inputs) => this.graph(inputs, false),
      model: (signal) => {
        this.#runs++;
        return this.load(signal);
      },
      backend,
    };
  }

  /** A forward pass over one example, or over what the page gave. */
  async run({
    input,
    sources,
    top,
    backend,
    signal,
  }: {
    input: RunInput;
    sources: Sources;
    top: number;
    backend: CheckedBackend;
    signal: AbortSignal;
  }): Promise<RunResult> {
    const inputs = await makeInputs(input, sources, signal);
    const pass = await predict(this.runner(backend), inputs, signal);
    const first = !this.#ran;
    this.#ran = true;
    const label = sources.example?.label ?? null;
    return describeRun(pass, inputs, { top, label, first, backend });
  }

  /** Passes that were asked for so far: `measure` is told how many there were before it. */
  get runs(): number {
    return this.#runs;
  }

  /** Measures a pass part by part. What else runs meanwhile would count as well, so it is refused. */
  async measure({
    inputs,
    tokens,
    backend,
    runs,
    signal,
    progress,
  }: {
    inputs: readonly Values[];
    tokens: string[] | null;
    backend: CheckedBackend;
    /** See `runs`. */
    runs: number;
  } & ProfileContext): Promise<MeasuredGraph> {
    const demandAlone = () => {
      if (!this.training.isRunning && this.#runs === runs) return;
      throw new FindingError({
        code: 'graph-disturbed',
        message: `graph: ${this.training.isRunning ? 'a training run' : 'another run'} is in progress, its time and memory would count as well`,
        advice: 'Measure again when it has ended.',
      });
    };
    demandAlone();
    const context = { signal: AbortSignal.any([signal, this.#closing.signal]), progress };
    const runner = { ...this.runner(backend), model: (on: AbortSignal) => this.load(on) };
    const { view, measured } = await GraphView.measure(runner, inputs, tokens, context);
    demandAlone();
    this.graphView = view;
    return measured;
  }

  /** Trains; see Training. */
  train(run: TrainRun): Promise<TrainSummary> {
    const signal = AbortSignal.any([run.signal, this.#closing.signal]);
    return this.training.run({ ...run, signal });
  }

  /** Ends a run in progress and frees the backend's memory. */
  async dispose(): Promise<void> {
    this.#closing.abort(
      new FindingError({
        code: 'training-ended',
        message: 'training: the run ended, since another model took the place of this one',
        advice: 'Build the model again to train it.',
      }),
    );
    await this.training.ended();
    await this.unload();
  }
}

/** What to say of an optimizer that is not certain. */
function doubtOf(name: OptimizerName): string {
  return name === 'AdamW'
    ? 'Adam and AdamW leave the same traces in a file of this age; taken for AdamW because of its weight decay'
    : `${name} and others leave the same traces in a file of this age; taken for ${name}`;
}
