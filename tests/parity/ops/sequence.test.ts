import { sequence } from '#lib/runtime/ops/sequence/index.ts';
import { compareOps } from './compare.ts';
import { row } from './rows.ts';

compareOps('sequence', Object.keys(sequence), [
  row('F.dropout(x, 0.5, False)', { x: [2, 3] }),
  // Everything that is drawn is dropped: what is drawn differs, how it is used does not.
  row('x + F.dropout(torch.randn(2, 3), 1.0, True)', { x: [2, 3] }),
  row('x + F.dropout(torch.rand(2, 3), 1.0, True)', { x: [2, 3] }),
  row('torch.ones(3) + x', { x: [2, 3] }),
]);
