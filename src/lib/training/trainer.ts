/**
 * The training step: forward, loss, gradients, optimizer, for batches of one shape at a time. A
 * step reads nothing back: loss and hits stay on the backend until someone asks for them.
 */
import type { Optimizer } from '#lib/optim/optimizer.ts';
import type { Graph, Model } from '#lib/runtime/model.ts';
import * as tf from '#lib/runtime/tf.ts';
import { classificationLoss, oneHot, type LossName } from './loss.ts';

export interface Batch {
  /** (N, …) row-major. */
  readonly inputs: Float32Array;
  readonly labels: Int32Array;
}

/** Gives the graph for a batch of `count` examples; traced once for each size and mode. */
export type GraphFor = (count: number, training: boolean) => Graph;

/** Loss and hits of steps whose numbers are still on the backend. */
export interface Pending {
  readonly count: number;
  /** [loss, correct] */
  readonly result: tf.Tensor1D;
}

export class Trainer {
  readonly #model: Model;
  readonly #optimizer: Optimizer;
  readonly #loss: LossName;
  readonly #graphFor: GraphFor;

  constructor(model: Model, optimizer: Optimizer, loss: LossName, graphFor: GraphFor) {
    this.#model = model;
    this.#optimizer = optimizer;
    this.#loss = loss;
    this.#graphFor = graphFor;
  }

  /** One training step on a batch. */
  step(batch: Batch): Pending {
    const graph = this.#graphFor(batch.labels.length, true);
    const { inputs, target } = upload(graph, batch);
    const { loss, extra, gradients } = this.#model.gradients(graph, [inputs], ([output]) => {
      const { loss, correct } = classificationLoss(this.#loss, output!, target);
      return { loss, extra: correct };
    });
    this.#optimizer.step(this.#model, gradients);
    const result = tf.tidy(() => tf.stack([loss, extra]) as tf.Tensor1D);
    tf.dispose([inputs, target, loss, extra, ...[...gradients.values()].filter((g) => g !== null)]);
    return { count: batch.labels.length, result };
  }

  /** Loss and hits of a batch in evaluation mode. */
  evaluate(batch: Batch): Pending {
    const graph = this.#graphFor(batch.labels.length, false);
    const { inputs, target } = upload(graph, batch);
    const outputs = this.#model.forward(graph, [inputs]);
    const result = tf.tidy(() => {
      const { loss, correct } = classificationLoss(this.#loss, outputs[0]!, target);
      return tf.stack([loss, correct]) as tf.Tensor1D;
    });
    tf.dispose([inputs, target, ...outputs]);
    return { count: batch.labels.length, result };
  }
}

function upload(graph: Graph, { inputs, labels }: Batch) {
  const input = graph.nodes[graph.inputs[0]!]!;
  const output = graph.nodes[graph.outputs[0]!]!;
  const classes = output.shape[1];
  if (output.shape.length !== 2 || classes === undefined) {
    throw new Error(
      `loss: the model gives [${output.shape.join(', ')}], a classifier gives [batch, classes]`,
    );
  }
  const target = oneHot(labels, classes); // first, since it refuses labels
  return {
    inputs: tf.tensor(inputs, [...input.shape], 'float32'),
    target: tf.tensor2d(target, [labels.length, classes]),
  };
}

/** Gives up on results that nobody will read. */
export function discard(pending: readonly Pending[]): void {
  tf.dispose(pending.map(({ result }) => result));
}

/** Reads pending results back in one go: mean loss of each, and hits. Disposes them. */
export async function settle(
  pending: readonly Pending[],
): Promise<{ loss: number; correct: number; count: number }[]> {
  if (pending.length === 0) return [];
  const stacked = tf.tidy(() => tf.stack(pending.map(({ result }) => result)));
  discard(pending);
  const values = await stacked.data<'float32'>();
  stacked.dispose();
  return pending.map(({ count }, index) => ({
    count,
    loss: values[2 * index]!,
    correct: values[2 * index + 1]!,
  }));
}
