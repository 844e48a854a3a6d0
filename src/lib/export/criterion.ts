/** A loss as a module of torch.nn. What has PyTorch's default is not said. */
import type { LossSettings } from '#lib/training/settings.ts';
import { pythonCall, pythonLiteral, pythonNumber } from './python/literal.ts';

/** Throws where class weights are still to be computed: `resolveLoss` does. */
export function pythonCriterion(settings: LossSettings): string {
  switch (settings.name) {
    case 'cross_entropy':
      return pythonCall('nn.CrossEntropyLoss', [
        ...classOptions(settings),
        ...unless(0, settings.labelSmoothing, 'label_smoothing'),
      ]);
    case 'nll_loss':
      return pythonCall('nn.NLLLoss', classOptions(settings));
    case 'mse_loss':
      return 'nn.MSELoss()';
    case 'l1_loss':
      return 'nn.L1Loss()';
    case 'smooth_l1_loss':
      return pythonCall('nn.SmoothL1Loss', unless(1, settings.beta, 'beta'));
    case 'binary_cross_entropy':
      return 'nn.BCELoss()';
    case 'binary_cross_entropy_with_logits':
      return pythonCall('nn.BCEWithLogitsLoss', tensor('pos_weight', settings.posWeight));
    default:
      throw new Error(
        `export: there is no loss ${(settings satisfies never as LossSettings).name}`,
      );
  }
}

function classOptions({
  classWeights,
  ignoreIndex,
}: Extract<LossSettings, { classWeights: unknown }>): string[] {
  if (classWeights === 'balanced') throw new Error('export: class weights are not computed yet');
  return [...tensor('weight', classWeights), ...unless(-100, ignoreIndex, 'ignore_index')];
}

function tensor(name: string, values: readonly number[] | null): string[] {
  if (!values) return [];
  return [`${name}=${pythonCall('torch.tensor', [pythonLiteral(values), 'dtype=torch.float32'])}`];
}

function unless(standard: number, value: number, name: string): string[] {
  return value === standard ? [] : [`${name}=${pythonNumber(value)}`];
}
