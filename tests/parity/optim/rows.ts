import type { OptimizerName } from '#lib/checkpoint/optimizer.ts';
import type { OptimizerSettings } from '#lib/optim/settings.ts';

export interface Row extends OptimizerSettings {
  readonly id: string;
  /** Whether PyTorch 1.13 has these options, too. */
  readonly old: boolean;
}

type Options = OptimizerSettings['options'];

/** Options of each optimizer: alone, and several at once. Each has torch's defaults as well. */
const options: Readonly<Record<OptimizerName, readonly Options[]>> = {
  SGD: [
    { lr: 0.1 },
    { momentum: 0.9 },
    { momentum: 0.9, dampening: 0.5 },
    { momentum: 0.9, nesterov: true },
    { weight_decay: 0.1 },
    { maximize: true },
    { momentum: 0.8, weight_decay: 0.05, nesterov: true, maximize: true },
    { momentum: 0.9, foreach: true },
    { weight_decay: 0.1, fused: true },
  ],
  Adam: [
    { lr: 0.1 },
    { betas: [0.5, 0.9] },
    { betas: [0, 0.99] },
    { eps: 0.01 },
    { weight_decay: 0.1 },
    { amsgrad: true },
    { maximize: true },
    { weight_decay: 0.1, decoupled_weight_decay: true },
    { betas: [0.8, 0.95], weight_decay: 0.05, amsgrad: true, maximize: true },
    { amsgrad: true, foreach: true },
    { amsgrad: true, fused: true },
  ],
  AdamW: [
    { lr: 0.1 },
    { weight_decay: 0.1 },
    { weight_decay: 0 },
    { amsgrad: true },
    { maximize: true },
    { betas: [0.8, 0.95], eps: 0.001, weight_decay: 0.2, amsgrad: true, maximize: true },
  ],
  NAdam: [
    { lr: 0.1 },
    { betas: [0.5, 0.9] },
    { eps: 0.01 },
    { weight_decay: 0.1 },
    { momentum_decay: 0.1 },
    { weight_decay: 0.1, decoupled_weight_decay: true },
    { maximize: true },
    { betas: [0.8, 0.95], momentum_decay: 0.05, weight_decay: 0.1, maximize: true },
    { foreach: true },
  ],
  RAdam: [
    { lr: 0.1 },
    { betas: [0.5, 0.9] },
    { betas: [0.9, 0.5] }, // never rectified
    { eps: 0.01 },
    { weight_decay: 0.1 },
    { weight_decay: 0.1, decoupled_weight_decay: true },
    { maximize: true },
    { betas: [0.8, 0.95], weight_decay: 0.1, decoupled_weight_decay: true, maximize: true },
    { foreach: true },
  ],
  Adamax: [
    { lr: 0.1 },
    { betas: [0.5, 0.9] },
    { eps: 0.01 },
    { weight_decay: 0.1 },
    { maximize: true },
    { betas: [0.8, 0.95], weight_decay: 0.1, maximize: true },
    { foreach: true },
  ],
  RMSprop: [
    { lr: 0.1 },
    { alpha: 0.9 },
    { eps: 0.01 },
    { weight_decay: 0.1 },
    { momentum: 0.9 },
    { centered: true },
    { maximize: true },
    { alpha: 0.9, weight_decay: 0.1, momentum: 0.9, centered: true, maximize: true },
    { momentum: 0.9, foreach: true },
  ],
  Adagrad: [
    { lr: 0.1 },
    { lr_decay: 0.1 },
    { initial_accumulator_value: 0.5 },
    { eps: 0.01 },
    { weight_decay: 0.1 },
    { maximize: true },
    { lr_decay: 0.01, weight_decay: 0.1, initial_accumulator_value: 1, maximize: true },
    { foreach: true },
    { fused: true },
  ],
  Adadelta: [
    { lr: 0.1 },
    { rho: 0.5 },
    { eps: 0.001 },
    { weight_decay: 0.1 },
    { maximize: true },
    { lr: 0.5, rho: 0.95, weight_decay: 0.1, maximize: true },
    { foreach: true },
  ],
};

const groups: Row['groups'] = [
  { parameters: ['b*'], options: { weight_decay: 0, lr: 0.002 } },
  { parameters: ['late'], options: { maximize: true } },
];

/** In 1.13 these came with later versions, or not for this optimizer. */
const isOld = (name: OptimizerName, set: Options) =>
  !('decoupled_weight_decay' in set || 'fused' in set || 'foreach' in set) &&
  !('maximize' in set && (name === 'NAdam' || name === 'RAdam'));

export const rows: readonly Row[] = (Object.keys(options) as OptimizerName[]).flatMap((name) => [
  ...[{}, ...options[name]].map((set) => {
    const id = [name, ...Object.entries(set).map(([key, value]) => `${key}=${String(value)}`)];
    return { id: id.join(' '), name, options: set, groups: [], old: isOld(name, set) };
  }),
  { id: `${name} in three groups`, name, options: { weight_decay: 0.1 }, groups, old: false },
]);
