import { elementwise } from '#lib/runtime/ops/elementwise/index.ts';
import { compareOps } from './compare.ts';
import { row } from './rows.ts';

compareOps('elementwise', Object.keys(elementwise), [
  row('x + y', { x: [2, 3], y: [3] }),
  row('torch.add(x, y, alpha=2)', { x: [2, 3, 4, 5], y: [3, 1, 5] }),
  row('x + 2', { x: [2, 3] }),
  row('1.5 + x', { x: { shape: [4], dtype: 'int64', low: -3, high: 9 } }),
  row('F.relu(x)', { x: [2, 3, 4] }),
]);
