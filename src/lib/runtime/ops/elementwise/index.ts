import type { OpFunctions } from '../../op.ts';
import { activations } from './activations.ts';
import { arithmetic } from './arithmetic.ts';
import { choices } from './choices.ts';
import { unaries } from './functions.ts';
import { to } from './to.ts';

export const elementwise = {
  ...activations,
  ...arithmetic,
  ...choices,
  ...unaries,
  to,
} satisfies OpFunctions;
