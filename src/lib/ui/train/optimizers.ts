/** torch.optim's optimizers: their options in the order of their constructors, with the defaults. */
import type { OptimizerName } from '#lib/worker/protocol.ts';
import { flag, maybe, number, pair, type Option } from './options.ts';

const betas = pair('betas', [0.9, 0.999]);
const eps = number('eps', 1e-8);
const decay = number('weight_decay', 0);
const decoupled = flag('decoupled_weight_decay');
const maximize = flag('maximize');
/** How PyTorch computes it, not what: carried through to its state_dict. */
const foreach = maybe('foreach');
const fused = maybe('fused');

export const optimizers: Readonly<Record<OptimizerName, readonly Option[]>> = {
  SGD: [
    number('lr', 0.001),
    number('momentum', 0),
    number('dampening', 0),
    decay,
    flag('nesterov'),
    maximize,
    foreach,
    fused,
  ],
  Adam: [
    number('lr', 0.001),
    betas,
    eps,
    decay,
    flag('amsgrad'),
    decoupled,
    maximize,
    foreach,
    fused,
  ],
  AdamW: [
    number('lr', 0.001),
    betas,
    eps,
    number('weight_decay', 0.01),
    flag('amsgrad'),
    maximize,
    foreach,
    fused,
  ],
  NAdam: [
    number('lr', 0.002),
    betas,
    eps,
    decay,
    number('momentum_decay', 0.004),
    decoupled,
    maximize,
    foreach,
  ],
  RAdam: [number('lr', 0.001), betas, eps, decay, decoupled, maximize, foreach],
  Adamax: [number('lr', 0.002), betas, eps, decay, maximize, foreach],
  RMSprop: [
    number('lr', 0.01),
    number('alpha', 0.99),
    eps,
    decay,
    number('momentum', 0),
    flag('centered'),
    maximize,
    foreach,
  ],
  Adagrad: [
    number('lr', 0.01),
    number('lr_decay', 0),
    decay,
    number('initial_accumulator_value', 0),
    number('eps', 1e-10),
    maximize,
    foreach,
    fused,
  ],
  Adadelta: [number('lr', 1), number('rho', 0.9), number('eps', 1e-6), decay, maximize, foreach],
};

export const optimizerNames = Object.keys(optimizers) as OptimizerName[];

/** Options that the simple form shows; the others lie below. */
export const usual = new Set(['lr', 'momentum', 'betas', 'weight_decay', 'alpha', 'rho']);

/** Whether a scheduler can cycle the optimizer's momentum, as OneCycleLR and CyclicLR ask. */
export function hasMomentum(name: OptimizerName): boolean {
  return optimizers[name].some((option) => option.name === 'momentum' || option.name === 'betas');
}
