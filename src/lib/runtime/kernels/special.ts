/**
 * Functions that GPUs compute too coarsely, in WGSL: WebGPU's sin and cos may be off by 2⁻¹¹, and
 * log(1 + x) or exp(x) − 1 lose all digits near 0. Series are Taylor's, cut where the rest is below
 * float32's last bit.
 */
import { runPointwise, type PointwiseKernel } from './pointwise.ts';
import * as tf from '../tf.ts';

/**
 * sin(x + quarter · π/2). x is brought into ±π/4 by subtracting multiples of π/2 in three parts (Cody
 * and Waite), which holds its digits up to |x| of about 10⁵.
 */
const sine = `
  fn sine(x : f32, quarter : i32) -> f32 {
    let turns = round(x * 0.63661977);
    let r = ((x - turns * 1.5703125) - turns * 4.8375129699707e-4) - turns * 7.5497899e-8;
    let z = r * r;
    let s = r * (1.0 - z / 6.0 * (1.0 - z / 20.0 * (1.0 - z / 42.0 * (1.0 - z / 72.0))));
    let c = 1.0 - z / 2.0 * (1.0 - z / 12.0 * (1.0 - z / 30.0 * (1.0 - z / 56.0 * (1.0 - z / 90.0))));
    let place = (i32(turns) + quarter) & 3;
    let y = select(s, c, (place & 1) == 1);
    return select(y, -y, place >= 2);
  }
`;

/** The same of tfjs's ops. WebGL's own sin is off by 10⁻⁴, too. */
function sineOf(x: tf.Tensor, quarter: 0 | 1): tf.Tensor {
  const turns = tf.round(tf.mul(x, 2 / Math.PI));
  const parts = [1.5703125, 4.8375129699707e-4, 7.5497899e-8];
  const r = parts.reduce((left, part) => tf.sub(left, tf.mul(turns, part)), x);
  const z = tf.square(r);
  const series = (divisors: readonly number[]): tf.Tensor =>
    divisors.reduceRight<tf.Tensor>(
      (rest, divisor) => tf.sub(1, tf.mul(tf.div(z, divisor), rest)),
      tf.onesLike(z),
    );
  const s = tf.mul(r, series([6, 20, 42, 72]));
  const c = series([2, 12, 30, 56, 90]);
  const place = tf.mod(tf.add(turns, quarter), 4);
  const isOdd = tf.mod(place, 2);
  const y = tf.add(tf.mul(c, isOdd), tf.mul(s, tf.sub(1, isOdd)));
  return tf.mul(y, tf.sub(1, tf.mul(2, tf.floor(tf.div(place, 2)))));
}

/** 2 · artanh(x / (2 + x)) near 0. */
export const log1pCode = `
  fn log1p(x : f32) -> f32 {
    if (abs(x) > 0.4) {
      return log(1.0 + x);
    }
    let s = x / (2.0 + x);
    let z = s * s;
    return 2.0 * s * (1.0 + z * (1.0 / 3.0 + z * (0.2 + z * (1.0 / 7.0 + z * (1.0 / 9.0 + z / 11.0)))));
  }
`;

export const expm1Code = `
  fn expm1(x : f32) -> f32 {
    if (abs(x) > 0.5) {
      return exp(x) - 1.0;
    }
    return x * (1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0 * (1.0 + x / 6.0
      * (1.0 + x / 7.0 * (1.0 + x / 8.0)))))));
  }
`;

/** A series near 0; further out Abramowitz and Stegun's 7.1.26, off by at most 1.5e-7. */
export const erfCode = `
  fn erf(x : f32) -> f32 {
    let z = x * x;
    if (z < 0.25) {
      return 1.1283792 * x * (1.0 - z * (1.0 / 3.0 - z * (0.1 - z * (1.0 / 42.0 - z * (1.0 / 216.0 - z / 1320.0)))));
    }
    let t = 1.0 / (1.0 + 0.3275911 * abs(x));
    let p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return sign(x) * (1.0 - p * exp(-z));
  }
`;

function special(kernel: PointwiseKernel): (x: tf.Tensor) => tf.Tensor {
  return (x) => runPointwise(kernel, [x]);
}

export const sin = special({
  name: 'sin',
  helpers: sine,
  code: 'return sine(a, 0);',
  twin: (x) => (tf.getBackend() === 'webgl' ? sineOf(x!, 0) : tf.sin(x!)),
});

export const cos = special({
  name: 'cos',
  helpers: sine,
  code: 'return sine(a, 1);',
  twin: (x) => (tf.getBackend() === 'webgl' ? sineOf(x!, 1) : tf.cos(x!)),
});

export const log1p = special({
  name: 'log1p',
  helpers: log1pCode,
  code: 'return log1p(a);',
  twin: (x) => tf.log1p(x!),
});

export const expm1 = special({
  name: 'expm1',
  helpers: expm1Code,
  code: 'return expm1(a);',
  twin: (x) => tf.expm1(x!),
});

export const tanh = special({
  name: 'tanh',
  helpers: expm1Code,
  code: `
    let e = expm1(-2.0 * abs(a));
    return -sign(a) * e / (e + 2.0);
  `,
  twin: (x) => tf.tanh(x!),
});

export const erf = special({
  name: 'erf',
  helpers: erfCode,
  code: 'return erf(a);',
  twin: (x) => erfTwin(x!),
});

function erfTwin(x: tf.Tensor): tf.Tensor {
  const z = tf.square(x);
  const terms = [-1 / 1320, 1 / 216, -1 / 42, 0.1, -1 / 3, 1];
  const series = terms.reduce<tf.Tensor>((sum, term) => tf.add(tf.mul(sum, z), term), tf.scalar(0));
  const near = tf.mul(tf.mul(x, 2 / Math.sqrt(Math.PI)), series);
  return tf.where(tf.less(z, 0.25), near, tf.erf(x));
}
