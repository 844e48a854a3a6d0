import { add, mul, sub } from '#lib/runtime/kernels/formula.ts';
import { flag, invalid, number } from './options.ts';
import { descent, type Rule } from './rule.ts';

type Name = 'lr' | 'weight_decay' | 'momentum' | 'share';

/**
 * torch.optim.SGD (`_single_tensor_sgd`). The first momentum buffer is the gradient itself; with a
 * buffer of zeros that is a share of 1 instead of 1 − dampening.
 */
export const sgd: Rule<'momentum_buffer', Name> = {
  name: 'SGD',
  defaults: [
    ['lr', 0.001],
    ['momentum', 0n],
    ['dampening', 0n],
    ['weight_decay', 0n],
    ['nesterov', false],
    ['maximize', false],
    ['foreach', null],
    ['differentiable', false],
    ['fused', null],
  ],
  later: [
    ['nesterov', false],
    ['maximize', false],
    ['foreach', null],
    ['differentiable', false],
    ['fused', false],
  ],
  check(options) {
    const isPlain = number(options, 'momentum') <= 0 || number(options, 'dampening') !== 0;
    if (flag(options, 'nesterov') && isPlain) {
      throw invalid('nesterov needs a momentum and zero dampening');
    }
  },
  scalars: {},
  tensors: (options) => (number(options, 'momentum') === 0 ? {} : { momentum_buffer: 0 }),
  advance: (scalars) => scalars,
  numbers: (options, _, isFirst) => ({
    lr: number(options, 'lr'),
    weight_decay: number(options, 'weight_decay'),
    momentum: number(options, 'momentum'),
    share: isFirst ? 1 : 1 - number(options, 'dampening'),
  }),

  formula(terms, options) {
    const { param, state, numbers: n } = terms;
    const down = descent(terms, options);
    if (number(options, 'momentum') === 0) return { param: sub(param, mul(down, n.lr)) };
    const buffer = add(mul(state.momentum_buffer, n.momentum), mul(down, n.share));
    const way = flag(options, 'nesterov') ? add(down, mul(buffer, n.momentum)) : buffer;
    return { momentum_buffer: buffer, param: sub(param, mul(way, n.lr)) };
  },
};
