import { spatial } from '#lib/runtime/ops/spatial/index.ts';
import { compareOps } from './compare.ts';
import { row } from './rows.ts';

compareOps('spatial', Object.keys(spatial), [
  row(
    'self.m(x)',
    { x: [2, 3, 7, 6] },
    { init: 'self.m = nn.Conv2d(3, 4, (3, 2), stride=2, padding=1)' },
  ),
  row('self.m(x)', { x: [2, 3, 4, 4] }, { init: 'self.m = nn.BatchNorm2d(3)' }),
  row('self.m(x)', { x: [2, 3, 4, 4] }, { init: 'self.m = nn.BatchNorm2d(3)', training: true }),
  row('F.max_pool2d(x, 3, 2, 1)', { x: [2, 3, 7, 6] }),
  row('F.adaptive_avg_pool2d(x, (3, 2))', { x: [2, 3, 7, 6] }),
]);
