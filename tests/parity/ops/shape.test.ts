import { shape } from '#lib/runtime/ops/shape/index.ts';
import { compareOps } from './compare.ts';
import { indexingRows } from './indexing.rows.ts';
import { joiningRows } from './joining.rows.ts';
import { pickingRows } from './picking.rows.ts';
import { viewRows } from './views.rows.ts';

compareOps('shape', Object.keys(shape), [
  ...viewRows,
  ...indexingRows,
  ...joiningRows,
  ...pickingRows,
]);
