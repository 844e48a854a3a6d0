/**
 * The training step, one function of static shapes: forward, loss, gradients, and after `accumulate`
 * batches clipping, optimizer and moving average. A batch goes up as inputs, targets and a mask;
 * nothing is read back until someone settles what is pending. Only a GradScaler reads: one flag for
 * each optimizer step, whether the gradients are finite, as PyTorch's does.
 *
 * A short last batch is filled up to the static size and masked, where the model treats examples one
 * by one. Where it does not, as BatchNorm in training, that would change the numbers, and such a
 * batch has a graph of its own size.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Batch, TargetSpec } from '#lib/inputs/data/dataset.ts';
import { keepsExamplesApart } from '#lib/runtime/batch_axis.ts';
import { uploadInputs, type Graph, type Model } from '#lib/runtime/model.ts';
import * as tf from '#lib/runtime/tf.ts';
import { clipGradNorm, clipGradValue } from '#lib/optim/clip_grad.ts';
import type { Ema } from '#lib/optim/ema.ts';
import type { GradScaler } from '#lib/optim/grad_scaler.ts';
import type { Gradients } from '#lib/optim/gradients.ts';
import { checkLoss, lossOutput } from './check_loss.ts';
import { Criterion } from './losses.ts';
import { measure, spreadOf, type SumName, type Sums } from './metrics.ts';
import type { LossSettings, MetricName, RunSettings } from './settings.ts';

/** Gives the graph for a batch of `count` examples; traced once for each size and mode. */
export type GraphFor = (count: number, training: boolean) => Graph;

export interface TrainerParts {
  readonly model: Model;
  readonly optimizer: { step(model: Model, gradients: Gradients): void };
  /** With class weights as numbers: see `resolveLoss`. */
  readonly loss: LossSettings;
  readonly target: TargetSpec;
  /** What is counted beside the loss. */
  readonly metrics: readonly MetricName[];
  /** Batches whose gradients one optimizer step takes; each loss is divided by their number. */
  readonly accumulate?: number;
  readonly clip?: RunSettings['clip'];
  readonly scaler?: Pick<GradScaler, 'scale' | 'unscale' | 'update'> | null;
  readonly ema?: Pick<Ema, 'update'> | null;
  readonly graphFor: GraphFor;
  /** Examples of a whole batch; none has more. */
  readonly batchSize: number;
}

/** Sums of a batch that are still on the backend. */
export interface Pending {
  /** Examples, without padding. */
  readonly count: number;
  /** Whether an optimizer step was due after it; a scaler may have left it out. */
  readonly stepped: boolean;
  readonly result: tf.Tensor1D;
  readonly parts: readonly { readonly name: SumName; readonly size: number }[];
  readonly spread: Float64Array | null;
}

/** What a batch gave, read back; `metricOf` makes metrics of its sums. */
export interface Settled {
  readonly count: number;
  readonly stepped: boolean;
  readonly sums: Sums;
}

export class Trainer {
  readonly #parts: TrainerParts;
  readonly #criterion: Criterion;
  /** Sums of the gradients since the last optimizer step, and of how many batches. */
  #gradients: Map<string, tf.Tensor | null> | null = null;
  #gathered = 0;
  /** The sizes that batches are computed in, by mode and number of examples. */
  readonly #sizes = new Map<string, number>();

  constructor(parts: TrainerParts) {
    this.#parts = parts;
    this.#criterion = new Criterion(parts.loss, parts.target);
  }

  /** One batch of training. */
  async step(batch: Batch): Promise<Pending> {
    const { accumulate = 1, model, scaler } = this.#parts;
    const share = (scaler?.scale ?? 1) / accumulate;
    const given = this.#upload(batch, true);
    let parts: Pending['parts'] = [];
    try {
      const { loss, extra, gradients } = model.gradients(given.graph, given.inputs, (outputs) => {
        const measured = this.#measure(given, outputs, false);
        parts = measured.parts;
        const mean = tf.div(measured.loss.sum, measured.loss.weight);
        return {
          loss: (share === 1 ? mean : tf.mul(mean, share)) as tf.Scalar,
          extra: measured.result,
        };
      });
      loss.dispose();
      this.#gather(gradients);
      const stepped = this.#gathered === accumulate && (await this.flush());
      const result = extra as tf.Tensor1D;
      return { count: batch.count, stepped, result, parts, spread: given.spread };
    } finally {
      release(given);
    }
  }

