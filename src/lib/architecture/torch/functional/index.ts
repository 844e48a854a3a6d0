/** `torch.nn.functional`, and what `torch` and tensors have in common, by families of ops. */
import type { Functions, Methods } from '../natives.ts';
import * as attention from './attention.ts';
import * as convolution from './convolution.ts';
import * as elementwise from './elementwise.ts';
import * as joining from './joining.ts';
import * as loss from './loss.ts';
import * as matrix from './matrix.ts';
import * as norm from './norm.ts';
import * as picking from './picking.ts';
import * as pool from './pool.ts';
import * as reduce from './reduce.ts';
import * as resize from './resize.ts';
import * as sequence from './sequence.ts';
import * as shape from './shape.ts';
import * as windows from './windows.ts';

export const functionalOps: Functions = {
  ...attention.functional,
  ...convolution.functional,
  ...elementwise.functional,
  ...joining.functional,
  ...loss.functional,
  ...matrix.functional,
  ...norm.functional,
  ...pool.functional,
  ...reduce.functional,
  ...resize.functional,
  ...sequence.functional,
  ...windows.functional,
};

/** Functions of `torch` that are methods, too; a tensor stands for `input`. */
export const tensorOps: Functions = {
  ...elementwise.tensor,
  ...joining.tensor,
  ...matrix.tensor,
  ...picking.tensor,
  ...reduce.tensor,
  ...shape.tensor,
};

/** Functions of `torch` alone. */
export const torchOps: Functions = {
  ...joining.functions,
  ...matrix.functions,
  ...shape.functions,
  ...windows.functions,
};

/** What only tensors have. */
export const tensorMethods: Methods = {
  ...elementwise.methods,
  ...joining.methods,
  ...matrix.methods,
  ...picking.methods,
  ...shape.methods,
  ...windows.methods,
};
