/**
 * Which loss fits which targets and outputs, before anything runs. What PyTorch would broadcast with
 * a warning, (N, 1) against (N), is refused.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { TargetSpec } from '#lib/inputs/data/dataset.ts';
import type { Graph } from '#lib/runtime/model.ts';
import type { LossSettings } from './settings.ts';

/** The output that the loss is taken of: the one named `logits`, or the first. */
export function lossOutput({ outputNames }: Pick<Graph, 'outputNames'>): number {
  return Math.max(0, outputNames.indexOf('logits'));
}

/** The loss that a model's last op and the kind of targets suggest, with PyTorch's defaults. */
export function proposeLoss(target: TargetSpec, graph: Graph): LossSettings {
  const last = lastOp(graph);
  if (target.kind === 'numbers') {
    if (last === 'sigmoid') return { name: 'binary_cross_entropy', posWeight: null };
    return { name: 'mse_loss' };
  }
  const common = { ignoreIndex: -100, classWeights: null };
  if (last === 'log_softmax') return { name: 'nll_loss', ...common };
  return { name: 'cross_entropy', labelSmoothing: 0, ...common };
}

/** What computes the output's numbers; moving them does not. */
function lastOp(graph: Graph): string {
  let node = graph.nodes[graph.outputs[lossOutput(graph)]!]!;
  while (node.op === 'reshape' || node.op === 'permute') node = graph.nodes[node.inputs[0]]!;
  return node.op;
}

/**
 * Refuses a loss that does not fit the targets or the model's output, whose shape begins with the
 * `batch`. Throws a FindingError that says both.
 */
export function checkLoss(
  settings: LossSettings,
  target: TargetSpec,
  output: readonly number[],
  batch: number,
): void {
  switch (settings.name) {
    case 'cross_entropy':
    case 'nll_loss': {
      const classes = checkClasses(settings, target, output, batch);
      checkWeights(settings, classes);
      break;
    }
    case 'mse_loss':
    case 'l1_loss':
    case 'smooth_l1_loss':
    case 'binary_cross_entropy':
    case 'binary_cross_entropy_with_logits':
      checkNumbers(settings, target, output, batch);
      break;
    default:
      throw new Error(`no loss ${(settings satisfies never as LossSettings).name}`);
  }
}

type ClassLoss = Extract<LossSettings, { name: 'cross_entropy' | 'nll_loss' }>;

/** Gives the number of classes that the output has. */
function checkClasses(
  settings: ClassLoss,
  target: TargetSpec,
  output: readonly number[],
  batch: number,
): number {
  const { name } = settings;
  if (target.kind === 'numbers') {
    if (name === 'nll_loss') {
      throw refuse('nll_loss takes class indices, the targets are numbers', OTHER_LOSS);
    }
    if (settings.ignoreIndex >= 0) {
      throw refuse(
        `cross_entropy with probabilities ignores no index, ignore_index is ${settings.ignoreIndex}`,
        'Leave ignore_index at -100.',
      );
    }
    const shape = [batch, ...target.shape];
    if (shape.length >= 2 && isSame(output, shape)) return output[1]!;
    throw refuse(
      `cross_entropy takes an output of the probabilities' shape ${text(shape)}, with the classes on axis 1; the model gives ${text(output)}`,
      OTHER_LOSS,
    );
  }
  const { shape } = target;
  const known = target.kind === 'class' ? target.classes.length : target.vocabulary;
  const what = `${name} of ${known} ${target.kind === 'class' ? 'classes' : 'tokens'}`;
  const places = shape.reduce((product, size) => product * size, batch);
  const forms =
    target.kind === 'class'
      ? [[batch, known, ...shape]]
      : [
          [batch, ...shape, known],
          [places, known],
        ];
  const axis = (form: readonly number[]) => (target.kind === 'class' ? 1 : form.length - 1);
  const fits = (form: readonly number[]) =>
    form.length === output.length &&
    form.every((size, at) => (at === axis(form) ? output[at]! >= size : output[at] === size));
  const form = forms.find(fits);
  if (form) return output[axis(form)]!;
  throw refuse(
    `${what} takes an output ${forms.map(text).join(' or ')}, the model gives ${text(output)}`,
    'Replace the head, or choose targets that the model was made for.',
  );
}

function checkWeights({ classWeights, name }: ClassLoss, classes: number): void {
  if (!Array.isArray(classWeights) || classWeights.length === classes) return;
  throw refuse(
    `${name} has ${classWeights.length} class weights, the model gives ${classes} classes`,
    'Give a weight for each of the model’s outputs.',
  );
}

function checkNumbers(
  settings: Exclude<LossSettings, ClassLoss>,
  target: TargetSpec,
  output: readonly number[],
  batch: number,
): void {
  const { name } = settings;
  if (target.kind !== 'numbers') {
    const given = target.kind === 'class' ? 'class indices' : 'tokens';
    throw refuse(`${name} takes numbers, the targets are ${given}`, OTHER_LOSS);
  }
  const shape = [batch, ...target.shape];
  if (!isSame(output, shape)) {
    throw refuse(
      `${name} takes an output of the targets' shape ${text(shape)}, the model gives ${text(output)}`,
      'PyTorch would spread one over the other: give both the same shape, with squeeze or unsqueeze in the model.',
    );
  }
  const weights = 'posWeight' in settings ? settings.posWeight : null;
  if (!weights) return;
  if (name === 'binary_cross_entropy') {
    throw refuse('binary_cross_entropy has no pos_weight', 'Take the loss with logits.');
  }
  const outputs = output.length > 1 ? output.at(-1) : 1;
  if (weights.length !== 1 && weights.length !== outputs) {
    throw refuse(
      `${name} has a pos_weight of ${weights.length} numbers, the model gives ${text(output)}`,
      'Give one number, or one for each output.',
    );
  }
}

const OTHER_LOSS = 'Choose a loss that fits the targets.';

function refuse(message: string, advice: string): FindingError {
  return new FindingError({ code: 'loss-unsuitable', message: `loss: ${message}`, advice });
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

function text(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