  /**
   * Takes the optimizer step of gradients that wait for more batches, where there are any: at the end
   * of an epoch, as scripts do with `or i + 1 == len(loader)`. Each loss stays divided by
   * `accumulate`, as in those scripts. Gives whether there was a step.
   */
  async flush(): Promise<boolean> {
    const gathered = this.#gradients;
    if (!gathered) return false;
    this.#gradients = null;
    this.#gathered = 0;
    const { ema, model, optimizer, scaler } = this.#parts;
    const unscaled = scaler?.unscale(gathered);
    const gradients = unscaled ? replace(gathered, unscaled.gradients) : gathered;
    const clipped = this.#clip(gradients);
    const foundInf = unscaled ? await readFlag(unscaled.foundInf) : false;
    if (!foundInf) optimizer.step(model, clipped);
    scaler?.update(foundInf);
    ema?.update(model);
    disposeAll(clipped);
    return true;
  }

  /** The gradients clipped; those given are disposed. */
  #clip(gradients: Gradients): Gradients {
    const { clip } = this.#parts;
    if (!clip) return gradients;
    switch (clip.kind) {
      case 'norm': {
        const clipped = clipGradNorm(gradients, clip.maxNorm, clip.normType);
        clipped.norm.dispose();
        return replace(gradients, clipped.gradients);
      }
      case 'value':
        return replace(gradients, clipGradValue(gradients, clip.clipValue));
      default:
        throw new Error(`no clipping ${(clip satisfies never as { kind: string }).kind}`);
    }
  }

  /** Sums of a batch in evaluation mode, with the confusion matrix where F1 is counted. */
  evaluate(batch: Batch): Pending {
    const given = this.#upload(batch, false);
    let outputs: tf.Tensor[] = [];
    let parts: Pending['parts'] = [];
    try {
      outputs = this.#parts.model.forward(given.graph, given.inputs);
      const result = tf.tidy(() => {
        const measured = this.#measure(given, outputs, true);
        parts = measured.parts;
        return measured.result;
      });
      return { count: batch.count, stepped: false, result, parts, spread: given.spread };
    } finally {
      tf.dispose(outputs);
      release(given);
    }
  }

  /** Drops gradients that wait, and the weights of the loss. */
  dispose(): void {
    if (this.#gradients) disposeAll(this.#gradients);
    this.#gradients = null;
    this.#criterion.dispose();
  }

  #measure(given: Uploaded, outputs: readonly tf.Tensor[], withConfusion: boolean) {
    const output = outputs[lossOutput(given.graph)]!;
    const { targets, mask } = given;
    const loss = this.#criterion.sums(output, targets, mask);
    const { metrics } = this.#parts;
    const batch = { output, targets, mask, loss };
    const sums = measure(metrics, this.#criterion, batch, withConfusion);
    return {
      loss,
      parts: sums.map(([name, { size }]) => ({ name, size })),
      result: tf.concat(sums.map(([, sum]) => sum)),
    };
  }

  /** Adds to what waits; takes the gradients over. */
  #gather(gradients: Map<string, tf.Tensor | null>): void {
    this.#gathered++;
    const before = this.#gradients;
    this.#gradients = gradients;
    if (!before) return;
    for (const [key, gradient] of gradients) {
      const sum = before.get(key) ?? null;
      if (!sum || !gradient) gradients.set(key, sum ?? gradient);
      else {
        gradients.set(key, tf.add(sum, gradient));
        tf.dispose([sum, gradient]);
      }
    }
  }

  /** The number of examples that a batch of `count` is computed with: more, if that changes nothing. */
  #sizeOf(count: number, training: boolean): number {
    const { graphFor, batchSize } = this.#parts;
    if (count > batchSize)
      throw new Error(`training: ${count} examples in a batch of ${batchSize}`);
    const key = `${training} ${count}`;
    let size = this.#sizes.get(key) ?? (count === batchSize ? count : undefined);
    if (size === undefined) {
      const whole = graphFor(batchSize, training);
      const isApart = keepsExamplesApart(whole, graphFor(count, training), lossOutput(whole));
      size = isApart ? batchSize : count;
      this.#sizes.set(key, size);
    }
    return size;
  }

  #upload(batch: Batch, training: boolean): Uploaded {
    const { graphFor, loss, target } = this.#parts;
    const { count } = batch;
    const size = this.#sizeOf(count, training);
    const graph = graphFor(size, training);
    const output = graph.nodes[graph.outputs[lossOutput(graph)]!]!;
    checkLoss(loss, target, output.shape, size);
    this.#checkTargets(batch, output.shape);
    const input = graph.nodes[graph.inputs[0]!]!;
    const isNumbers = target.kind === 'numbers';
    const inputs = filledUp(batch.inputs, count, size);
    const targets = filledUp(batch.targets, count, size);
    return {
      graph,
      inputs: uploadInputs(graph, [{ values: inputs, shape: input.shape }]),
      targets: tf.tensor(targets, [size, ...target.shape], isNumbers ? 'float32' : 'int32'),
      mask: tf.tensor1d(new Float32Array(size).fill(1, 0, count)),
      spread: isNumbers ? spreadOf(batch.targets, count) : null,
    };
  }

  /** Refuses an index that no class has: a GPU would go on with it. */
  #checkTargets({ targets }: Batch, output: readonly number[]): void {
    const { target } = this.#parts;
    if (target.kind === 'numbers') return;
    const classes = target.kind === 'tokens' ? output.at(-1)! : output[1]!;
    for (let at = 0; at < targets.length; at++) {
      const label = targets[at]!;
      if ((label >= 0 && label < classes) || label === this.#criterion.ignoreIndex) continue;
      throw new FindingError({
        code: 'data-unsuitable',
        message: `loss: the label ${label} is outside of the model's ${classes} classes`,
        advice: 'Replace the head, or choose other targets.',
      });
    }
  }
}

