/** Activations of `torch.nn`. */
import type { Layers } from '../layer.ts';
import { maybeInPlace } from '../natives.ts';
import * as ops from '../ops/index.ts';

export const layers: Layers = {
  Identity: { signature: '*args, **options', forward: (call) => call.tensor('input') },
  ReLU: {
    signature: 'inplace=False',
    forward(call, self) {
      const x = call.tensor('input');
      return maybeInPlace(self, x, ops.relu(x));
    },
  },
};
