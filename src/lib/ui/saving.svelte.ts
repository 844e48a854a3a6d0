import { download } from '#lib/storage/download.ts';
import { pickSave } from '#lib/storage/picker.ts';
import type { SaveChoice, Saved } from '#lib/worker/protocol.ts';
import type { Desk } from './desk.ts';
import { formatBytes } from './format.ts';

/** What can be saved, and what was. */
export class SavingState {
  choices = $state.raw<SaveChoice[]>([]);
  chosenId = $state('');
  /** File name for the chosen one, as edited. */
  name = $state('');
  busy = $state(false);
  saved = $state.raw<(Saved & { choice: SaveChoice; how: 'picked' | 'download' }) | null>(null);
  /** A state that training made is on disk. */
  onSaved: (choice: SaveChoice) => void = () => {};
  readonly #desk: Desk;

  readonly chosen = $derived(this.choices.find(({ id }) => id === this.chosenId));

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  async refresh(): Promise<void> {
    try {
      this.choices = await this.#desk.client.call('saves', {});
    } catch (error) {
      this.#desk.problems.defect('Could not list what can be saved', error);
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
      const handle = await pickSave(this.name || choice.name, choice.format);
      if (handle) await this.#save(choice, handle);
    } catch (error) {
      this.#desk.problems.defect('Could not ask where to save', error);
    }
  }

  async download(): Promise<void> {
    const choice = this.chosen;
    if (choice && !this.busy) await this.#save(choice);
  }

  async #save(choice: SaveChoice, handle?: FileSystemFileHandle): Promise<void> {
    this.busy = true;
    this.saved = null;
    const name = handle?.name ?? (this.name.trim() || choice.name);
    const failure = `Could not save ${name}`;
    const result = await this.#desk.tasks
      .run(`Saving ${name}`, failure, (task) =>
        this.#desk.client.call(
          'save',
          { choice: choice.id, handle },
          {
            signal: task.signal,
            onProgress: ({ bytes, total }) => {
              task.fraction = total > 0 ? bytes / total : null;
              task.detail = `${formatBytes(bytes)} of ${formatBytes(total)}`;
            },
          },
        ),
      )
      .finally(() => (this.busy = false));
    if (!result || !this.#desk.problems.check(failure, result)) return;
    const { saved } = result;
    if (saved.file) download(saved.file, name);
    this.saved = { ...saved, name, choice, how: handle ? 'picked' : 'download' };
    this.onSaved(choice);
  }
}
