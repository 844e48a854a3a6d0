import { SvelteSet } from 'svelte/reactivity';
import { keepPreference, preference } from '#lib/storage/preferences.ts';

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

/** How a command is listed. */
export type CommandEntry = Omit<Command, 'run'>;

/** What is no command now may stand in a list, so that `task && {…}` reads well. */
export type Offered = Command | false | '' | null | undefined;

/** As many commands are remembered as having been used last. */
const REMEMBERED = 12;

/** What can be done now: each page adds its commands while it is shown. */
export class Commands {
  readonly #added = new SvelteSet<readonly Command[]>();
  readonly list = $derived([...this.#added].flat());
  /** What is shown of them. */
  shown = $state<'palette' | 'shortcuts' | null>(null);
  /** Ids, the latest first. */
  recent = $state.raw<readonly string[]>(preference('commands')?.split(' ') ?? []);
  /** Whether keys without Ctrl or Command do anything. */
  singleKeys = $state(preference('single-keys') !== 'off');

  /** Adds commands until the function that it gives is called; made for `$effect`. */
  add(offered: readonly Offered[]): () => void {
    const commands = offered.filter((it) => !!it);
    this.#added.add(commands);
    return () => this.#added.delete(commands);
  }

  /** Runs one that was looked for, and remembers it. */
  choose(command: Command): void {
    this.recent = [command.id, ...this.recent.filter((id) => id !== command.id)].slice(
      0,
      REMEMBERED,
    );
    keepPreference('commands', this.recent.join(' '));
    command.run();
  }

  setSingleKeys(on: boolean): void {
    this.singleKeys = on;
    keepPreference('single-keys', on ? null : 'off');
  }
}
