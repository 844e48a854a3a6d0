import { paceText } from './format.ts';
import type { Problems } from './problems.svelte.ts';

/** Quicker tasks are not worth a progress line. */
const showAfterMilliseconds = 250;

/** One long piece of work that the person can watch and cancel. */
export class Task {
  readonly label: string;
  readonly controller = new AbortController();
  /** 0 to 1; null where nobody knows. */
  fraction = $state<number | null>(null);
  detail = $state('');
  shown = $state(false);
  readonly #started = performance.now();

  constructor(label: string) {
    this.label = label;
  }
  get signal(): AbortSignal {
    return this.controller.signal;
  }
  /** Bytes that are done: shows their share, the rate and the time that is left. */
  transferred(bytes: number, total: number): void {
    this.fraction = total > 0 ? bytes / total : null;
    this.detail = paceText(bytes, total, (performance.now() - this.#started) / 1000);
  }
  cancel(): void {
    this.controller.abort();
  }
}

export class Tasks {
  list = $state.raw<Task[]>([]);
  #elsewhere = $state(0);
  /** Whether anything is under way that a person waits for. */
  readonly busy = $derived(this.list.length > 0 || this.#elsewhere > 0);
  readonly #problems: Problems;

  constructor(problems: Problems) {
    this.#problems = problems;
  }

  /** Work that shows elsewhere how far it is, as training does. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#elsewhere++;
    try {
      return await work;
    } finally {
      this.#elsewhere--;
    }
  }

  /** Undefined where the work was cancelled or failed; a failure has then been shown. */
  async run<T>(
    label: string,
    failure: string,
    work: (task: Task) => Promise<T>,
  ): Promise<T | undefined> {
    const task = new Task(label);
    this.list = [...this.list, task];
    const timer = setTimeout(() => (task.shown = true), showAfterMilliseconds);
    try {
      return await work(task);
    } catch (error) {
      if (!task.signal.aborted) this.#problems.defect(failure, error);
      return undefined;
    } finally {
      clearTimeout(timer);
      this.list = this.list.filter((other) => other !== task);
    }
  }
}
