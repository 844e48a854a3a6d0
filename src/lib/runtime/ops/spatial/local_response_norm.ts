import { standard, toStandard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { multiplyAxis, onAxis } from './axis.ts';

/** x / (k + alpha · mean of x² over `size` channels around)^beta; beyond the channels there are zeros. */
export const localResponseNorm: OpFunction<'local_response_norm'> = (
  [x],
  { size, alpha, beta, k },
) => {
  const input = toStandard(x);
  const mean = onAxis(tf.square(input), 1, (line) =>
    multiplyAxis(line, neighbours(line.shape[1], size)),
  );
  return standard(tf.div(input, tf.pow(tf.add(tf.mul(mean, alpha), k), beta)));
};

/** (channels, channels): column i averages the channels around i, one more before it than after. */
function neighbours(channels: number, size: number): tf.Tensor2D {
  const weights = new Float32Array(channels * channels);
  for (let channel = 0; channel < channels; channel++) {
    const first = channel - Math.floor(size / 2);
    for (let at = Math.max(0, first); at < Math.min(channels, first + size); at++) {
      weights[at * channels + channel] = 1 / size;
    }
  }
  return tf.tensor2d(weights, [channels, channels]);
}
