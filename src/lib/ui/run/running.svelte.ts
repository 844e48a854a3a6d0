import type {
  Backend,
  Example,
  ImageRecipe,
  InputDtype,
  OpenedArrays,
  RunInput,
  RunResult,
  Split,
  TableFacts,
} from '#lib/worker/protocol.ts';
import type { DataState } from '../train/data.svelte.ts';
import type { Desk } from '../desk.ts';
import { formatShape, parseShape } from '../format.ts';
import type { ModelState } from '../model/model.svelte.ts';
import { words } from './words.ts';

export type InputMode = 'example' | 'draw' | 'image' | 'table' | 'write' | 'compare' | 'tensors';

/** Rows that the list of largest outputs shows. */
const topShown = 10;
/** Random token ids where no vocabulary says how many there are. */
const fewIds = 100;

/** One input of forward as the form shows it. */
export interface TensorField {
  name: string;
  /** As typed, with the batch. */
  shapeText: string;
  dtype: InputDtype;
  /** Name of a tensor of the open file; empty for random numbers. */
  file: string;
}

/** What goes into the model, and what came out last. */
export class RunState {
  mode = $state<InputMode>('example');
  split = $state<Split>('test');
  index = $state(0);
  seed = $state(0);
  fields = $state<TensorField[]>([]);
  arrays = $state.raw<OpenedArrays | null>(null);
  image = $state.raw<Blob | null>(null);
  drawing = $state.raw<Blob | null>(null);
  recipe = $state.raw<ImageRecipe | null>(null);
  tableText = $state('');
  table = $state.raw<TableFacts | null>(null);
  /** Columns that go in, in the order of the features. */
  columns = $state.raw<number[]>([]);
  standardise = $state(false);
  example = $state.raw<Example | null>(null);
  result = $state.raw<RunResult | null>(null);
  busy = $state(false);
  backend = $state.raw<Backend | null>(null);
  readonly #desk: Desk;
  readonly #model: ModelState;
  readonly #data: DataState;
  /** A run that was asked for while another was going. */
  #again = false;

  readonly task = $derived.by(() => this.#model.built?.task ?? null);
  /** Features of one row, where the model takes rows. */
  readonly features = $derived(this.task?.kind === 'vector' ? this.task.inputs[0]!.shape[1]! : 0);
  readonly examples = $derived.by(() => this.#data.counts[this.split]);
  /** Whether a drawing may be a model's input: digits and the like are grey. */
  readonly takesDrawings = $derived(
    this.task?.kind === 'image' && this.task.inputs[0]!.shape[1] === 1,
  );
  /** What may go in, the fitting kind of input for the model's task first. */
  readonly modes = $derived.by((): InputMode[] => {
    switch (this.task?.kind) {
      case 'image':
        return ['example', ...(this.takesDrawings ? (['draw'] as const) : []), 'image', 'tensors'];
      case 'vector':
        return ['example', 'table', 'tensors'];
      case 'write':
        return ['write', 'compare', 'tensors'];
      case 'compare':
        return ['compare', 'write', 'tensors'];
      default:
        return ['tensors', 'example'];
    }
  });
  readonly input = $derived.by((): RunInput | null => {
    switch (this.mode) {
      case 'example':
        return this.examples > 0 ? { kind: 'example', split: this.split, index: this.index } : null;
      case 'draw':
        return this.#picture(this.drawing);
      case 'image':
        return this.#picture(this.image);
      case 'table':
        return this.#tableInput();
      case 'tensors':
        return this.#tensorsInput();
      case 'write':
      case 'compare':
        return null; // these have a run of their own
      default:
        return this.mode satisfies never;
    }
  });

  constructor(desk: Desk, model: ModelState, data: DataState) {
    this.#desk = desk;
    this.#model = model;
    this.#data = data;
  }

  #picture(image: Blob | null): RunInput | null {
    return image && this.recipe && { kind: 'image', image, recipe: this.recipe };
  }

  #tableInput(): RunInput | null {
    const { table, columns, tableText: text, standardise } = this;
    if (!table || table.rows === 0 || columns.length !== this.features) return null;
    return { kind: 'table', text, columns, standardise };
  }

