import type { GraphNode, MultiOutputOp, Op, Ops } from '#lib/architecture/graph.ts';
import type { Activation } from './activation.ts';
import type { Draws } from './kernels/draw.ts';

/** What an op may know beside its inputs. */
export interface OpContext {
  readonly node: GraphNode;
  /** Random numbers of this node: the same for the same run and pass. An op may have several. */
  draws(stream?: number): Draws;
  /** A tensor that several ops of one pass share, by a key that says all that it depends on. */
  cached(key: string, make: () => Activation['tensor']): Activation['tensor'];
  /** Hands over the new value of a buffer, by the node that holds it; kept after the step. */
  updateBuffer(node: number, value: Activation['tensor']): void;
  /** Counts a batch in a host-side `num_batches_tracked` and gives the new count. */
  countBatch(node: number): number;
}

/** Node ids as the values they stand for; None stays null. */
type Operands<T extends readonly unknown[]> = {
  readonly [I in keyof T]: T[I] extends number ? Activation : Activation | null;
};

/** One value, or one for each output. */
type Result<K extends Op> = K extends MultiOutputOp ? readonly Activation[] : Activation;

/** The numbers of one op. `input`, `parameter` and `pick` have none: the executor knows them. */
export type OpFunction<K extends Op> = (
  inputs: Operands<Ops[K]['inputs']>,
  attrs: Readonly<Ops[K]['attrs']>,
  context: OpContext,
) => Result<K>;

/** A family of them. */
export type OpFunctions = { readonly [K in Op]?: OpFunction<K> };
