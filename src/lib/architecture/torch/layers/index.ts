/** The layers of `torch.nn`, by families of ops. */
import type { Layers } from '../layer.ts';
import { layers as attention } from './attention.ts';
import { layers as elementwise } from './elementwise.ts';
import { layers as recurrent } from './recurrent.ts';
import { layers as reduce } from './reduce.ts';
import { layers as sequence } from './sequence.ts';
import { layers as shape } from './shape.ts';
import { layers as spatial } from './spatial.ts';

export const layers: Layers = {
  ...attention,
  ...elementwise,
  ...recurrent,
  ...reduce,
  ...sequence,
  ...shape,
  ...spatial,
};
