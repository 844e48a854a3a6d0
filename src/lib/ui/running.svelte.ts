import type { Backend, Example, RunInput, RunResult, Split } from '#lib/worker/protocol.ts';
import type { DataState } from './data.svelte.ts';
import type { Desk } from './desk.ts';
import { parseShape } from './format.ts';
import type { ModelState } from './model.svelte.ts';

export type InputMode = 'example' | 'draw' | 'image' | 'random';

/** Rows that the list of largest outputs shows. */
const topShown = 10;

/** What goes into the model, and what came out last. */
export class RunState {
  mode = $state<InputMode>('example');
  split = $state<Split>('test');
  index = $state(0);
  seed = $state(0);
  /** As typed; empty takes the shape that the model suggests. */
  shapeText = $state('');
  image = $state.raw<Blob | null>(null);
  drawing = $state.raw<Blob | null>(null);
  invert = $state(false);
  example = $state.raw<Example | null>(null);
  result = $state.raw<RunResult | null>(null);
  busy = $state(false);
  backend = $state.raw<Backend | null>(null);
  readonly #desk: Desk;
  readonly #model: ModelState;
  readonly #data: DataState;
  /** A run that was asked for while another was going. */
  #again = false;

  readonly suggestedShape = $derived.by(() => {
    return this.#model.built?.exampleShape ?? this.#data.opened?.exampleShape ?? null;
  });
  readonly shape = $derived(
    this.shapeText.trim() === '' ? this.suggestedShape : parseShape(this.shapeText),
  );
  /** Pictures have one or three channels, height and width. */
  readonly takesImages = $derived(
    this.suggestedShape?.length === 3 && [1, 3].includes(this.suggestedShape[0] ?? 0),
  );
  readonly examples = $derived.by(() => this.#data.opened?.[this.split] ?? 0);
  readonly input = $derived.by((): RunInput | null => {
    const { shape } = this;
    switch (this.mode) {
      case 'example':
        return this.examples > 0 ? { kind: 'example', split: this.split, index: this.index } : null;
      case 'random':
        return shape && { kind: 'random', shape, seed: this.seed };
      case 'draw':
        return (
          this.drawing && shape && { kind: 'image', image: this.drawing, shape, invert: false }
        );
      case 'image':
        return (
          this.image && shape && { kind: 'image', image: this.image, shape, invert: this.invert }
        );
      default:
        return this.mode satisfies never;
    }
  });

  constructor(desk: Desk, model: ModelState, data: DataState) {
    this.#desk = desk;
    this.#model = model;
    this.#data = data;
  }

  /** Other data: starts at its first held-out example. */
  dataChanged(): void {
    this.index = 0;
    this.split = (this.#data.opened?.test ?? 0) > 0 ? 'test' : 'train';
    this.mode = 'example';
    this.example = null;
  }

  /** A result of another model would mislead. */
  modelChanged(): void {
    this.result = null;
    this.shapeText = '';
    if (!this.#data.opened && this.mode === 'example') this.mode = 'random';
  }

  async showExample(): Promise<void> {
    const { split, index } = this;
    if (this.examples === 0) return;
    const result = await this.#desk.client.call('example', { split, index });
    if (this.split !== split || this.index !== index) return;
    if (this.#desk.problems.check(`Could not read example ${index}`, result)) {
      this.example = result.example;
    }
  }

  async prepare(): Promise<void> {
    if (this.backend) return;
    try {
      const result = await this.#desk.client.call('backend', {});
      if (this.#desk.problems.check('No backend could be started', result)) {
        this.backend = result.backend;
      }
    } catch (error) {
      this.#desk.problems.defect('No backend could be started', error);
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
    const failure = 'Could not run the model';
    const result = await this.#desk.tasks.run('Running the model', failure, (task) =>
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
