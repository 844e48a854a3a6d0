/** GELU and its gradient, each in one kernel instead of a chain of ten. */
import * as tf from '../tf.ts';
import { runPointwise, type PointwiseKernel } from './pointwise.ts';
import { erf, erfCode, expm1Code, tanh } from './special.ts';

const root = Math.sqrt(2 / Math.PI);
const cubic = 0.044715;

/** Φ(x) = ½ · (1 + erf(x / √2)) */
const cumulative = (x: tf.Tensor): tf.Tensor =>
  tf.mul(tf.add(erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);

/** φ(x) = exp(−x² / 2) / √(2π) */
const density = (x: tf.Tensor): tf.Tensor =>
  tf.div(tf.exp(tf.mul(tf.square(x), -0.5)), Math.sqrt(2 * Math.PI));

const exact: PointwiseKernel = {
  name: 'gelu',
  helpers: erfCode,
  code: `return 0.5 * a * (1.0 + erf(a * ${Math.SQRT1_2}));`,
  twin: (x) => tf.mul(x!, cumulative(x!)),
};

const exactGradient: PointwiseKernel = {
  name: 'gelu gradient',
  helpers: erfCode,
  code: `
    let slope = 0.5 * (1.0 + erf(b * ${Math.SQRT1_2}));
    return a * (slope + b * exp(-0.5 * b * b) * ${1 / Math.sqrt(2 * Math.PI)});
  `,
  twin: (dy, x) => tf.mul(dy!, tf.add(cumulative(x!), tf.mul(x!, density(x!)))),
};

const tanhCode = `
  ${expm1Code}
  fn exactTanh(x : f32) -> f32 {
    let e = expm1(-2.0 * abs(x));
    return -sign(x) * e / (e + 2.0);
  }
  fn inner(x : f32) -> f32 {
    return exactTanh(${root} * (x + ${cubic} * x * x * x));
  }
`;

/** tanh(√(2/π) · (x + 0.044715 x³)) */
const inner = (x: tf.Tensor): tf.Tensor =>
  tanh(tf.mul(tf.add(x, tf.mul(tf.mul(x, tf.square(x)), cubic)), root));

const approximate: PointwiseKernel = {
  name: 'gelu tanh',
  helpers: tanhCode,
  code: 'return 0.5 * a * (1.0 + inner(a));',
  twin: (x) => tf.mul(tf.mul(x!, 0.5), tf.add(inner(x!), 1)),
};

const approximateGradient: PointwiseKernel = {
  name: 'gelu tanh gradient',
  helpers: tanhCode,
  code: `
    let t = inner(b);
    let slope = ${root} * (1.0 + ${3 * cubic} * b * b);
    return a * 0.5 * (1.0 + t + b * (1.0 - t * t) * slope);
  `,
  twin: (dy, x) => {
    const t = inner(x!);
    const slope = tf.mul(tf.add(tf.mul(tf.square(x!), 3 * cubic), 1), root);
    const change = tf.mul(tf.mul(x!, tf.sub(1, tf.square(t))), slope);
    return tf.mul(tf.mul(dy!, 0.5), tf.add(tf.add(t, 1), change));
  },
};

export const gelu = (x: tf.Tensor): tf.Tensor => runPointwise(exact, [x]);
export const geluGradient = (dy: tf.Tensor, x: tf.Tensor): tf.Tensor =>
  runPointwise(exactGradient, [dy, x]);
export const geluTanh = (x: tf.Tensor): tf.Tensor => runPointwise(approximate, [x]);
export const geluTanhGradient = (dy: tf.Tensor, x: tf.Tensor): tf.Tensor =>
  runPointwise(approximateGradient, [dy, x]);
