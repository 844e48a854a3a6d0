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

  constructor(label: string) {
    this.label = label;
  }
  get signal(): AbortSignal {
    return this.controller.signal;
  }
  cancel(): void {
    this.controller.abort();
  }
}

export class Tasks {
  list = $state.raw<Task[]>([]);
  readonly #problems: Problems;

  constructor(problems: Problems) {
    this.#problems = problems;
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
