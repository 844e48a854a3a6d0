/**
 * When a pass gives its tensors back. In evaluation a value is disposed after the last node that
 * uses it, and what an op made on the way to its result right after the op: a deep network then
 * needs the memory of its widest place, not of all its layers. Where gradients are taken, everything
 * is kept; tfjs needs it on the way back.
 */
import type { Graph, NodeId } from '#lib/architecture/graph.ts';
import type { Activation } from './activation.ts';
import * as tf from './tf.ts';

export type Value = Activation | readonly Activation[];

export class Lifetimes {
  readonly #frees = !tf.engine().isTapeOn();
  /** The nodes whose values nobody uses after node i. */
  readonly #over = new Map<NodeId, NodeId[]>();
  /** The tensors that nodes hold, and how many do, by their ids. */
  readonly #held = new Map<number, { tensor: tf.Tensor; holders: number; isForeign: boolean }>();
  readonly #kept: tf.Tensor[] = [];

  constructor({ nodes, outputs }: Graph) {
    const lastUses = nodes.map((_, id) => id);
    nodes.forEach(({ inputs }, id) => {
      for (const input of inputs) if (input !== null) lastUses[input] = id;
    });
    lastUses.forEach((at, id) => {
      if (!outputs.includes(id)) this.#over.set(at, [...(this.#over.get(at) ?? []), id]);
    });
  }

  /** Runs an op: of the tensors that it makes, only its result stays. */
  run<T extends Value>(op: () => T): T {
    return this.#frees ? (tf.tidy(op as () => never) as T) : op();
  }

  /** Keeps a tensor that an op makes beside its result until the pass is over; a copy of a node's. */
  keep(tensor: tf.Tensor): tf.Tensor {
    if (!this.#frees) return tensor;
    const own = tf.keep(this.#held.has(tensor.id) ? tf.clone(tensor) : tensor);
    this.#kept.push(own);
    return own;
  }

  /** Counts one more node that holds a value; what comes from outside of the pass stays. */
  hold(value: Value, isForeign = false): void {
    for (const { tensor } of listOf(value)) {
      const known = this.#held.get(tensor.id) ?? { tensor, holders: 0, isForeign };
      this.#held.set(tensor.id, { ...known, holders: known.holders + 1 });
    }
  }

  /** Disposes what nobody uses after node `id`. */
  after(id: NodeId, values: readonly (Value | undefined)[]): void {
    if (!this.#frees) return;
    for (const over of this.#over.get(id) ?? []) {
      for (const { tensor } of listOf(values[over])) {
        const held = this.#held.get(tensor.id)!;
        held.holders--;
        if (held.holders === 0) this.#release(tensor.id);
      }
    }
  }

  #release(id: number): void {
    const { tensor, isForeign } = this.#held.get(id)!;
    this.#held.delete(id);
    if (!isForeign && !this.#kept.includes(tensor)) tensor.dispose();
  }

  /** Disposes what is left, but for the outputs; much, where the pass was not taken to its end. */
  end(outputs: readonly tf.Tensor[]): void {
    if (!this.#frees) return;
    for (const [id, { tensor }] of this.#held) if (!outputs.includes(tensor)) this.#release(id);
    for (const tensor of this.#kept) if (!outputs.includes(tensor)) tensor.dispose();
  }
}

function listOf(value: Value | undefined): readonly Activation[] {
  if (value === undefined) return [];
  return 'tensor' in value ? [value] : value;
}
