import { untrack } from 'svelte';

/** Something that a person can have done: from the palette, by a shortcut, by a button. */
export interface Command {
  readonly id: string;
  /** `Compare with another checkpoint…` */
  readonly title: string;
  /** Under which heading the palette lists it: `Go to`, `Checkpoint`, `Edit`. */
  readonly group: string;
  /** `mod+k` (Ctrl, on a Mac Command), `g c` (one after the other), `?`. */
  readonly shortcut?: string;
  /** Other words that find it. */
  readonly words?: string;
  run(): unknown;
}

/** What can be done now: each page adds its commands while it is shown. */
export class Commands {
  #added = $state.raw<readonly (readonly Command[])[]>([]);
  readonly list = $derived(this.#added.flat());

  /** Adds commands until the function that it gives is called; made for `$effect`. */
  add(commands: readonly Command[]): () => void {
    this.#added = [...untrack(() => this.#added), commands];
    return () => (this.#added = this.#added.filter((it) => it !== commands));
  }
}
