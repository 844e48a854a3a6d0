/** One step of each recurrent layer, from its projected input and its states (N, hidden). */
import * as tf from '../../tf.ts';
import type { Step } from './recurrent.ts';

/** i, f, g, o: c′ = σ(f)·c + σ(i)·tanh(g), h′ = σ(o)·tanh(c′), projected where the layer does so. */
export const lstmStep: Step = (projected, [h, c], { weightHh, weightHr }) => {
  const gates = tf.add(projected, tf.matMul(h!, weightHh, false, true));
  const [i, f, g, o] = tf.split(gates, 4, 1);
  const cell = tf.add(tf.mul(tf.sigmoid(f!), c!), tf.mul(tf.sigmoid(i!), tf.tanh(g!)));
  const hidden = tf.mul(tf.sigmoid(o!), tf.tanh(cell));
  return [weightHr ? tf.matMul(hidden, weightHr, false, true) : hidden, cell];
};

/** r, z, n: n = tanh(x_n + σ(r)·h_n), h′ = n + σ(z)·(h − n). */
export const gruStep: Step = (projected, [h], { weightHh, biasHh }) => {
  const product = tf.matMul(h!, weightHh, false, true);
  const own = biasHh ? tf.add(product, biasHh) : product;
  const width = own.shape[1]! / 3;
  const parts = (x: tf.Tensor) => tf.split(x, [2 * width, width], 1) as [tf.Tensor, tf.Tensor];
  const [xGates, xNew] = parts(projected);
  const [hGates, hNew] = parts(own);
  const [r, z] = tf.split(tf.sigmoid(tf.add(xGates, hGates)), 2, 1);
  const fresh = tf.tanh(tf.add(xNew, tf.mul(r!, hNew)));
  return [tf.add(fresh, tf.mul(z!, tf.sub(h!, fresh)))];
};

/** h′ = tanh or relu of the sum. */
export const rnnStep =
  (nonlinearity: 'tanh' | 'relu'): Step =>
  (projected, [h], { weightHh }) => {
    const sum = tf.add(projected, tf.matMul(h!, weightHh, false, true));
    return [nonlinearity === 'tanh' ? tf.tanh(sum) : tf.relu(sum)];
  };
