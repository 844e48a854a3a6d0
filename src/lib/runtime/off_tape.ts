import * as tf from './tf.ts';

/**
 * The same numbers under a new handle that no gradient passes: tfjs records how a tensor was made by
 * its handle. Nothing is copied.
 */
export function offTape(tensor: tf.Tensor): tf.Tensor {
  const { dataId, shape, dtype } = tensor;
  const engine = tf.engine();
  engine.backend.incRef(dataId);
  return engine.makeTensorFromTensorInfo({ dataId, shape, dtype }, engine.backend);
}
