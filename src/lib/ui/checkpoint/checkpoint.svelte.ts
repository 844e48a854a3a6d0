import { download } from '#lib/storage/download.ts';
import type {
  Dropped,
  Finding,
  OpenedCheckpoint,
  OutlineNode,
  Verified,
} from '#lib/worker/protocol.ts';
import type { Desk } from '../desk.ts';
import { nameOf } from '../dropped.ts';
import { formatBytes } from '../format.ts';
import type { Action } from '../problems.svelte.ts';
import { TableState } from '../table/table.svelte.ts';
import { TensorViews } from '../tensor/views.svelte.ts';
import { words as common } from '../words.ts';
import { TreeState } from './tree.svelte.ts';
import { words } from './words.ts';

/** Elements of a tensor that the details show. */
const valuesShown = 64;

/** As it is nested, its tensors side by side, what their numbers are like, or sums over them. */
export type ContentsView = 'tree' | 'table' | 'statistics' | 'totals';

/** The open checkpoint as the page knows it. The worker holds the file. */
export class CheckpointState {
  opened = $state.raw<OpenedCheckpoint | null>(null);
  /** Kept to open it again after a crash of the worker. */
  dropped = $state.raw<Dropped | null>(null);
  /** What can be done about a file that does not open. */
  remedies: (dropped: Dropped, findings: readonly Finding[]) => Action[] = () => [];
  /** What reading every byte has shown; null before. */
  verified = $state.raw<Verified | Finding | null>(null);
  verifying = $state(false);
  /** How its contents are shown. */
  view = $state<ContentsView>('tree');
  readonly tree: TreeState;
  readonly table: TableState;
  readonly tensors: TensorViews;
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
    this.tree = new TreeState(desk);
    this.table = new TableState(desk, (node) => (this.tree.selected = node));
    this.tensors = new TensorViews(desk);
    this.tree.onLeaf = (node) => this.tensors.open(node);
  }

  /** False where it failed; what was open before then stays. */
  async open(dropped: Dropped): Promise<boolean> {
    const failure = common.opening.failed(nameOf(dropped));
    const result = await this.#desk.tasks.run(
      common.opening.doing(nameOf(dropped)),
      failure,
      (task) =>
        this.#desk.client.call('open', dropped, {
          signal: task.signal,
          onProgress: ({ bytes }) => (task.detail = common.opening.read(formatBytes(bytes))),
        }),
    );
    if (!result) return false;
    if (!result.ok) {
      const actions = this.remedies(dropped, result.findings);
      this.#desk.problems.add(failure, result.findings, { actions });
      return false;
    }
    this.dropped = dropped;
    this.opened = result.checkpoint;
    this.verified = null;
    this.table.reset();
    this.tensors.reset();
    void this.tree.show(result.checkpoint.root, result.checkpoint.stateDicts[0]?.label ?? '');
    return true;
  }

  /** False where the worker could not, which is said. */
  async close(): Promise<boolean> {
    const name = this.opened?.name ?? '';
    try {
      await this.#desk.client.call('close', {});
    } catch (error) {
      this.#desk.problems.defect(common.closing.failed(name), error);
      return false;
    }
    this.dropped = this.opened = this.verified = null;
    this.table.reset();
    this.tensors.reset();
    return true;
  }

  /** After the worker died. What fails now is closed and not tried again: it may be at fault. */
  async reopen(): Promise<void> {
    const { dropped } = this;
    this.dropped = null;
    if (dropped && !(await this.open(dropped))) this.opened = null;
  }

  /** Shows the contents in another way; the tensor that is chosen stays so. */
  async show(view: ContentsView): Promise<void> {
    const { table, tree } = this;
    this.view = view;
    if (view === 'tree') {
      if (table.nodes.at(-1)?.id === tree.selected?.id) await tree.reveal(table.nodes);
    } else {
      await table.load();
      if (tree.selected && table.nodes.at(-1)?.id !== tree.selected.id)
        await table.follow(tree.selected);
    }
  }

  /** Saves what is known of it as one page to keep or print. */
  async report(): Promise<void> {
    const { opened } = this;
    if (!opened) return;
    const failure = words.notReported(opened.name);
    const result = await this.#desk.tasks.run(words.reporting, failure, ({ signal }) =>
      this.#desk.client.call('checkpointReport', {}, { signal }),
    );
    if (!result || !this.#desk.problems.check(failure, result)) return;
    download(result.file, result.file.name);
  }

  /** Reads every byte of the file, and compares checksums where it has them. */
  async verify(): Promise<void> {
    const { opened } = this;
    if (!opened || this.verifying) return;
    this.verifying = true;
    this.verified = null;
    const failure = words.notVerified(opened.name);
    const result = await this.#desk.tasks
      .run(words.verifying(opened.name), failure, (task) =>
        this.#desk.client.call(
          'verify',
          {},
          {
            signal: task.signal,
            onProgress: ({ bytes, total }) => task.transferred(bytes, total),
          },
        ),
      )
      .finally(() => (this.verifying = false));
    if (!result || this.opened !== opened) return;
    this.verified = result.ok ? result.verified : result.findings[0]!;
  }

  /** The first elements of a tensor as exact text. */
  async values(node: OutlineNode, signal: AbortSignal): Promise<string[] | string> {
    const args = { node: node.id, count: valuesShown };
    const result = await this.#desk.client.call('values', args, { signal });
    return result.ok ? result.values : result.findings.map(({ message }) => message).join('; ');
  }
}