interface Uploaded {
  readonly graph: Graph;
  readonly inputs: readonly tf.Tensor[];
  readonly targets: tf.Tensor;
  readonly mask: tf.Tensor1D;
  readonly spread: Float64Array | null;
}

/** Copies of the first example behind the others: whatever they give is finite where the first is. */
function filledUp<T extends Batch['inputs']>(values: T, count: number, size: number): T {
  if (count === size) return values;
  const width = values.length / count;
  const all = new (values.constructor as new (length: number) => T)(width * size);
  all.set(values);
  for (let at = count; at < size; at++) all.set(values.subarray(0, width), at * width);
  return all;
}

function release({ inputs, targets, mask }: Uploaded): void {
  tf.dispose([...inputs, targets, mask]);
}

/** Gives new gradients for old ones, which are disposed. */
function replace(before: Gradients, after: Gradients): Gradients {
  disposeAll(before);
  return after;
}

async function readFlag(flag: tf.Scalar): Promise<boolean> {
  const [value] = await flag.data();
  flag.dispose();
  return value !== 0;
}

function disposeAll(gradients: Gradients): void {
  tf.dispose([...gradients.values()].filter((gradient) => gradient !== null));
}

/** Gives up on results that nobody will read. */
export function discard(pending: readonly Pending[]): void {
  tf.dispose(pending.map(({ result }) => result));
}

/** Reads what is pending back in one go, and disposes it. */
export async function settle(pending: readonly Pending[]): Promise<Settled[]> {
  if (pending.length === 0) return [];
  const all = tf.concat(pending.map(({ result }) => result));
  discard(pending);
  const values = await all.data<'float32'>();
  all.dispose();
  let at = 0;
  return pending.map(({ count, stepped, parts, spread }) => {
    const sums: Partial<Record<SumName, Float64Array>> = spread ? { spread } : {};
    for (const { name, size } of parts) {
      sums[name] = Float64Array.from(values.subarray(at, at + size));
      at += size;
    }
    return { count, stepped, sums };
  });
}
