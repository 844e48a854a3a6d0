import * as tf from '#lib/runtime/tf.ts';
import { flag, number, type Rule, type Update, type Updated } from './rule.ts';

/** torch.optim.SGD (`_single_tensor_sgd`): the first momentum buffer is the gradient itself. */
export const sgd: Rule = {
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
  counts: false,

  compile(options) {
    const lr = number(options, 'lr');
    const momentum = number(options, 'momentum');
    const dampening = number(options, 'dampening');
    const decay = number(options, 'weight_decay');
    const nesterov = flag(options, 'nesterov');
    const maximize = flag(options, 'maximize');
    if (nesterov && (momentum <= 0 || dampening !== 0)) {
      throw new Error('optimizer: nesterov needs a momentum and zero dampening');
    }
    return ({ param, grad, state }: Update): Updated => {
      let d = maximize ? tf.neg(grad) : grad;
      if (decay !== 0) d = tf.add(d, tf.mul(param, decay));
      if (momentum === 0) return { param: tf.sub(param, tf.mul(d, lr)), state: {} };
      const old = state.momentum_buffer;
      const buffer = old ? tf.add(tf.mul(old, momentum), tf.mul(d, 1 - dampening)) : tf.clone(d);
      d = nesterov ? tf.add(d, tf.mul(buffer, momentum)) : buffer;
      return { param: tf.sub(param, tf.mul(d, lr)), state: { momentum_buffer: buffer } };
    };
  },
};
