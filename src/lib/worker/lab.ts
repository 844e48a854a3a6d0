/**
 * The lab behind the page: what is open, and the calls that the page may make. It runs in a worker
 * and knows nothing of messages; `lab.worker.ts` connects it, tests call it directly.
 */
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { formatElement } from '#lib/checkpoint/elements.ts';
import { FindingError, findingOf, type Finding, type Result } from '#lib/checkpoint/finding.ts';
import { findOptimizer } from '#lib/checkpoint/optimizer.ts';
import { numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import { isTensor } from '#lib/checkpoint/value.ts';
import { findStateDicts, type StateDictCandidate } from '#lib/architecture/binding.ts';
import { findCarried, openCarried, type Carried } from '#lib/architecture/carried/open.ts';
import { PythonError, pythonFinding } from '#lib/architecture/python/errors.ts';
import { readSource, type ModelSource, type SourceFile } from '#lib/architecture/source.ts';
import { blobSource, type Source } from '#lib/file/source.ts';
import { formatTitle } from '#lib/formats/folder.ts';
import { findClassNames, readClassNames } from '#lib/inputs/class_names.ts';
import { imagenetNames, imagenetSource } from '#lib/inputs/imagenet.ts';
import { gatherExamples, readDataset, type Dataset } from '#lib/inputs/dataset.ts';
import { findScaler, parseCsv } from '#lib/inputs/table.ts';
import { TOKENIZER_FILES, type Tokenizer } from '#lib/inputs/tokenizer.ts';
import { findVocabulary } from '#lib/inputs/tokenizer.vocabulary.ts';
import { label, pythonKey } from '#lib/inspect/repr.ts';
import { namedTensors, openForUse } from './arrays.ts';
import { checkAgainst } from './checking.ts';
import { compareTexts } from './comparing.ts';
import { factsOf } from './facts.ts';
import { tokensForGraph } from './graph_view.ts';
import type { OpenFile } from '#lib/storage/opfs.ts';
import { openDropped, readCounter } from './opening.ts';
import { Outline } from './outline.ts';
import { argumentsFor, fitsOf, recogniseModel } from './proposals.ts';
import type {
  Backend,
  CallName,
  Calls,
  Dropped,
  Example,
  OpenedCheckpoint,
  OpenedData,
  Progress,
  RunInput,
  Split,
} from './protocol.ts';
import { makeInputs, type Sources } from './running.ts';
import { Safety } from './safety.ts';
import { saveChoices, type SaveSource } from './saves.ts';
import { readSourceFiles } from './source_files.ts';
import { openTokenizer } from './texts.ts';
import { verifyCheckpoint } from './verify.ts';
import { Workbench } from './workbench.ts';
import { writeText } from './writing.ts';

/** What a call gets beside its arguments. */
export interface CallContext<K extends CallName> {
  readonly signal: AbortSignal;
  progress(progress: Progress<K>): void;
}

type Handlers = {
  [K in CallName]: (
    args: Calls[K]['args'],
    context: CallContext<K>,
  ) => Promise<Calls[K]['result']> | Calls[K]['result'];
};

interface Opened {
  readonly checkpoint: Checkpoint;
  /** The file; the first one of a folder. */
  readonly source: Source;
  readonly outline: Outline;
  readonly stateDicts: readonly StateDictCandidate[];
  readonly carried: Carried | null;
}

/** A call for something that needs another thing first. */
function notYet(message: string, advice: string): FindingError {
  return new FindingError({ code: 'not-ready', message, advice });
}

export class Lab {
  readonly #openFile: OpenFile | undefined;
  #opened: Opened | null = null;
  #source: ModelSource | null = null;
  /** The files that the source was read from. */
  #files: readonly SourceFile[] = [];
  #bench: Workbench | null = null;
  #safety: Safety | null = null;
  #data: Dataset | null = null;
  #arrays: ReadonlyMap<string, Tensor> = new Map();
  #tokenizer: Tokenizer | null = null;
  #backend: Promise<Backend & { check(): void }> | null = null;

  /** `openFile` opens files of the browser's private disk, where there is one. */
  constructor(openFile?: OpenFile) {
    this.#openFile = openFile;
  }

  readonly handlers: Handlers = {
    open: (dropped, context) =>
      attempt(context.signal, async () => ({ checkpoint: await this.#open(dropped, context) })),
    children: ({ node, start, count }) => this.#need().outline.children(node, start, count),
    values: ({ node, count }, { signal }) =>
      attempt(signal, async () => ({ values: await this.#values(node, count, signal) })),
    verify: (_, context) =>
      attempt(context.signal, async () => ({
        verified: await verifyCheckpoint(this.#need().checkpoint, context),
      })),

    scan: ({ file }, { signal, progress }) =>
      attempt(signal, async () => {
        const source = file ? readCounter(progress)(file) : this.#need().source;
        this.#safety = await Safety.scan(source, signal);
        return { report: this.#safety.report };
      }),
    trace: ({ pickle, start, count }, { signal }) =>
      attempt(signal, () => this.#needSafety().trace(pickle, start, count)),
    madeCalls: ({ pickle, start, count, refused }, { signal }) =>
      attempt(signal, () => this.#needSafety().calls(pickle, start, count, refused)),
    records: ({ start, count }, { signal }) =>
      attempt(signal, () => this.#needSafety().records(start, count)),
    classSource: ({ index }, { signal }) =>
      attempt(signal, async () => ({ text: this.#needSafety().sourceText(index) })),
    report: (_, { signal }) =>
      attempt(signal, async () => ({ file: await this.#needSafety().file() })),

    sourceFiles: ({ files }, { signal }) =>
      attempt(signal, async () => ({ files: await readSourceFiles(files, signal) })),
    source: ({ files }) => {
      const result = readSource(files);
      if (!result.ok) return result;
      this.#source = result.source;
      this.#files = files;
      const candidates = result.source.candidates.map((candidate) => ({
        ...candidate,
        arguments: [...candidate.arguments],
      }));
      return { ok: true, candidates, warnings: result.warnings };
    },
    recognise: ({ stateDict }, { signal }) =>
      attempt(signal, async () => {
        const { checkpoint, stateDicts } = this.#need();
        const chosen = stateDicts[stateDict];
        return { recognised: chosen ? await recogniseModel(checkpoint, chosen.dict) : null };
      }),
    fits: ({ stateDict }, { signal }) =>
      attempt(signal, async () => {
        const chosen = this.#need().stateDicts[stateDict];
        const fits = chosen && this.#source ? await fitsOf(this.#source, chosen.dict, signal) : [];
        return { fits };
      }),
    proposeArguments: ({ candidate, file, stateDict }, { signal }) =>
      attempt(signal, async () => {
        const { checkpoint, stateDicts } = this.#need();
        const chosen = stateDicts[stateDict];
        if (!chosen || !this.#source) return { arguments: {} };
        return {
          arguments: argumentsFor(this.#source, { candidate, file }, checkpoint, chosen.dict),
        };
      }),
    build: (args, { signal }) => attempt(signal, async () => ({ model: await this.#build(args) })),
    buildCarried: (_, { signal }) =>
      attempt(signal, async () => ({ model: await this.#buildCarried(signal) })),

    data: ({ file }, { signal }) =>
      attempt(signal, async () => {
        this.#data = await readDataset(await openForUse(file, signal), file.name, signal);
        return { data: describeData(this.#data) };
      }),
    example: ({ split, index }, { signal }) =>
      attempt(signal, async () => ({ example: this.#example(split, index) })),

    run: ({ input, top }, { signal }) =>
      attempt(signal, async () => {
        const bench = this.#needBench();
        const sources = this.#sources(input);
        const run = await this.#onBackend((backend) =>
          bench.run({ input, sources, top, backend, signal }),
        );
        return { run };
      }),
    arrays: ({ file }, { signal }) =>
      attempt(signal, async () => {
        this.#arrays = namedTensors(await openForUse(file, signal));
        const arrays = [...this.#arrays].map(([name, { dtype, shape }]) => {
          return { name: label(name), dtype, shape: [...shape] };
        });
        return { arrays: { name: file.name, arrays } };
      }),
    table: ({ text, features }, { signal }) =>
      attempt(signal, async () => {
        const { columns, rows } = parseCsv(text);
        const scaler = await findScaler(this.#opened?.checkpoint.root ?? null, features);
        return {
          table: { columns: [...columns], rows: rows.length, scaler: scaler?.title ?? null },
        };
      }),
    classNames: ({ file, outputs = 0 }, { signal }) =>
      attempt(signal, async () => {
        if (file) {
          const names = readClassNames(new Uint8Array(await file.arrayBuffer()), file.name);
          return { found: { names, from: file.name, isGuess: false } };
        }
        const { root, name } = this.#need().checkpoint;
        const own = findClassNames(root);
        if (own) return { found: { names: own, from: label(name), isGuess: false } };
        const known = await imagenetNames(outputs);
        return { found: known && { names: known, from: imagenetSource, isGuess: true } };
      }),
    tokenizer: ({ files }, { signal }) =>
      attempt(signal, async () => {
        const { root, name } = this.#need().checkpoint;
        if (files.length > 0) this.#tokenizer = await openTokenizer(files, signal);
        else this.#tokenizer ??= findVocabulary(root, name);
        const { title = '', size = 0 } = this.#tokenizer ?? {};
        return { tokenizer: this.#tokenizer && { title: label(title), size } };
      }),
    write: (settings, { signal, progress }) =>
      attempt(signal, async () => {
        const bench = this.#needBench();
        const tokenizer = this.#needTokenizer();
        const written = await this.#onBackend((backend) =>
          writeText(bench.runner(backend), tokenizer, bench.task, settings, { signal, progress }),
        );
        return { written };
      }),
    compare: (texts, context) =>
      attempt(context.signal, async () => {
        const bench = this.#needBench();
        const tokenizer = this.#needTokenizer();
        const compared = await this.#onBackend((backend) =>
          compareTexts(bench.runner(backend), tokenizer, bench.task, texts, context),
        );
        return { compared };
      }),
    check: ({ file }, context) =>
      attempt(context.signal, async () => {
        const bench = this.#needBench();
        const root = await openForUse(file, context.signal);
        const checked = await this.#onBackend((backend) =>
          checkAgainst(bench.runner(backend), root, file.name, context),
        );
        return { checked };
      }),

    measure: ({ input }, context) =>
      attempt(context.signal, async () => {
        const bench = this.#needBench();
        const graph = await this.#onBackend(async (backend) => {
          if (input.kind === 'text') {
            const tokenizer = this.#needTokenizer();
            const text = tokensForGraph(input.text, bench.runner(backend), tokenizer, bench.task);
            return bench.measure({ ...text, backend, ...context });
          }
          const inputs = await makeInputs(input, this.#sources(input), context.signal);
          return bench.measure({ inputs, tokens: null, backend, ...context });
        });
        return { graph };
      }),
    look: (args, { signal }) =>
      attempt(signal, async () => {
        const bench = this.#needBench();
        const view = bench.graphView;
        if (!view) throw notYet('graph: no pass is measured', 'Measure one on the Run page first.');
        const seen = await this.#onBackend((backend) =>
          view.look(bench.runner(backend), args, signal),
        );
        return { seen };
      }),

    train: (settings, { signal, progress }) =>
      attempt(signal, async () => {
        if (!this.#data) {
          throw notYet('training: no data is open', 'Open an .npz with inputs and labels first.');
        }
        const bench = this.#needBench();
        const data = this.#data;
        const summary = await this.#onBackend((backend) =>
          bench.train({ settings, data, backend, signal, progress }),
        );
        return { summary };
      }),
    pause: () => {
      this.#bench?.session?.pause();
      return null;
    },
    resume: () => {
      this.#bench?.session?.resume();
      return null;
    },
    stop: () => {
      this.#bench?.session?.stop();
      return null;
    },

    saves: () => saveChoices(this.#saveSource()).map(({ write, ...choice }) => choice),
    save: ({ choice, ...place }, { signal, progress }) =>
      attempt(signal, async () => {
        const found = saveChoices(this.#saveSource()).find(({ id }) => id === choice);
        if (!found)
          throw notYet(`save: there is no ${choice}`, 'Open or train a checkpoint first.');
        const args = { ...place, openFile: this.#openFile, signal, progress };
        return { saved: await found.write(args) };
      }),

    backend: (_, { signal }) =>
      attempt(signal, async () => {
        const { check, ...backend } = await this.#startBackend();
        return { backend };
      }),
  };

  async #open(dropped: Dropped, context: CallContext<'open'>): Promise<OpenedCheckpoint> {
    const checkpoint = await openDropped(dropped, context);
    const file = 'file' in dropped ? dropped.file : dropped.files[0]!.file;
    const stateDicts = findStateDicts(checkpoint.root);
    const carried = findCarried(checkpoint, stateDicts);
    const outline = new Outline(checkpoint.root, stateDicts[0]?.dict);
    // Only now does what was open before give way.
    void this.#bench?.dispose();
    this.#bench = null;
    this.#tokenizer = null;
    this.#opened = { checkpoint, source: blobSource(file), outline, stateDicts, carried };
    const optimizer = findOptimizer(checkpoint.root);
    return {
      name: checkpoint.name,
      size: checkpoint.size,
      format: formatTitle(checkpoint.format),
      calls: checkpoint.calls.map((call) => ({ ...call, name: label(call.name) })),
      findings: checkpoint.findings.map(shown),
      root: outline.root,
      totals: outline.totals,
      facts: factsOf(checkpoint),
      stateDicts: stateDicts.map(({ path, dict }) => {
        const tensors = [...dict.values()].filter(isTensor);
        return {
          label: path.map((key) => `[${pythonKey(key)}]`).join('') || 'the whole file',
          tensors: tensors.length,
          elements: tensors.reduce((sum, { shape }) => sum + numel(shape), 0),
        };
      }),
      optimizer: optimizer && {
        label: `[${pythonKey(optimizer.key)}]`,
        groups: optimizer.optimizer.groups.length,
        states: optimizer.optimizer.states.size,
      },
      carried: carried && {
        kind: carried.kind,
        classes: carried.classes.map(label),
        hasSource: carried.sources.length > 0,
      },
    };
  }

  #needSafety(): Safety {
    if (this.#safety) return this.#safety;
    throw notYet('no file was scanned', 'Scan one on the Safety page first.');
  }

  #need(): Opened {
    if (this.#opened) return this.#opened;
    throw notYet('no checkpoint is open', 'Open a checkpoint first.');
  }

  #needBench(): Workbench {
    if (this.#bench) return this.#bench;
    throw notYet('no model is built', 'Build the model from its source on the Model page first.');
  }

  #needTokenizer(): Tokenizer {
    if (this.#tokenizer) return this.#tokenizer;
    throw notYet('no tokenizer is open', TOKENIZER_FILES);
  }

  async #values(node: number, count: number, signal: AbortSignal): Promise<string[]> {
    const value = this.#need().outline.value(node);
    if (!isTensor(value)) throw new Error('values: this row is no tensor');
    const first = firstElements(value.shape, count);
    const bytes = await readTensor({ ...value, shape: first }, signal);
    return Array.from({ length: Math.min(count, numel(first)) }, (_, index) =>
      formatElement(bytes, value.dtype, index),
    );
  }

  async #build(args: Calls['build']['args']) {
    const { stateDicts, checkpoint } = this.#need();
    if (!this.#source) throw notYet('no source is open', 'Paste or drop the model.py first.');
    const stateDict = stateDicts[args.stateDict];
    if (!stateDict) {
      throw notYet(
        `${checkpoint.name}: no state_dict in it`,
        'Open a checkpoint that holds a dict of tensors by name.',
      );
    }
    const { bench, model } = Workbench.build({
      checkpoint,
      stateDict,
      source: this.#source,
      candidate: args.candidate,
      file: args.file,
      arguments: args.arguments,
    });
    void this.#bench?.dispose();
    this.#bench = bench;
    return model;
  }

  async #buildCarried(signal: AbortSignal) {
    const { checkpoint, carried, stateDicts } = this.#need();
    if (!carried) {
      throw notYet(`${checkpoint.name}: no forward pass in it`, 'Bring the source of the model.');
    }
    try {
      const opened = await openCarried(checkpoint, carried, this.#files, signal);
      const { bench, model } = Workbench.carried({ checkpoint, carried: opened, stateDicts });
      void this.#bench?.dispose();
      this.#bench = bench;
      return model;
    } catch (error) {
      if (error instanceof PythonError) throw new FindingError(pythonFinding(error));
      throw error;
    }
  }

  /** What an input may refer to. */
  #sources(input: RunInput): Sources {
    return {
      example: input.kind === 'example' ? this.#example(input.split, input.index) : undefined,
      arrays: this.#arrays,
      root: this.#opened?.checkpoint.root ?? null,
    };
  }

  #example(split: Split, index: number): Example {
    const examples = split === 'test' ? this.#data?.test : this.#data?.train;
    if (!examples)
      throw notYet('data: no such examples are open', 'Open an .npz with examples first.');
    const { inputs, labels } = gatherExamples(examples, [index]);
    return { label: String(labels[0]), shape: [...this.#data!.exampleShape], values: inputs };
  }

  /** The backend. One whose device failed is made anew; the model goes back to its kept state. */
  async #startBackend(): Promise<Backend & { check(): void }> {
    const { startBackend } = await import('#lib/runtime/backend.ts');
    try {
      const running = await this.#backend;
      running?.check();
      if (running) return running;
    } catch {
      await this.#bench?.unload();
    }
    const started = startBackend();
    this.#backend = started;
    started.catch(() => (this.#backend = null)); // the next call tries again
    return started;
  }

  /** Works on the backend. A device that fails is the reason that is given. */
  async #onBackend<T>(work: (backend: Backend & { check(): void }) => Promise<T>): Promise<T> {
    const backend = await this.#startBackend();
    try {
      return await work(backend);
    } catch (error) {
      await new Promise((resolve) => setTimeout(resolve)); // the loss is told after its effects
      backend.check();
      throw error;
    }
  }

  #saveSource(): SaveSource {
    return {
      checkpoint: this.#opened?.checkpoint ?? null,
      stateDict: this.#bench?.stateDict ?? this.#opened?.stateDicts[0] ?? null,
      bench: this.#bench,
    };
  }
}

/** A finding whose texts come from a file, fit to be shown. */
function shown(finding: Finding): Finding {
  const { where, message, choices } = finding;
  return {
    ...finding,
    message: label(message),
    ...(where && { where: label(where) }),
    ...(choices && { choices: choices.map(label) }),
  };
}

/** Runs a call for the page: what goes wrong with the user's things becomes a finding. */
async function attempt<T extends object>(
  signal: AbortSignal,
  run: () => Promise<T>,
): Promise<Result<T>> {
  try {
    return { ok: true, ...(await run()) };
  } catch (error) {
    signal.throwIfAborted();
    return { ok: false, findings: [shown(findingOf(error))] };
  }
}

/** A leading part of a tensor with about `count` elements, as a shape of the same rank. */
function firstElements(shape: readonly number[], count: number): number[] {
  let left = count;
  return shape
    .toReversed()
    .map((size) => {
      const taken = Math.min(size, Math.max(1, left));
      left = size === 0 ? 0 : Math.ceil(left / size);
      return taken;
    })
    .toReversed();
}

function describeData({
  name,
  arrays,
  train,
  test,
  exampleShape,
  scaling,
  classes,
}: Dataset): OpenedData {
  return {
    name,
    arrays: arrays.map(({ name, dtype, shape }) => ({ name, dtype, shape: [...shape] })),
    train: train.count,
    test: test?.count ?? 0,
    exampleShape: [...exampleShape],
    scaling,
    classes,
  };
}
