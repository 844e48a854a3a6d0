import type { OpFunctions } from '../../op.ts';
import { reshape } from './reshape.ts';

export const shape = {
  reshape,
} satisfies OpFunctions;
