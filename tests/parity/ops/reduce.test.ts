import { reduce } from '#lib/runtime/ops/reduce/index.ts';
import { compareOps } from './compare.ts';
import { matrixRows } from './matrix.rows.ts';
import { row } from './rows.ts';

compareOps('reduce', Object.keys(reduce), [
  ...matrixRows,
  row('F.softmax(x, dim=1)', { x: [2, 3, 4] }),
  row('F.log_softmax(x, dim=-1)', { x: [2, 3] }),
  row('F.softmax(x, dim=-1)', { x: [70_000, 2] }),
]);
