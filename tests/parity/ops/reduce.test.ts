import { reduce } from '#lib/runtime/ops/reduce/index.ts';
import { compareOps } from './compare.ts';
import { row } from './rows.ts';

compareOps('reduce', Object.keys(reduce), [
  row('F.linear(x, w, b)', { x: [2, 3, 4], w: [5, 4], b: [5] }),
  row('self.m(x)', { x: [2, 4] }, { init: 'self.m = nn.Linear(4, 3)' }),
  row('F.softmax(x, dim=1)', { x: [2, 3, 4] }),
  row('F.log_softmax(x, dim=-1)', { x: [2, 3] }),
  row('F.softmax(x, dim=-1)', { x: [70_000, 2] }),
]);
