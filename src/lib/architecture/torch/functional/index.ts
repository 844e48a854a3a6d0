/** `torch.nn.functional`, and what `torch` and tensors have in common, by families of ops. */
import type { Functions, Methods } from '../natives.ts';
import * as activation from './activation.ts';
import * as arithmetic from './arithmetic.ts';
import * as attention from './attention.ts';
import * as convolution from './convolution.ts';
import * as elementwise from './elementwise.ts';
import * as fill from './fill.ts';
import * as joining from './joining.ts';
import * as loss from './loss.ts';
import * as matrix from './matrix.ts';
import { meshgrid } from './meshgrid.ts';
import * as norm from './norm.ts';
import * as picking from './picking.ts';
import * as pool from './pool.ts';
import * as reduce from './reduce.ts';
import * as resize from './resize.ts';
import * as sequence from './sequence.ts';
import * as shape from './shape.ts';
import * as windows from './windows.ts';

export const functionalOps: Functions = {
  ...activation.functional,
  ...attention.functional,
  ...convolution.functional,
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
  ...activation.tensor,
  ...arithmetic.tensor,
  ...elementwise.tensor,
  ...joining.tensor,
  ...matrix.tensor,
  ...picking.tensor,
  ...reduce.tensor,
  ...shape.tensor,
};

/** Those of them that have a twin in place, a method: `add_`. */
export const inPlaceOps: readonly string[] = [...arithmetic.inPlace, ...elementwise.inPlace];

/** Functions of `torch` that tensors do not have, or with other arguments. */
export const torchOps: Functions = {
  ...elementwise.functions,
  ...joining.functions,
  ...matrix.functions,
  ...reduce.functions,
  ...shape.functions,
  ...windows.functions,
  meshgrid,
};

/** What only tensors have. */
export const tensorMethods: Methods = {
  ...elementwise.methods,
  ...fill.methods,
  ...joining.methods,
  ...matrix.methods,
  ...picking.methods,
  ...shape.methods,
  ...windows.methods,
};
