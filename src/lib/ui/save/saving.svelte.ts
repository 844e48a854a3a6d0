import { download } from '#lib/storage/download.ts';
import { safeName } from '#lib/storage/safe_name.ts';
import { pickDirectory, pickSave } from '#lib/storage/picker.ts';
import type { Calls, Result, SaveChoice, Saved } from '#lib/worker/protocol.ts';
import type { Desk } from '../desk.ts';
import { parseBytes } from '../format.ts';
import { words } from './words.ts';

/** Where to save: nothing of it for a download. */
type Place = Pick<Calls['save']['args'], 'handle' | 'directory'>;

/** What can be saved, and what was. */
export class SavingState {
  choices = $state.raw<SaveChoice[]>([]);
  chosenId = $state('');
  /** Name of the file, or of the shards' folder, for the chosen one, as edited. */
  name = $state('');
  /** The largest shard, as edited. */
  shardSize = $state('5 GB');
  busy = $state(false);
  saved = $state.raw<(Saved & { choice: SaveChoice; how: 'picked' | 'download' }) | null>(null);
  /** A state that training made is on disk. */
  onSaved: (choice: SaveChoice) => void = () => {};
  readonly #desk: Desk;

  readonly chosen = $derived(this.choices.find(({ id }) => id === this.chosenId));
  /** In bytes; null where it is no size. */
  readonly shardBytes = $derived(parseBytes(this.shardSize));

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  async refresh(): Promise<void> {
    try {
      this.choices = await this.#desk.client.call('saves', {});
    } catch (error) {
      this.#desk.problems.defect(words.notListed, error);
    }
    if (!this.chosen) this.choose(this.choices[0]?.id ?? '');
    else if (this.saved === null) this.name = this.chosen.name;
  }

  choose(id: string): void {
    this.chosenId = id;
    this.name = this.chosen?.name ?? '';
    this.saved = null;
  }

  reset(): void {
    this.choices = [];
    this.choose('');
  }

  async saveAs(): Promise<void> {
    const choice = this.chosen;
    if (!choice || this.busy) return;
    try {
      const place = await this.#pick(choice);
      if (place) await this.#save(choice, place);
    } catch (error) {
      this.#desk.problems.defect(words.notAsked, error);
    }
  }

  async #pick(choice: SaveChoice): Promise<Place | null> {
    if (choice.sharded) {
      const directory = await pickDirectory('readwrite');
      return directory && { directory };
    }
    const handle = await pickSave(this.name || choice.name, choice.format);
    return handle && { handle };
  }

  async download(): Promise<void> {
    const choice = this.chosen;
    if (choice && !this.busy) await this.#save(choice, {});
  }

  async #save(choice: SaveChoice, place: Place): Promise<void> {
    this.busy = true;
    this.saved = null;
    const name = place.handle?.name ?? safeName(this.name.trim() || choice.name);
    const shards = choice.sharded && { name, shardSize: this.shardBytes ?? undefined };
    const failure = words.notSaved(name);
    const result = await this.#desk.tasks
      .run(words.saving(name), failure, (task) =>
        this.#desk.client.call(
          'save',
          { choice: choice.id, ...place, ...shards },
          {
            signal: task.signal,
            onProgress: ({ bytes, total }) => {
              task.fraction = total > 0 ? bytes / total : null;
              task.detail = words.written(bytes, total);
            },
          },
        ),
      )
      .finally(() => (this.busy = false));
    if (!result || !this.#desk.problems.check(failure, result)) return;
    const { saved } = result;
    if (saved.file) download(saved.file, choice.sharded ? saved.name : name);
    this.saved = { ...saved, name, choice, how: saved.file ? 'download' : 'picked' };
    this.onSaved(choice);
  }

  /**
   * Exports a state that training made: the model, its data and its settings as a project that trains
   * on without the lab; of LoRA the adapter, or the weights that it is merged into.
   */
  async export(kind: 'project' | 'peft' | 'merged', which: 'best' | 'last'): Promise<void> {
    const { client, tasks, problems } = this.#desk;
    const { what } = words.export[kind];
    const failure = words.export.failed(what);
    this.busy = true;
    const result = await tasks
      .run(words.export.writing(what), failure, ({ signal }): Promise<Result<{ file: File }>> =>
        kind === 'project'
          ? client.call('project', { which }, { signal })
          : client.call('adapter', { which, as: kind }, { signal }),
      )
      .finally(() => (this.busy = false));
    if (!result || !problems.check(failure, result)) return;
    download(result.file, result.file.name);
  }
}