  #tensorsInput(): RunInput | null {
    const inputs = this.fields.map(({ shapeText, dtype, file }) => {
      if (file !== '') return { from: 'file', name: file, dtype } as const;
      const shape = shapeText.trim() === '' ? null : parseShape(shapeText);
      const below = this.task?.vocabulary ?? fewIds;
      return shape && ({ from: 'random', shape, dtype, seed: this.seed, below } as const);
    });
    if (inputs.length === 0 || inputs.includes(null)) return null;
    return { kind: 'tensors', inputs: inputs.filter((input) => input !== null) };
  }

  /** Other data: starts at its first held-out example. */
  dataChanged(): void {
    this.index = 0;
    this.split = this.#data.counts.test > 0 ? 'test' : 'train';
    this.example = null;
    if (this.modes.includes('example')) this.mode = 'example';
  }

  /** A result of another model would mislead. */
  modelChanged(): void {
    const { task } = this;
    this.result = null;
    this.table = null;
    this.standardise = false;
    this.recipe = task?.recipes[0]?.recipe ?? null;
    this.fields = (task?.inputs ?? []).map(({ name, shape, dtype }) => {
      return { name, dtype, file: '', shapeText: shape.length > 0 ? formatShape(shape) : '' };
    });
    const usable = this.modes.filter((mode) => mode !== 'example' || this.#data.opened !== null);
    if (!usable.includes(this.mode) || this.mode === 'tensors' || this.mode === 'example') {
      this.mode = usable[0] ?? 'tensors';
    }
  }

  async showExample(): Promise<void> {
    const { split, index } = this;
    if (this.examples === 0) return;
    const result = await this.#desk.client.call('example', { split, index });
    if (this.split !== split || this.index !== index) return;
    if (this.#desk.problems.check(words.example.notRead(index), result)) {
      this.example = result.example;
    }
  }

  /** Opens a file of tensors to choose inputs from; the first ones are chosen. */
  async openArrays(file: File): Promise<void> {
    const failure = words.tensors.notOpened(file.name);
    const result = await this.#desk.tasks.run(
      words.tensors.opening(file.name),
      failure,
      ({ signal }) => this.#desk.client.call('arrays', { file }, { signal }),
    );
    if (!result || !this.#desk.problems.check(failure, result)) return;
    this.arrays = result.arrays;
    const names = result.arrays.arrays.map(({ name }) => name);
    this.fields = this.fields.map((field, at) => ({
      ...field,
      file: names.find((name) => name === field.name) ?? names[at] ?? '',
    }));
  }

  /** Reads the table as it is typed; the first columns are taken unless others were chosen. */
  async readTable(): Promise<void> {
    const { tableText: text, features } = this;
    if (text.trim() === '') {
      this.table = null;
      return;
    }
    const result = await this.#desk.client.call('table', { text, features });
    if (this.tableText !== text) return;
    if (!this.#desk.problems.check(words.table.notRead, result)) return;
    const { table } = result;
    if (table.columns.join('\n') !== this.table?.columns.join('\n')) {
      this.columns = [...table.columns.keys()].slice(0, features);
      this.standardise = table.scaler !== null;
    }
    this.table = table;
  }

  async prepare(): Promise<void> {
    if (this.backend) return;
    try {
      const result = await this.#desk.client.call('backend', {});
      if (this.#desk.problems.check(words.input.noBackend, result)) {
        this.backend = result.backend;
      }
    } catch (error) {
      this.#desk.problems.defect(words.input.noBackend, error);
    }
  }

  /** One run at a time; asked again meanwhile, it runs once more with the newest input. */
  async run(): Promise<void> {
    const { input } = this;
    if (!input || !this.#model.built) return;
    if (this.busy) {
      this.#again = true;
      return;
    }
    this.busy = true;
    const failure = words.input.failed;
    const result = await this.#desk.tasks.run(words.input.running, failure, (task) =>
      this.#desk.client.call('run', { input, top: topShown }, { signal: task.signal }),
    );
    this.busy = false;
    if (result && this.#desk.problems.check(failure, result)) {
      this.result = result.run;
      this.backend = result.run.backend;
    }
    if (this.#again) {
      this.#again = false;
      await this.run();
    }
  }
}
