import type { OpFunctions } from '../../op.ts';

export const loss = {} satisfies OpFunctions;
