import type { OutlineNode } from '#lib/worker/protocol.ts';
import type { Desk } from '../desk.ts';
import { TensorState, type TensorNode } from './tensor.svelte.ts';

/** Tensors whose place, tab and answers are remembered while the checkpoint is open. */
const mostKept = 20;

/** The tensors of the open checkpoint that were looked at, and the one that is. */
export class TensorViews {
  shown = $state.raw<TensorState | null>(null);
  // Bookkeeping that no view shows, so not a SvelteMap.
  // eslint-disable-next-line svelte/prefer-svelte-reactivity
  readonly #kept = new Map<number, TensorState>();
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Shows a tensor as it was left. Rows that are no tensors are not shown. */
  open(node: OutlineNode): void {
    if (!isTensorNode(node)) return;
    const kept = this.#kept.get(node.id);
    const view = kept ?? new TensorState(this.#desk, node);
    this.#kept.delete(node.id);
    this.#kept.set(node.id, view);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > mostKept && oldest !== undefined) this.#kept.delete(oldest);
    this.shown = view;
    if (!kept) void view.apply();
  }

  close(): void {
    this.shown?.leave();
    this.shown = null;
  }

  /** Another checkpoint has other tensors. */
  reset(): void {
    this.close();
    this.#kept.clear();
  }
}

function isTensorNode(node: OutlineNode): node is TensorNode {
  return node.tensor !== undefined;
}
