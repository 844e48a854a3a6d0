import * as tf from '#lib/runtime/tf.ts';
import { tuple, type Dict, type Value } from '#lib/checkpoint/value.ts';
import { flag, number, type Rule, type Update, type Updated } from './rule.ts';

/** torch.optim.Adam: weight decay is added to the gradient. */
export const adam: Rule = rule('Adam', false);
/** torch.optim.AdamW: weight decay shrinks the parameter itself. */
export const adamw: Rule = rule('AdamW', true);

function rule(name: 'Adam' | 'AdamW', decoupled: boolean): Rule {
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
    counts: true,
    compile: (options) => compile(options, decoupled),
  };
}

/** torch/optim/adam.py, `_single_tensor_adam`. */
function compile(options: Dict, decoupled: boolean) {
  const lr = number(options, 'lr');
  const [beta1, beta2] = betas(options.get('betas'));
  const eps = number(options, 'eps');
  const decay = number(options, 'weight_decay');
  const amsgrad = flag(options, 'amsgrad');
  const maximize = flag(options, 'maximize');

  return ({ param, grad, state, step }: Update): Updated => {
    let g = maximize ? tf.neg(grad) : grad;
    let p = param;
    if (decay !== 0 && decoupled) p = tf.mul(p, 1 - lr * decay);
    else if (decay !== 0) g = tf.add(g, tf.mul(param, decay));

    const average = state.exp_avg ?? tf.zerosLike(param);
    const square = state.exp_avg_sq ?? tf.zerosLike(param);
    const exp_avg = tf.add(average, tf.mul(tf.sub(g, average), 1 - beta1));
    const exp_avg_sq = tf.add(tf.mul(square, beta2), tf.mul(tf.square(g), 1 - beta2));
    const max_exp_avg_sq = amsgrad
      ? tf.maximum(state.max_exp_avg_sq ?? tf.zerosLike(param), exp_avg_sq)
      : undefined;

    const correction1 = 1 - beta1 ** step;
    const correction2 = Math.sqrt(1 - beta2 ** step);
    const root = tf.sqrt(max_exp_avg_sq ?? exp_avg_sq);
    const denominator = tf.add(tf.div(root, correction2), eps);
    const change = tf.mul(tf.div(exp_avg, denominator), lr / correction1);
    return {
      param: tf.sub(p, change),
      state: { exp_avg, exp_avg_sq, ...(max_exp_avg_sq && { max_exp_avg_sq }) },
    };
  };
}

function betas(value: Value | undefined): [number, number] {
  const items =
    typeof value === 'object' && (value?.kind === 'tuple' || value?.kind === 'list')
      ? value.items
      : [];
  const [first, second] = items;
  if (typeof first !== 'number' || typeof second !== 'number' || items.length !== 2) {
    throw new Error('optimizer: betas in param_groups are no two floats');
  }
  return [first, second];
}
