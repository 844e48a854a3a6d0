import type { OpFunctions } from '../../op.ts';
import { add } from './add.ts';
import { relu } from './relu.ts';
import { to } from './to.ts';

export const elementwise = {
  add,
  relu,
  to,
} satisfies OpFunctions;
