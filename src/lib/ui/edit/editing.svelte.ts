import { untrack } from 'svelte';
import { download } from '#lib/storage/download.ts';
import type {
  Edit,
  EditFilter,
  EditPreview,
  EditRow,
  Finding,
  OpenedCheckpoint,
  Overflow,
} from '#lib/worker/protocol.ts';
import { WorkerCrash } from '#lib/worker/client.ts';
import type { CheckpointState } from '../checkpoint/checkpoint.svelte.ts';
import type { BesideState } from '../beside.svelte.ts';
import type { Desk } from '../desk.ts';
import { PagedRows } from '../rows.svelte.ts';
import { EditList, othersOf } from './edit_list.svelte.ts';
import { OutputState } from './output.svelte.ts';
import { words } from './words.ts';

/** Edits of a checkpoint whose preview was asked for, and the others that they take from, as JSON. */
interface Asked {
  readonly opened: OpenedCheckpoint;
  readonly text: string;
  done: Promise<void>;
}

/** Milliseconds without a change after which the edits are previewed. */
const PAUSE = 120;

/** The list of edits, what it makes of the open checkpoint, and the writing of that. */
export class EditingState {
  readonly list = new EditList();
  readonly output: OutputState;
  preview = $state.raw<EditPreview | null>(null);
  /** Why there is no preview: the worker could not make one. */
  failure = $state.raw<Finding[]>([]);
  show = $state<EditFilter>('changes');
  text = $state('');
  rows = $state.raw<PagedRows<EditRow> | null>(null);
  /** Of the newest preview; null where nobody has counted yet. */
  overflows = $state.raw<readonly Overflow[] | null>(null);
  /** Edits whose forms are shown. */
  open = $state.raw<readonly number[]>([]);
  readonly #desk: Desk;
  readonly #checkpoint: CheckpointState;
  readonly #beside: BesideState;
  /** Edits over which the worker stopped: they are not tried again by themselves. */
  #refused = '';
  /** The preview that was asked for last, which alone counts. */
  #asked: Asked | null = null;

  constructor(desk: Desk, checkpoint: CheckpointState, beside: BesideState) {
    this.#desk = desk;
    this.#checkpoint = checkpoint;
    this.#beside = beside;
    this.output = new OutputState(desk, this);
    beside.onRenumbered = (numbers) => this.list.renumber(numbers);
  }

  /** What an edit came to; undefined where it is off or was not reached. */
  step(id: number): EditPreview['steps'][number] | undefined {
    return this.preview?.steps[this.list.active.findIndex((item) => item.id === id)];
  }

  /** Previews the edits whenever they change, as long as the page is shown; made for `$effect`. */
  follow(): () => void {
    const edits = this.list.active.map(({ edit }) => edit);
    const { opened } = this.#checkpoint;
    if (!opened) return () => {};
    void this.#textOf(edits); // read here, so that the effect follows it
    const timer = setTimeout(
      () => untrack(() => this.#refresh(edits)),
      untrack(() => this.preview) ? PAUSE : 0,
    );
    return () => clearTimeout(timer);
  }

  /** What a preview depends on beside the checkpoint: another one that is closed changes it. */
  #textOf(edits: readonly Edit[]): string {
    const others = edits.flatMap(othersOf).filter((other) => this.#beside.get(other));
    return JSON.stringify([edits, others]);
  }

  /** The preview of the list as it is now, not as it was before the last pause. */
  async current(): Promise<EditPreview | null> {
    await this.#refresh(this.list.active.map(({ edit }) => edit));
    return this.preview;
  }

  /** Asks for a preview, unless the newest one is of the same edits. */
  #refresh(edits: readonly Edit[]): Promise<void> {
    const { opened } = this.#checkpoint;
    const text = this.#textOf(edits);
    if (text === this.#refused || !opened) return Promise.resolve();
    if (this.#asked?.text !== text || this.#asked.opened !== opened) {
      const asked: Asked = { opened, text, done: Promise.resolve() };
      this.#asked = asked;
      asked.done = this.#preview(edits, asked);
    }
    return this.#asked.done;
  }

  async #preview(edits: readonly Edit[], asked: Asked): Promise<void> {
    try {
      const result = await this.#desk.client.call('previewEdits', { edits });
      if (this.#asked !== asked) return;
      this.failure = result.ok ? [] : result.findings;
      this.preview = result.ok ? result.preview : null;
      this.overflows = null;
      this.#refused = '';
    } catch (error) {
      this.preview = null;
      if (error instanceof WorkerCrash) {
        this.#refused = asked.text;
        this.failure = [stopped];
      } else this.#desk.problems.defect(words.list.notPreviewed, error);
    }
  }

  /** Fetches the rows anew whenever the preview or what is shown of it changes. */
  followRows(): () => void {
    const { preview, show, text } = this;
    let isStale = false;
    if (!preview) this.rows = null;
    else {
      const { id } = preview;
      void this.#desk.client
        .call('filterEdits', { id, show, text })
        .then((total) => {
          if (isStale || total === null) return;
          this.rows = new PagedRows(total, (start, count) =>
            this.#desk.client.call('editRows', { id, start, count }).catch(() => null),
          );
        })
        .catch(() => {}); // a worker that died is told of elsewhere
    }
    return () => {
      isStale = true;
    };
  }

  /** Adds edits; those with something to fill in are opened. */
  add(edits: readonly Edit[], open = false): void {
    const first = this.list.add(edits);
    if (open) this.setOpen(first, true);
  }

  setOpen(id: number, isOpen: boolean): void {
    const others = this.open.filter((other) => other !== id);
    this.open = isOpen ? [...others, id] : others;
  }

  async checkCasts(): Promise<void> {
    const { preview } = this;
    if (!preview) return;
    const failure = words.preview.notCounted;
    const result = await this.#desk.tasks.run(words.preview.counting, failure, (task) =>
      this.#desk.client.call(
        'checkCasts',
        { id: preview.id },
        {
          signal: task.signal,
          onProgress: ({ bytes, total }) => task.transferred(bytes, total),
        },
      ),
    );
    if (!result || !this.#desk.problems.check(failure, result)) return;
    if (this.preview === preview) this.overflows = result.overflows;
  }

  exportList(): void {
    download(new Blob([this.list.toJson()], { type: 'application/json' }), 'edits.json');
  }

  /** Adds the edits of a file to the list. */
  async importList(file: File): Promise<void> {
    const failure = words.list.notRead(file.name);
    const result = await this.#desk.tasks.run(
      words.list.reading(file.name),
      failure,
      async (task) => {
        const { signal } = task;
        return this.#desk.client.call('readEdits', { text: await file.text() }, { signal });
      },
    );
    if (result && this.#desk.problems.check(failure, result)) this.list.add(result.edits);
  }
}

const stopped: Finding = {
  code: 'edit-stopped',
  severity: 'error',
  message: words.list.stopped,
  advice: words.list.stoppedAdvice,
};
