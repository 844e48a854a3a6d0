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
  /** How many nodes hold a tensor, by its id. */
  readonly #holders = new Map<number, number>();
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
    const own = tf.keep(this.#holders.has(tensor.id) ? tf.clone(tensor) : tensor);
    this.#kept.push(own);
    return own;
  }

  /** Counts one more node that holds a value; what comes from outside of the pass counts twice. */
  hold(value: Value, isForeign = false): void {
    for (const { tensor } of listOf(value)) {
      const holders = this.#holders.get(tensor.id) ?? 0;
      this.#holders.set(tensor.id, holders + (isForeign ? 2 : 1));
    }
  }

  /** Disposes what nobody uses after node `id`. */
  after(id: NodeId, values: readonly (Value | undefined)[]): void {
    if (!this.#frees) return;
    for (const over of this.#over.get(id) ?? []) {
      for (const { tensor } of listOf(values[over])) {
        const holders = this.#holders.get(tensor.id)! - 1;
        this.#holders.set(tensor.id, holders);
        if (holders === 0 && !this.#kept.includes(tensor)) tensor.dispose();
      }
    }
  }

  /** Disposes what was kept, but for the outputs. */
  end(outputs: readonly tf.Tensor[]): void {
    for (const tensor of this.#kept) if (!outputs.includes(tensor)) tensor.dispose();
  }
}

function listOf(value: Value | undefined): readonly Activation[] {
  if (value === undefined) return [];
  return 'tensor' in value ? [value] : value;
}
