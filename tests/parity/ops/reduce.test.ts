import { reduce } from '#lib/runtime/ops/reduce/index.ts';
import { compareOps } from './compare.ts';
import { matrixRows } from './matrix.rows.ts';
import { reduceRows } from './reduce.rows.ts';

compareOps('reduce', Object.keys(reduce), [...matrixRows, ...reduceRows]);
