import type { OpFunctions } from '../../op.ts';
import { cat, stack } from './cat.ts';
import { gather, index, indexPut, indexSelect, scatter } from './index_ops.ts';
import { flip, pad, roll } from './pad.ts';
import { permute } from './permute.ts';
import { expand, repeat, repeatInterleave } from './repeat.ts';
import { reshape } from './reshape.ts';
import { slice, sliceScatter } from './slice.ts';
import { tril, triu } from './triangle.ts';
import { fold, pixelShuffle, pixelUnshuffle, unfold } from './windows.ts';

export const shape = {
  cat,
  expand,
  flip,
  fold,
  gather,
  index,
  index_put: indexPut,
  index_select: indexSelect,
  pad,
  permute,
  pixel_shuffle: pixelShuffle,
  pixel_unshuffle: pixelUnshuffle,
  repeat,
  repeat_interleave: repeatInterleave,
  reshape,
  roll,
  scatter,
  slice,
  slice_scatter: sliceScatter,
  stack,
  tril,
  triu,
  unfold,
} satisfies OpFunctions;
