import { tuple } from '#lib/checkpoint/value.ts';
import { abs, add, div, lerp, maximum, mul, sub } from '#lib/runtime/kernels/formula.ts';
import { betas, number } from './options.ts';
import { countStep, descent, type Rule } from './rule.ts';

type Name = 'weight_decay' | 'share1' | 'beta2' | 'eps' | 'step_size';

/** torch.optim.Adamax (`_single_tensor_adamax`). */
export const adamax: Rule<'exp_avg' | 'exp_inf', Name> = {
  name: 'Adamax',
  defaults: [
    ['lr', 0.002],
    ['betas', tuple(0.9, 0.999)],
    ['eps', 1e-8],
    ['weight_decay', 0n],
    ['foreach', null],
    ['maximize', false],
    ['differentiable', false],
    ['capturable', false],
  ],
  later: [
    ['foreach', null],
    ['maximize', false],
    ['differentiable', false],
    ['capturable', false],
  ],
  scalars: { step: 0 },
  tensors: () => ({ exp_avg: 0, exp_inf: 0 }),
  advance: countStep,
  numbers(options, { step }) {
    const [beta1, beta2] = betas(options);
    return {
      weight_decay: number(options, 'weight_decay'),
      share1: 1 - beta1,
      beta2,
      eps: number(options, 'eps'),
      step_size: number(options, 'lr') / (1 - beta1 ** step!),
    };
  },

  formula(terms, options) {
    const { param, state, numbers: n } = terms;
    const down = descent(terms, options);
    const exp_avg = lerp(state.exp_avg, down, n.share1);
    const exp_inf = maximum(mul(state.exp_inf, n.beta2), add(abs(down), n.eps));
    return { exp_avg, exp_inf, param: sub(param, mul(div(exp_avg, exp_inf), n.step_size)) };
  },
};
