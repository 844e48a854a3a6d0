/**
 * A model on the bench: its module tree bound to a state_dict, uploaded when first run, and the
 * training run on it. tfjs is loaded with the first run and not before.
 */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import {
  findOptimizer,
  matchParameters,
  parseOptimizer,
  recogniseOptimizer,
  type OptimizerName,
  type SavedOptimizer,
} from '#lib/checkpoint/optimizer.ts';
import { numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import { isDict, type Value } from '#lib/checkpoint/value.ts';
import { bind, type Binding, type StateDictCandidate } from '#lib/architecture/binding.ts';
import type { CarriedModel } from '#lib/architecture/carried/model.ts';
import type { Graph } from '#lib/architecture/graph.ts';
import { parseLiteral } from '#lib/architecture/literal.ts';
import type { ModelSource, ModuleTree } from '#lib/architecture/source.ts';
import type { Dataset } from '#lib/inputs/dataset.ts';
import type { Optimizer } from '#lib/optim/optimizer.ts';
import type { Model } from '#lib/runtime/model.ts';
import type { ProfileContext } from '#lib/runtime/profile.ts';
import type { Kept, Session } from '#lib/training/session.ts';
import { GraphView } from './graph_view.ts';
import type { Values } from './arrays.ts';
import {
  describeRun,
  makeInputs,
  predict,
  type InputShape,
  type Runner,
  type Sources,
} from './running.ts';
import { checkSettings, splitExamples } from './settings.ts';
import { findTask } from './task.ts';
import { trainedWeights } from './trained.ts';
import type {
  Backend,
  BuiltModel,
  MeasuredGraph,
  ModelTask,
  RunInput,
  RunResult,
  TrainProgress,
  TrainSettings,
  TrainSummary,
} from './protocol.ts';

/** Graphs that are kept; the page asks for a few shapes again and again. */
const MOST_GRAPHS = 64;

type CheckedBackend = Backend & { check(): void };

interface TrainRun {
  readonly settings: TrainSettings;
  readonly data: Dataset;
  readonly backend: CheckedBackend;
  readonly signal: AbortSignal;
  progress(progress: TrainProgress): void;
}

export class Workbench {
  readonly module: ModuleTree;
  readonly binding: Binding;
  readonly stateDict: StateDictCandidate;
  readonly #checkpoint: Checkpoint;
  readonly #graphs = new Map<string, Graph>();
  readonly #found: ReturnType<typeof findTask>;
  #model: Promise<Model> | null = null;
  #ran = false;
  /** Counts everything that asked for the model. */
  #runs = 0;
  #optimizer: Optimizer | null = null;
  /** The optimizer of the last kept state. */
  #trainedWith: OptimizerName | null = null;
  session: Session | null = null;
  /** The pass that was measured last. */
  graphView: GraphView | null = null;
  /** Settled when the run in progress has ended, however it did. */
  #training: Promise<unknown> | null = null;
  /** Ends a run when another model takes this one's place. */
  readonly #closing = new AbortController();
  best: Kept | null = null;
  last: Kept | null = null;

  private constructor(
    checkpoint: Checkpoint,
    stateDict: StateDictCandidate,
    module: ModuleTree,
    binding: Binding,
    inputs?: readonly InputShape[],
  ) {
    this.#checkpoint = checkpoint;
    this.stateDict = stateDict;
    this.module = module;
    this.binding = binding;
    this.#found = findTask(module, inputs);
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
    candidate: string;
    file: string | undefined;
    arguments: Readonly<Record<string, string>>;
  }): { bench: Workbench; model: BuiltModel } {
    const { checkpoint, stateDict, source, candidate, file } = parts;
    const values = new Map<string, Value>();
    for (const [name, text] of Object.entries(parts.arguments)) {
      if (text.trim() !== '') values.set(name, parseLiteral(text));
    }
    const built = source.build(candidate, values, file);
    if (!built.ok) throw new FindingError(built.findings[0]!);
    const { module } = built;
    const binding = bind(module.state, stateDict.dict);
    const bench = new Workbench(checkpoint, stateDict, module, binding);
    return { bench, model: bench.#describe() };
  }

  /** Binds a model that came out of the checkpoint's own file. */
  static carried({
    checkpoint,
    carried: { module, stateDict: dict, inputs },
    stateDicts,
  }: {
    checkpoint: Checkpoint;
    carried: CarriedModel;
    stateDicts: readonly StateDictCandidate[];
  }): { bench: Workbench; model: BuiltModel } {
    // Saving puts trained weights where the file has them.
    const place = stateDicts.find((candidate) =>
      [...candidate.dict.keys()].every((key) => dict.has(key)),
    );
    const stateDict = { ...(place ?? { path: [], origin: dict, score: 0 }), dict };
    const bench = new Workbench(checkpoint, stateDict, module, bind(module.state, dict), inputs);
    return { bench, model: bench.#describe() };
  }

  get isReady(): boolean {
    return this.binding.missing.length === 0 && this.binding.mismatched.length === 0;
  }

  #describe(): BuiltModel {
    const { binding, module } = this;
    const shape = (sizes: readonly number[]) => `[${sizes.join(', ')}]`;
    const optimizer = this.#savedOptimizer();
    const { task, findings } = this.#found;
    const [input] = task.inputs;
    const isPlain =
      task.inputs.length === 1 && input!.dtype === 'float32' && input!.shape.length > 1;
    return {
      name: module.name,
      parameters: module.state
        .filter(({ kind, tiedTo }) => kind === 'parameter' && tiedTo === undefined)
        .reduce((sum, spec) => sum + numel(spec.shape), 0),
      inputs: [...module.inputs],
      exampleShape: isPlain ? input!.shape.slice(1) : null,
      task,
      report: {
        matched: binding.matched.size,
        missing: [...binding.missing],
        unexpected: [...binding.unexpected],
        mismatched: binding.mismatched.map(({ key, checkpoint, model }) => ({
          key,
          inFile: shape(checkpoint),
          inModel: shape(model),
        })),
        stripped: [...binding.stripped],
        notes: binding.notes.map(({ message }) => message),
      },
      ready: this.isReady,
      optimizer: optimizer.state && {
        name: optimizer.state.name,
        states: optimizer.state.saved.states.size,
        learningRate: optionOf(optimizer.state.saved, 'lr'),
        weightDecay: optionOf(optimizer.state.saved, 'weight_decay'),
      },
      optimizerNote: optimizer.note,
      warnings: findings,
    };
  }

  /** The model's parameters, as an optimizer takes them. */
  #parameters() {
    const shapes = new Map(this.module.state.map(({ key, shape }) => [key, shape]));
    return this.module.parameterOrder.map((key) => ({ key, shape: shapes.get(key)! }));
  }

  /** The optimizer to go on from, where it fits this model; else why not. */
  #savedOptimizer() {
    const found = this.last
      ? parseOptimizer(this.last.optimizer)
      : findOptimizer(this.#checkpoint.root)?.optimizer;
    if (!found) return { state: null, note: null };
    const recognised = this.#trainedWith
      ? { name: this.#trainedWith, certain: true }
      : recogniseOptimizer(found);
    if (!recognised)
      return { state: null, note: 'its optimizer is none that torch.optim is known to write' };
    const match = matchParameters(found, this.#parameters());
    if (!match.ok) return { state: null, note: match.findings[0]!.message };
    const { name, certain } = recognised;
    return {
      state: { name, saved: found, keys: match.keys },
      note: certain
        ? null
        : 'Adam and AdamW leave the same traces in a file of this age; taken for AdamW because of its weight decay',
    };
  }

  /** The model on the backend, uploaded with its first use. */
  #upload(signal: AbortSignal): Promise<Model> {
    if (!this.isReady) {
      const missing = [...this.binding.missing, ...this.binding.mismatched.map(({ key }) => key)];
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

  /** The weights to go on from: the last kept state, else the file's. */
  #tensors(): Map<string, Tensor> {
    if (!this.last)
      return new Map([...this.binding.matched].map(([key, { tensor }]) => [key, tensor]));
    const state = trainedWeights(this, this.last.weights, 'model');
    return new Map([...state.entries()] as [string, Tensor][]);
  }

  /** Takes model and optimizer off the backend; the next use puts them there anew. */
  async unload(): Promise<void> {
    const model = this.#model;
    this.#model = null;
    this.#optimizer?.dispose();
    this.#optimizer = null;
    await model?.then(
      (loaded) => loaded.dispose(),
      () => {}, // it never came to be
    );
  }

  /** The graph for a batch of inputs of one shape, traced once for each shape and mode. */
  #graph(inputs: readonly InputShape[], training: boolean): Graph {
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
      graph: (inputs) => this.#graph(inputs, false),
      model: (signal) => {
        this.#runs++;
        return this.#upload(signal);
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

  /** Measures a pass part by part. What else runs meanwhile would count as well, so it is refused. */
  async measure({
    inputs,
    tokens,
    backend,
    signal,
    progress,
  }: {
    inputs: readonly Values[];
    tokens: string[] | null;
    backend: CheckedBackend;
  } & ProfileContext): Promise<MeasuredGraph> {
    const runs = this.#runs;
    const demandAlone = () => {
      if (!this.#training && this.#runs === runs) return;
      throw new FindingError({
        code: 'graph-disturbed',
        message: `graph: ${this.#training ? 'a training run' : 'another run'} is in progress, its time and memory would count as well`,
        advice: 'Measure again when it has ended.',
      });
    };
    demandAlone();
    const context = { signal: AbortSignal.any([signal, this.#closing.signal]), progress };
    const runner = { ...this.runner(backend), model: (on: AbortSignal) => this.#upload(on) };
    const { view, measured } = await GraphView.measure(runner, inputs, tokens, context);
    demandAlone();
    this.graphView = view;
    return measured;
  }

  /** Trains until done, stopped or aborted; one run at a time. */
  async train(run: TrainRun): Promise<TrainSummary> {
    if (this.#training) {
      throw new FindingError({
        code: 'training-busy',
        message: 'training: a run is in progress',
        advice: 'Stop it before you start another one.',
      });
    }
    const ended = Promise.withResolvers<null>();
    this.#training = ended.promise;
    try {
      const signal = AbortSignal.any([run.signal, this.#closing.signal]);
      return await this.#train({ ...run, signal });
    } finally {
      this.#training = null;
      ended.resolve(null);
    }
  }

  async #train({ settings, data, backend, signal, progress }: TrainRun): Promise<TrainSummary> {
    checkSettings(settings);
    const { train, validation } = splitExamples(data, settings);
    const graphFor = (count: number, training: boolean) =>
      this.#graph([{ shape: [count, ...data.exampleShape], dtype: 'float32' }], training);
    // A model that does not fit says so now, also of the last batch, which may be shorter.
    for (const count of [settings.batchSize, train.count % settings.batchSize]) {
      if (count > 0) graphFor(Math.min(count, train.count), true);
    }
    if (settings.from === 'checkpoint' && this.last) {
      this.best = this.last = this.#trainedWith = null;
      await this.unload();
    }
    const model = await this.#upload(signal);
    const optimizer = await this.#prepareOptimizer(settings, signal);
    const { Session } = await import('#lib/training/session.ts');
    const startEpoch = this.last?.metrics.epoch ?? epochOf(this.#checkpoint.root);
    const started = performance.now();
    const session = new Session({
      model,
      optimizer,
      graphFor,
      train,
      validation,
      settings: { ...settings, startEpoch },
      report: (report) => {
        backend.check();
        progress({
          ...report,
          train: [...report.train],
          validation: [...report.validation],
          epochs: startEpoch + settings.epochs,
        });
      },
    });
    this.session = session;
    let failed = false;
    try {
      await session.run(signal);
    } catch (error) {
      failed = true; // what is on the backend may be half a step or not a number
      throw error;
    } finally {
      this.session = null;
      this.best = better(this.best, session.best);
      this.last = session.last ?? this.last;
      if (session.last) this.#trainedWith = optimizer.name;
      if (failed) await this.unload();
    }
    return {
      stopped: session.stopped,
      epochs: (session.last?.metrics.epoch ?? startEpoch) - startEpoch,
      steps: session.steps,
      seconds: (performance.now() - started) / 1000,
      best: this.best?.metrics ?? null,
      last: this.last?.metrics ?? null,
    };
  }

  async #prepareOptimizer(settings: TrainSettings, signal: AbortSignal): Promise<Optimizer> {
    const { Optimizer } = await import('#lib/optim/optimizer.ts');
    let optimizer: Optimizer;
    if (settings.optimizer !== 'checkpoint') {
      const fresh = { name: settings.optimizer, options: {}, groups: [] };
      optimizer = Optimizer.fresh(fresh, this.#parameters());
    } else if (this.#optimizer) {
      optimizer = this.#optimizer;
    } else {
      const { state, note } = this.#savedOptimizer();
      if (!state) {
        throw new FindingError({
          code: 'optimizer-missing',
          message: `training: ${note ?? 'the checkpoint holds no optimizer state'}`,
          advice: 'Choose a fresh optimizer.',
        });
      }
      optimizer = await Optimizer.restore(state.name, state.saved, state.keys, signal);
    }
    optimizer.configure({ lr: settings.learningRate, weight_decay: settings.weightDecay });
    if (this.#optimizer !== optimizer) this.#optimizer?.dispose();
    this.#optimizer = optimizer;
    return optimizer;
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
    await this.#training;
    await this.unload();
  }
}

function epochOf(root: Value): number {
  const epoch = isDict(root) ? root.get('epoch') : undefined;
  return typeof epoch === 'bigint' && epoch >= 0n ? Number(epoch) : 0;
}

function optionOf({ groups }: SavedOptimizer, key: string): number | undefined {
  const value = groups[0]?.options.get(key);
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined;
}

function better(a: Kept | null, b: Kept | null): Kept | null {
  if (!a || !b) return a ?? b;
  return b.metrics.loss < a.metrics.loss ? b : a;
}
