import { tuple, type Dict } from '#lib/checkpoint/value.ts';
import { add, div, lerp, mul, sqrt, square } from '#lib/runtime/kernels/formula.ts';
import { betas, number } from './options.ts';
import { countStep, decayNumbers, descent, shrink, type Rule } from './rule.ts';

type Name =
  | 'weight_decay'
  | 'shrink'
  | 'share1'
  | 'beta2'
  | 'share2'
  | 'correction2'
  | 'eps'
  | 'of_gradient'
  | 'of_average';

/** torch.optim.NAdam (`_single_tensor_nadam`). */
export const nadam: Rule<'exp_avg' | 'exp_avg_sq', Name> = {
  name: 'NAdam',
  defaults: [
    ['lr', 0.002],
    ['betas', tuple(0.9, 0.999)],
    ['eps', 1e-8],
    ['weight_decay', 0n],
    ['momentum_decay', 0.004],
    ['decoupled_weight_decay', false],
    ['maximize', false],
    ['foreach', null],
    ['capturable', false],
    ['differentiable', false],
  ],
  later: [
    ['maximize', false],
    ['foreach', null],
    ['capturable', false],
    ['differentiable', false],
    ['decoupled_weight_decay', false],
  ],
  scalars: { step: 0, mu_product: 1 },
  tensors: () => ({ exp_avg: 0, exp_avg_sq: 0 }),
  advance(scalars, options) {
    const next = countStep(scalars);
    const mu = Math.fround(momentumAt(next.step!, options)); // the product is taken in float32
    return { ...next, mu_product: Math.fround(scalars.mu_product! * mu) };
  },
  numbers(options, scalars) {
    const [step, product] = [scalars.step!, scalars.mu_product!];
    const [beta1, beta2] = betas(options);
    const lr = number(options, 'lr');
    const mu = momentumAt(step, options);
    const next = momentumAt(step + 1, options);
    return {
      ...decayNumbers(options),
      share1: 1 - beta1,
      beta2,
      share2: 1 - beta2,
      correction2: 1 - beta2 ** step,
      eps: number(options, 'eps'),
      of_gradient: (-lr * (1 - mu)) / (1 - product),
      of_average: (-lr * next) / (1 - product * next),
    };
  },

  formula(terms, options) {
    const { state, numbers: n } = terms;
    const down = descent(terms, options);
    const exp_avg = lerp(state.exp_avg, down, n.share1);
    const exp_avg_sq = add(mul(state.exp_avg_sq, n.beta2), mul(square(down), n.share2));
    const denominator = add(sqrt(div(exp_avg_sq, n.correction2)), n.eps);
    const change = add(mul(down, n.of_gradient), mul(exp_avg, n.of_average));
    return { exp_avg, exp_avg_sq, param: add(shrink(terms, options), div(change, denominator)) };
  },
};

/** μ of a step: β₁ (1 − ½ · 0.96^(step · momentum_decay)). */
function momentumAt(step: number, options: Dict): number {
  return betas(options)[0] * (1 - 0.5 * 0.96 ** (step * number(options, 'momentum_decay')));
}
