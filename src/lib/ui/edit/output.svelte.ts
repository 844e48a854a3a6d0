import { download } from '#lib/storage/download.ts';
import { pickDirectory, pickSave } from '#lib/storage/picker.ts';
import { safeName } from '#lib/storage/safe_name.ts';
import type {
  Calls,
  EditOutput,
  EditPreview,
  Finding,
  Overflow,
  Saved,
} from '#lib/worker/protocol.ts';
import type { Desk } from '../desk.ts';
import { readPicked, type Pile } from '../dropped.ts';
import { parseBytes } from '../format.ts';
import { words } from './words.ts';

/** Where to write: nothing of it for a download. */
type Place = Pick<Calls['saveEdited']['args'], 'handle' | 'directory'>;

export type Written = Saved & {
  readonly place: Place;
  readonly output: EditOutput;
  readonly how: 'picked' | 'download';
  readonly overflows: readonly Overflow[];
};

/** What is written: the newest preview, once it is of the edits as they are. */
interface Previewed {
  readonly preview: EditPreview | null;
  current(): Promise<EditPreview | null>;
}

/** The format of the result, its name, what it loses, and what was written. */
export class OutputState {
  format = $state<EditOutput['format']>('safetensors');
  sharded = $state(false);
  separator = $state('.');
  keepTree = $state(true);
  /** The largest shard, as edited. */
  shardSize = $state('5 GB');
  /** Without extension. */
  stem = $state('');
  losses = $state.raw<readonly Finding[]>([]);
  busy = $state(false);
  written = $state.raw<Written | null>(null);
  readonly #desk: Desk;
  readonly #editing: Previewed;

  readonly canShard = $derived(this.format === 'pt' || this.format === 'safetensors');
  readonly spec: EditOutput = $derived({
    format: this.format,
    sharded: this.sharded && this.canShard,
    separator: this.separator,
    keepTree: this.keepTree,
  });
  /** Whether files of it are flat dicts of tensors. */
  readonly isFlat = $derived(
    this.spec.sharded || this.format === 'safetensors' || this.format === 'npz',
  );
  /** In bytes; null where it is no size. */
  readonly shardBytes = $derived(parseBytes(this.shardSize));
  readonly name = $derived(
    safeName(this.spec.sharded ? this.stem : `${this.stem.trim() || 'edited'}.${this.format}`),
  );
  /** Why it cannot be written now; what to do about it is said where it is shown. */
  readonly isRefused = $derived(
    this.losses.some(({ severity }) => severity === 'error') ||
      (this.spec.sharded && this.shardBytes === null),
  );

  constructor(desk: Desk, editing: Previewed) {
    this.#desk = desk;
    this.#editing = editing;
  }

  /** Another checkpoint is open: its name is taken. */
  checkpointChanged(name: string): void {
    this.stem = `${name.replace(/\.[^.]+$/, '') || 'checkpoint'}_edited`;
    this.written = null;
  }

  /** Says what is lost whenever the preview or the format changes; made for `$effect`. */
  follow(): () => void {
    const { preview } = this.#editing;
    const output = this.spec;
    let isStale = false;
    if (!preview) this.losses = [];
    else {
      void this.#desk.client
        .call('editLosses', { id: preview.id, output })
        .then((losses) => {
          if (!isStale) this.losses = losses;
        })
        .catch((error) => this.#desk.problems.defect(words.output.lossUnknown, error));
    }
    return () => {
      isStale = true;
    };
  }

  async saveAs(): Promise<void> {
    try {
      const place = await this.#pick();
      if (place) await this.#write(place);
    } catch (error) {
      this.#desk.problems.defect(words.output.notAsked, error);
    }
  }

  async #pick(): Promise<Place | null> {
    if (this.spec.sharded) {
      const directory = await pickDirectory('readwrite');
      return directory && { directory };
    }
    const handle = await pickSave(this.name, this.format);
    return handle && { handle };
  }

  async download(): Promise<void> {
    await this.#write({});
  }

  /** What was written, to be opened; null where it cannot be read, which is said. */
  async result(): Promise<Pile | null> {
    const { written } = this;
    if (!written) return null;
    if (written.file) return { files: [written.file], folders: [] };
    const failure = words.output.notOpened(written.name);
    const result = await this.#desk.tasks.run(words.output.opening, failure, async ({ signal }) => {
      const { handle, directory } = written.place;
      return readPicked([handle ?? (await directory!.getDirectoryHandle(written.name))], signal);
    });
    return result && this.#desk.problems.check(failure, result) ? result.pile : null;
  }

  async #write(place: Place): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.written = null;
    const output = this.spec;
    const name = place.handle?.name ?? this.name;
    const failure = words.output.notWritten(name);
    const shards = output.sharded && { shardSize: this.shardBytes ?? undefined };
    const result = await this.#desk.tasks
      .run(words.output.writing(name), failure, async (task) => {
        const preview = await this.#editing.current();
        if (!preview) return null;
        const args = { id: preview.id, output, name, ...place, ...shards };
        return this.#desk.client.call('saveEdited', args, {
          signal: task.signal,
          onProgress: ({ bytes, total }) => task.transferred(bytes, total),
        });
      })
      .finally(() => (this.busy = false));
    if (!result || !this.#desk.problems.check(failure, result)) return;
    const { saved, overflows } = result;
    if (saved.file) download(saved.file, saved.name);
    const how = saved.file ? 'download' : 'picked';
    this.written = { ...saved, name, output, overflows, how, place };
  }
}
