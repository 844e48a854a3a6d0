/** Layers of `torch.nn` that only move elements. */
import type { Layers } from '../layer.ts';
import * as ops from '../ops/index.ts';

export const layers: Layers = {
  Flatten: {
    signature: 'start_dim=1, end_dim=-1',
    forward: (call, self) =>
      ops.flatten(call.tensor('input'), self.int('start_dim'), self.int('end_dim')),
  },
};
