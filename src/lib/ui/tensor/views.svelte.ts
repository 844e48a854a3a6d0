import { goto } from '$app/navigation';
import { resolve } from '$app/paths';
import { page } from '$app/state';
import type { OutlineNode } from '#lib/worker/protocol.ts';
import type { Desk } from '../desk.ts';
import { TensorState, type TensorNode } from './tensor.svelte.ts';

/** Tensors whose place, tab and answers are remembered while the checkpoint is open. */
const mostKept = 20;

/**
 * The tensors of the open checkpoint that were looked at. The one that is shown is a place in the
 * browser's history: Back leads to the contents, Forward to the tensor again.
 */
export class TensorViews {
  /** Those that were looked at last come last. */
  #kept = $state.raw<readonly TensorState[]>([]);
  readonly shown = $derived(this.#kept.find(({ id }) => id === page.state.tensor) ?? null);
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Shows a tensor as it was left. Rows that are no tensors are not shown. */
  open(node: OutlineNode): void {
    if (!isTensorNode(node)) return;
    const kept = this.#kept.find((view) => view.node.id === node.id);
    const view = kept ?? new TensorState(this.#desk, node);
    this.#kept = [...this.#kept.filter((other) => other !== view), view].slice(-mostKept);
    if (!kept) void view.apply();
    // In the place of one that is shown: from each of them, Back leads to the contents.
    const replace = this.shown !== null;
    void goto(resolve('/checkpoint'), { state: { tensor: view.id }, shallow: true, replace });
  }

  close(): void {
    history.back();
  }

  /** Another checkpoint has other tensors. */
  reset(): void {
    this.shown?.leave();
    this.#kept = [];
  }
}

function isTensorNode(node: OutlineNode): node is TensorNode {
  return node.tensor !== undefined;
}
