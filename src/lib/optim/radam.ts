import { tuple } from '#lib/checkpoint/value.ts';
import { add, div, lerp, mul, sqrt, square, sub } from '#lib/runtime/kernels/formula.ts';
import { betas, number } from './options.ts';
import { countStep, decayNumbers, descent, shrink, type Rule } from './rule.ts';

type Name =
  'weight_decay' | 'shrink' | 'share1' | 'beta2' | 'share2' | 'rate' | 'of_root' | 'offset';

/**
 * torch.optim.RAdam (`_single_tensor_radam`). Before the variance can be rectified, the step is one
 * of momentum alone; that is a denominator of 1, so it differs in numbers only.
 */
export const radam: Rule<'exp_avg' | 'exp_avg_sq', Name> = {
  name: 'RAdam',
  defaults: [
    ['lr', 0.001],
    ['betas', tuple(0.9, 0.999)],
    ['eps', 1e-8],
    ['weight_decay', 0n],
    ['maximize', false],
    ['foreach', null],
    ['capturable', false],
    ['decoupled_weight_decay', false],
    ['differentiable', false],
  ],
  later: [
    ['foreach', null],
    ['maximize', false],
    ['differentiable', false],
    ['decoupled_weight_decay', false],
    ['capturable', false],
  ],
  scalars: { step: 0 },
  tensors: () => ({ exp_avg: 0, exp_avg_sq: 0 }),
  advance: countStep,
  numbers(options, scalars) {
    const step = scalars.step!;
    const [beta1, beta2] = betas(options);
    const correction2 = 1 - beta2 ** step;
    // Length of the approximated simple moving average, and its limit.
    const limit = 2 / (1 - beta2) - 1;
    const length = limit - (2 * step * beta2 ** step) / correction2;
    const isRectified = length > 5;
    const rectification = Math.sqrt(
      ((length - 4) * (length - 2) * limit) / ((limit - 4) * (limit - 2) * length),
    );
    const rate = number(options, 'lr') / (1 - beta1 ** step);
    return {
      ...decayNumbers(options),
      share1: 1 - beta1,
      beta2,
      share2: 1 - beta2,
      rate: isRectified ? rate * Math.sqrt(correction2) * rectification : rate,
      of_root: isRectified ? 1 : 0,
      offset: isRectified ? number(options, 'eps') : 1,
    };
  },

  formula(terms, options) {
    const { state, numbers: n } = terms;
    const down = descent(terms, options);
    const exp_avg = lerp(state.exp_avg, down, n.share1);
    const exp_avg_sq = add(mul(state.exp_avg_sq, n.beta2), mul(square(down), n.share2));
    const denominator = add(mul(sqrt(exp_avg_sq), n.of_root), n.offset);
    const change = div(mul(exp_avg, n.rate), denominator);
    return { exp_avg, exp_avg_sq, param: sub(shrink(terms, options), change) };
  },
};
