import { add, div, mul, sqrt, square, sub } from '#lib/runtime/kernels/formula.ts';
import { number } from './options.ts';
import { countStep, descent, type Rule } from './rule.ts';

type Name = 'lr' | 'weight_decay' | 'rho' | 'share' | 'eps';

/** torch.optim.Adadelta (`_single_tensor_adadelta`). */
export const adadelta: Rule<'square_avg' | 'acc_delta', Name> = {
  name: 'Adadelta',
  defaults: [
    ['lr', 1],
    ['rho', 0.9],
    ['eps', 1e-6],
    ['weight_decay', 0n],
    ['maximize', false],
    ['capturable', false],
    ['foreach', null],
    ['differentiable', false],
  ],
  later: [
    ['foreach', null],
    ['maximize', false],
    ['differentiable', false],
    ['capturable', false],
  ],
  scalars: { step: 0 },
  tensors: () => ({ square_avg: 0, acc_delta: 0 }),
  advance: countStep,
  numbers: (options) => ({
    lr: number(options, 'lr'),
    weight_decay: number(options, 'weight_decay'),
    rho: number(options, 'rho'),
    share: 1 - number(options, 'rho'),
    eps: number(options, 'eps'),
  }),

  formula(terms, options) {
    const { param, state, numbers: n } = terms;
    const down = descent(terms, options);
    const square_avg = add(mul(state.square_avg, n.rho), mul(square(down), n.share));
    const ratio = div(sqrt(add(state.acc_delta, n.eps)), sqrt(add(square_avg, n.eps)));
    const delta = mul(ratio, down);
    const acc_delta = add(mul(state.acc_delta, n.rho), mul(square(delta), n.share));
    return { square_avg, acc_delta, param: sub(param, mul(delta, n.lr)) };
  },
};
