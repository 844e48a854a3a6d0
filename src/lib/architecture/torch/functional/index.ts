/** `torch.nn.functional`, and what `torch` and tensors have in common, by families of ops. */
import type { Functions, Methods } from '../natives.ts';
import * as attention from './attention.ts';
import * as convolution from './convolution.ts';
import * as elementwise from './elementwise.ts';
import * as norm from './norm.ts';
import * as pool from './pool.ts';
import * as reduce from './reduce.ts';
import * as resize from './resize.ts';
import * as sequence from './sequence.ts';
import * as shape from './shape.ts';

export const functionalOps: Functions = {
  ...attention.functional,
  ...convolution.functional,
  ...elementwise.functional,
  ...norm.functional,
  ...pool.functional,
  ...reduce.functional,
  ...resize.functional,
  ...sequence.functional,
};

/** Functions of `torch` that are methods, too; a tensor stands for `input`. */
export const tensorOps: Functions = {
  ...elementwise.tensor,
  ...reduce.tensor,
  ...shape.tensor,
};

/** What only tensors have. */
export const tensorMethods: Methods = { ...elementwise.methods };
