import { add, div, lerp, mul, sqrt, square, sub } from '#lib/runtime/kernels/formula.ts';
import { flag, number } from './options.ts';
import { countStep, descent, type Rule } from './rule.ts';

type State = 'square_avg' | 'momentum_buffer' | 'grad_avg';
type Name = 'lr' | 'weight_decay' | 'alpha' | 'share' | 'eps' | 'momentum';

/** torch.optim.RMSprop (`_single_tensor_rmsprop`). */
export const rmsprop: Rule<State, Name> = {
  name: 'RMSprop',
  defaults: [
    ['lr', 0.01],
    ['momentum', 0n],
    ['alpha', 0.99],
    ['eps', 1e-8],
    ['centered', false],
    ['weight_decay', 0n],
    ['capturable', false],
    ['foreach', null],
    ['maximize', false],
    ['differentiable', false],
  ],
  later: [
    ['momentum', 0n],
    ['centered', false],
    ['foreach', null],
    ['maximize', false],
    ['differentiable', false],
    ['capturable', false],
  ],
  scalars: { step: 0 },
  tensors: (options) => ({
    square_avg: 0,
    ...(number(options, 'momentum') > 0 && { momentum_buffer: 0 }),
    ...(flag(options, 'centered') && { grad_avg: 0 }),
  }),
  advance: countStep,
  numbers: (options) => ({
    lr: number(options, 'lr'),
    weight_decay: number(options, 'weight_decay'),
    alpha: number(options, 'alpha'),
    share: 1 - number(options, 'alpha'),
    eps: number(options, 'eps'),
    momentum: number(options, 'momentum'),
  }),

  formula(terms, options) {
    const { param, state, numbers: n } = terms;
    const down = descent(terms, options);
    const square_avg = add(mul(state.square_avg, n.alpha), mul(square(down), n.share));
    const grad_avg = flag(options, 'centered') && lerp(state.grad_avg, down, n.share);
    const variance = grad_avg ? sub(square_avg, square(grad_avg)) : square_avg;
    const scaled = div(down, add(sqrt(variance), n.eps));
    const moves = number(options, 'momentum') > 0;
    const way = moves ? add(mul(state.momentum_buffer, n.momentum), scaled) : scaled;
    return {
      square_avg,
      ...(grad_avg && { grad_avg }),
      ...(moves && { momentum_buffer: way }),
      param: sub(param, mul(way, n.lr)),
    };
  },
};
