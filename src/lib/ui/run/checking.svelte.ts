import type { Checked } from '#lib/worker/protocol.ts';
import type { Desk } from '../desk.ts';
import { words } from './words.ts';

/** The comparison with a file of PyTorch's numbers. */
export class CheckState {
  checked = $state.raw<Checked | null>(null);
  busy = $state(false);
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  modelChanged(): void {
    this.checked = null;
  }

  async check(file: File): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    const failure = words.check.failed(file.name);
    const result = await this.#desk.tasks.run(words.check.comparing(file.name), failure, (task) =>
      this.#desk.client.call(
        'check',
        { file },
        {
          signal: task.signal,
          onProgress: ({ done, total }) => {
            task.fraction = total > 0 ? done / total : null;
            task.detail = words.check.progress(done, total);
          },
        },
      ),
    );
    this.busy = false;
    if (result && this.#desk.problems.check(failure, result)) this.checked = result.checked;
  }
}
