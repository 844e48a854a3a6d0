/** Moving elements, on the host. */
import type { HostFunctions } from './index.ts';
import { broadcastStrides, gatherStrided, rowMajor } from './strides.ts';

export const shape: HostFunctions = {
  reshape: ([x]) => x!.data,
  permute: ([x], { dims }, result) => {
    const strides = rowMajor(x!.shape);
    return gatherStrided(
      x!.data,
      result.shape,
      dims.map((dim) => strides[dim]!),
    );
  },
  expand: ([x], _, result) =>
    gatherStrided(x!.data, result.shape, broadcastStrides(x!.shape, result.shape)),
  slice: ([x], { start, step }, result) => {
    const strides = rowMajor(x!.shape);
    const offset = start.reduce((sum, at, axis) => sum + at * strides[axis]!, 0);
    const steps = strides.map((stride, axis) => stride * step[axis]!);
    return gatherStrided(x!.data, result.shape, steps, offset);
  },
};
