import type { Finding, Part, Result } from '#lib/worker/protocol.ts';
import type { Desk } from '../desk.ts';
import type { Task } from '../tasks.svelte.ts';

/** What a call needs beside its arguments. */
export interface Asking {
  signal: AbortSignal;
  onProgress: (part: Part) => void;
}

/** One long question to the worker and its answer: nothing yet, being worked on, known, or why not. */
export class Answer<T> {
  /** What is known; it stays while the next one is worked on. */
  value = $state.raw<T | null>(null);
  findings = $state.raw<readonly Finding[]>([]);
  #task = $state.raw<Task | null>(null);
  readonly #desk: Desk;

  readonly task = $derived(this.#task);

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Asks anew; an answer that is still worked on is no longer waited for. */
  async ask(
    label: string,
    failure: string,
    call: (asking: Asking) => Promise<Result<T>>,
  ): Promise<void> {
    this.#task?.cancel();
    this.findings = [];
    let mine: Task | null = null;
    const result = await this.#desk.tasks.run(label, failure, (task) => {
      this.#task = mine = task;
      const onProgress = ({ done, total }: Part) =>
        (task.fraction = total > 0 ? done / total : null);
      return call({ signal: task.signal, onProgress });
    });
    if (this.#task !== mine) return;
    this.#task = null;
    this.value = result?.ok ? result : null;
    if (result && !result.ok) this.findings = result.findings;
  }

  /** Ends what is worked on; nothing is known then. */
  forget(): void {
    this.#task?.cancel();
    this.#task = null;
    this.value = null;
    this.findings = [];
  }
}
