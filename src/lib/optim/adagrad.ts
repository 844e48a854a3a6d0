import { add, div, mul, sqrt, square, sub } from '#lib/runtime/kernels/formula.ts';
import { number } from './options.ts';
import { countStep, descent, type Rule } from './rule.ts';

type Name = 'weight_decay' | 'rate' | 'eps';

/** torch.optim.Adagrad (`_single_tensor_adagrad`); its states exist from the start. */
export const adagrad: Rule<'sum', Name> = {
  name: 'Adagrad',
  defaults: [
    ['lr', 0.01],
    ['lr_decay', 0n],
    ['eps', 1e-10],
    ['weight_decay', 0n],
    ['initial_accumulator_value', 0n],
    ['foreach', null],
    ['maximize', false],
    ['differentiable', false],
    ['fused', null],
  ],
  later: [
    ['foreach', null],
    ['maximize', false],
    ['differentiable', false],
    ['fused', null],
  ],
  isEager: true,
  scalars: { step: 0 },
  tensors: (options) => ({ sum: number(options, 'initial_accumulator_value') }),
  advance: countStep,
  numbers: (options, { step }) => ({
    weight_decay: number(options, 'weight_decay'),
    rate: number(options, 'lr') / (1 + (step! - 1) * number(options, 'lr_decay')),
    eps: number(options, 'eps'),
  }),

  formula(terms, options) {
    const { param, state, numbers: n } = terms;
    const down = descent(terms, options);
    const sum = add(state.sum, square(down));
    const change = div(mul(down, n.rate), add(sqrt(sum), n.eps));
    return { sum, param: sub(param, change) };
  },
};
