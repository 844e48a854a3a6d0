/** Normalisation of `torch.nn.functional`. */
import type { Functions } from '../natives.ts';
import * as ops from '../ops/index.ts';

export const functional: Functions = {
  batch_norm: [
    'input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5',
    (given) =>
      ops.batchNorm(
        given.tensor('input'),
        {
          weight: given.tensorOrNone('weight'),
          bias: given.tensorOrNone('bias'),
          runningMean: given.tensorOrNone('running_mean'),
          runningVar: given.tensorOrNone('running_var'),
          batchesTracked: null,
        },
        {
          training: given.bool('training'),
          momentum: given.float('momentum'),
          eps: given.float('eps'),
        },
      ),
  ],
  group_norm: [
    'input, num_groups, weight=None, bias=None, eps=1e-5',
    (given) =>
      ops.groupNorm(
        given.tensor('input'),
        given.size('num_groups', 1),
        { weight: given.tensorOrNone('weight'), bias: given.tensorOrNone('bias') },
        given.float('eps'),
      ),
  ],
  instance_norm: [
    'input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-5',
    (given) => {
      const x = given.tensor('input');
      const tensors = {
        weight: given.tensorOrNone('weight'),
        bias: given.tensorOrNone('bias'),
        runningMean: given.tensorOrNone('running_mean'),
        runningVar: given.tensorOrNone('running_var'),
      };
      const attrs = { momentum: given.float('momentum'), eps: given.float('eps') };
      if (given.bool('use_input_stats')) return ops.instanceNorm(x, tensors, attrs);
      return ops.batchNorm(x, { ...tensors, batchesTracked: null }, { ...attrs, training: false });
    },
  ],
  layer_norm: [
    'input, normalized_shape, weight=None, bias=None, eps=1e-5',
    (given) =>
      ops.layerNorm(
        given.tensor('input'),
        given.ints('normalized_shape'),
        { weight: given.tensorOrNone('weight'), bias: given.tensorOrNone('bias') },
        given.float('eps'),
      ),
  ],
  local_response_norm: [
    'input, size, alpha=1e-4, beta=0.75, k=1.0',
    (given) =>
      ops.localResponseNorm(given.tensor('input'), {
        size: given.size('size', 1),
        alpha: given.float('alpha'),
        beta: given.float('beta'),
        k: given.float('k'),
      }),
  ],
  rms_norm: [
    'input, normalized_shape, weight=None, eps=None',
    (given) =>
      ops.rmsNorm(
        given.tensor('input'),
        given.ints('normalized_shape'),
        given.tensorOrNone('weight'),
        given.floatOrNone('eps'),
      ),
  ],
};
