/** The layers of `torch.nn`, by families of ops. */
import type { Layers } from '../layer.ts';
import { layers as activation } from './activation.ts';
import { layers as attention } from './attention.ts';
import { layers as convolution } from './convolution.ts';
import { layers as loss } from './loss.ts';
import { layers as matrix } from './matrix.ts';
import { layers as norm } from './norm.ts';
import { layers as pool } from './pool.ts';
import { layers as recurrent } from './recurrent.ts';
import { layers as reduce } from './reduce.ts';
import { layers as resize } from './resize.ts';
import { layers as sequence } from './sequence.ts';
import { layers as shape } from './shape.ts';

export const layers: Layers = {
  ...activation,
  ...attention,
  ...convolution,
  ...loss,
  ...matrix,
  ...norm,
  ...pool,
  ...recurrent,
  ...reduce,
  ...resize,
  ...sequence,
  ...shape,
};
