import type { OpFunctions } from '../../op.ts';
import { constant } from './constant.ts';
import { dropout } from './dropout.ts';
import { random } from './random.ts';

export const sequence = {
  constant,
  dropout,
  random,
} satisfies OpFunctions;
