import { shape } from '#lib/runtime/ops/shape/index.ts';
import { compareOps } from './compare.ts';
import { row } from './rows.ts';

compareOps('shape', Object.keys(shape), [
  row('x.view(-1, 4).reshape(2, 2, 3)', { x: [3, 4] }),
  row('torch.flatten(x, 1)', { x: [2, 3, 4] }),
]);
