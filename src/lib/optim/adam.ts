import { tuple } from '#lib/checkpoint/value.ts';
import { add, div, lerp, maximum, mul, sqrt, square, sub } from '#lib/runtime/kernels/formula.ts';
import { betas, flag, invalid, number } from './options.ts';
import { countStep, decayNumbers, descent, shrink, type Rule } from './rule.ts';

type State = 'exp_avg' | 'exp_avg_sq' | 'max_exp_avg_sq';
type Name =
  | 'weight_decay'
  | 'shrink'
  | 'share1'
  | 'beta2'
  | 'share2'
  | 'step_size'
  | 'root_correction'
  | 'eps';

/** torch.optim.Adam: weight decay is added to the gradient. */
export const adam: Rule<State, Name> = rule('Adam', false);
/** torch.optim.AdamW: weight decay shrinks the parameter itself. */
export const adamw: Rule<State, Name> = rule('AdamW', true);

/** torch/optim/adam.py, `_single_tensor_adam`. */
function rule(name: 'Adam' | 'AdamW', decoupled: boolean): Rule<State, Name> {
  return {
    name,
    defaults: [
      ['lr', 0.001],
      ['betas', tuple(0.9, 0.999)],
      ['eps', 1e-8],
      ['weight_decay', decoupled ? 0.01 : 0n],
      ['amsgrad', false],
      ['maximize', false],
      ['foreach', null],
      ['capturable', false],
      ['differentiable', false],
      ['fused', null],
      ['decoupled_weight_decay', decoupled],
    ],
    later: [
      ['amsgrad', false],
      ['maximize', false],
      ['foreach', null],
      ['capturable', false],
      ['differentiable', false],
      ['decoupled_weight_decay', decoupled],
      ['fused', null],
    ],
    check(options) {
      if (decoupled && !flag(options, 'decoupled_weight_decay')) {
        throw invalid('decoupled_weight_decay of AdamW is false, which is Adam');
      }
    },
    scalars: { step: 0 },
    tensors: (options) => ({
      exp_avg: 0,
      exp_avg_sq: 0,
      ...(flag(options, 'amsgrad') && { max_exp_avg_sq: 0 }),
    }),
    advance: countStep,
    numbers(options, { step }) {
      const [beta1, beta2] = betas(options);
      return {
        ...decayNumbers(options),
        share1: 1 - beta1,
        beta2,
        share2: 1 - beta2,
        step_size: number(options, 'lr') / (1 - beta1 ** step!),
        root_correction: Math.sqrt(1 - beta2 ** step!),
        eps: number(options, 'eps'),
      };
    },

    formula(terms, options) {
      const { state, numbers: n } = terms;
      const down = descent(terms, options);
      const exp_avg = lerp(state.exp_avg, down, n.share1);
      const exp_avg_sq = add(mul(state.exp_avg_sq, n.beta2), mul(square(down), n.share2));
      const amsgrad = flag(options, 'amsgrad');
      const largest = amsgrad ? maximum(state.max_exp_avg_sq, exp_avg_sq) : exp_avg_sq;
      const denominator = add(div(sqrt(largest), n.root_correction), n.eps);
      const change = mul(div(exp_avg, denominator), n.step_size);
      return {
        exp_avg,
        exp_avg_sq,
        ...(amsgrad && { max_exp_avg_sq: largest }),
        param: sub(shrink(terms, options), change),
      };
    },
  };
}
