import type { OpenedCheckpoint, OutlineNode } from '#lib/worker/protocol.ts';
import type { Desk } from './desk.ts';
import { TreeState } from './tree.svelte.ts';

/** Elements of a tensor that the details show. */
const valuesShown = 64;

/** The open checkpoint as the page knows it. The worker holds the file. */
export class CheckpointState {
  opened = $state.raw<OpenedCheckpoint | null>(null);
  /** Kept to open it again after a crash of the worker. */
  file: File | null = null;
  readonly tree: TreeState;
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
    this.tree = new TreeState(desk);
  }

  /** False where it failed; what was open before then stays. */
  async open(file: File): Promise<boolean> {
    const failure = `Could not open ${file.name}`;
    const result = await this.#desk.tasks.run(`Opening ${file.name}`, failure, (task) =>
      this.#desk.client.call('open', { file }, { signal: task.signal }),
    );
    if (!result || !this.#desk.problems.check(failure, result)) return false;
    this.file = file;
    this.opened = result.checkpoint;
    void this.tree.show(result.checkpoint.root, result.checkpoint.stateDicts[0]?.label ?? '');
    return true;
  }

  /** The first elements of a tensor as exact text. */
  async values(node: OutlineNode, signal: AbortSignal): Promise<string[] | string> {
    const args = { node: node.id, count: valuesShown };
    const result = await this.#desk.client.call('values', args, { signal });
    return result.ok ? result.values : result.findings.map(({ message }) => message).join('; ');
  }
}
