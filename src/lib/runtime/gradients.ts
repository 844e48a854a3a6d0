/**
 * Gradients of tfjs that upload whole tensors of ones in every step, computed on the device instead.
 * Imported after tfjs's own, whose places they take.
 */
import {
  broadcastTo,
  div,
  fill,
  mul,
  registerGradient,
  reshape,
  util,
  type Tensor,
} from '@tensorflow/tfjs-core';

/** What was summed to `dy` along the axes gets it, each element. */
function spread(dy: Tensor, shape: number[], axes: readonly number[]): Tensor {
  const expanded = reshape(
    dy,
    shape.map((size, axis) => (axes.includes(axis) ? 1 : size)),
  );
  // WebGPU tiles up to four axes.
  return shape.length <= 4 ? broadcastTo(expanded, shape) : mul(expanded, fill(shape, 1));
}

for (const kernelName of ['Sum', 'Mean'] as const) {
  registerGradient({
    kernelName,
    inputsToSave: ['x'],
    gradFunc: (given, [x], attrs) => {
      const { shape } = x!;
      const axes = util.parseAxisParam(attrs.axis as number | number[], shape);
      const count = util.sizeFromShape(axes.map((axis) => shape[axis]!));
      const dy = given as Tensor;
      return {
        x: () => spread(kernelName === 'Mean' ? div(dy, count) : dy, shape, axes),
      };
    },
  });
}
