/**
 * Random numbers that are computed, not remembered: element i of stream s in pass t of seed r is a
 * hash of (i / 4, s, t, r). Seed and pass lie in a tensor, so that the same commands draw other
 * numbers where only that tensor is written anew. On WebGPU a kernel draws them; elsewhere the host
 * does, bit for bit the same. The hash is pcg4d, Jarzynski and Olano, Hash Functions for GPU
 * Rendering (Journal of Computer Graphics Techniques 9(3), 2020).
 */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '../tf.ts';

/** Which numbers to draw. */
export interface Draws {
  /** int32 [seed, pass] */
  readonly counter: tf.Tensor1D;
  /** Draws that share the counter are told apart by it; below 2³¹. */
  readonly stream: number;
}

/** Numbers from 0 to 1, without 1: multiples of 2⁻²⁴, which float32 holds exactly. */
export function drawUniform(shape: readonly number[], draws: Draws): tf.Tensor {
  return draw(uniform, shape, draws, [0, 2 ** -24]);
}

/** `scale` with probability 1 − p, else zero. */
export function drawMask(
  shape: readonly number[],
  p: number,
  draws: Draws,
  scale: number,
): tf.Tensor {
  return draw(mask, shape, draws, [Math.round(p * 2 ** 24), scale]);
}

/** What becomes of 24 random bits, by an integer and a number, in WGSL and here. */
interface Kind {
  readonly name: string;
  readonly code: string;
  readonly of: (bits: number, limit: number, scale: number) => number;
}

const uniform: Kind = {
  name: 'uniform',
  code: 'f32(bits) * uniforms.scale',
  of: (bits, _, scale) => bits * scale,
};
const mask: Kind = {
  name: 'mask',
  code: 'select(0.0, uniforms.scale, i32(bits) >= uniforms.limit)',
  of: (bits, limit, scale) => (bits >= limit ? scale : 0),
};

type Parameters = readonly [limit: number, scale: number];

function draw(kind: Kind, shape: readonly number[], draws: Draws, parameters: Parameters) {
  const size = tf.util.sizeFromShape([...shape]);
  if (tf.getBackend() === 'webgpu') return onDevice(kind, shape, size, draws, parameters);
  return tf.tensor(onHost(kind, size, draws, parameters), [...shape], 'float32');
}

/** Threads that work together. */
const WORKGROUP = 64;

function onDevice(
  kind: Kind,
  shape: readonly number[],
  size: number,
  { counter, stream }: Draws,
  [limit, scale]: Parameters,
): tf.Tensor {
  const info = (tf.backend() as WebGPUBackend).runWebGPUProgram(
    {
      outputShape: [size],
      variableNames: ['counter'],
      uniforms: 'stream : i32, limit : i32, scale : f32,',
      dispatchLayout: { x: [0] },
      dispatch: [Math.ceil(size / WORKGROUP), 1, 1],
      workgroupSize: [WORKGROUP, 1, 1],
      shaderKey: `weightroom draw ${kind.name}`,
      size: true,
      getUserCode: () => program(kind),
    },
    [counter],
    'float32',
    [
      { type: 'int32', data: [stream] },
      { type: 'int32', data: [limit] },
      { type: 'float32', data: [scale] },
    ],
  );
  return tf.reshape(tf.engine().makeTensorFromTensorInfo(info), [...shape]);
}

function program({ code }: Kind): string {
  return `
    fn pcg4d(start : vec4<u32>) -> vec4<u32> {
      var v = start * 1664525u + 1013904223u;
      v.x += v.y * v.w;
      v.y += v.z * v.x;
      v.z += v.x * v.y;
      v.w += v.y * v.z;
      v = v ^ (v >> vec4<u32>(16u));
      v.x += v.y * v.w;
      v.y += v.z * v.x;
      v.z += v.x * v.y;
      v.w += v.y * v.z;
      return v;
    }
    fn main(index : i32) {
      if (index < uniforms.size) {
        let when = vec2<u32>(bitcast<u32>(counter[1]), bitcast<u32>(counter[0]));
        let hashed = pcg4d(vec4<u32>(u32(index) / 4u, u32(uniforms.stream), when));
        let bits = hashed[index % 4] >> 8u;
        result[index] = ${code};
      }
    }
  `;
}

function onHost(
  { of }: Kind,
  size: number,
  { counter, stream }: Draws,
  [limit, scale]: Parameters,
): Float32Array<ArrayBuffer> {
  // Read without waiting: no op of the backend made the counter, so the host still has it.
  const [seed, pass] = counter.dataSync<'int32'>();
  const step = (v: number) => (Math.imul(v, 1664525) + 1013904223) | 0;
  const [y0, z0, w0] = [step(stream), step(pass!), step(seed!)];
  const values = new Float32Array(size);
  for (let at = 0; at < size; at += 4) {
    let x = step(at / 4);
    let [y, z, w] = [y0, z0, w0];
    for (let round = 0; round < 2; round++) {
      x = (x + Math.imul(y, w)) | 0;
      y = (y + Math.imul(z, x)) | 0;
      z = (z + Math.imul(x, y)) | 0;
      w = (w + Math.imul(y, z)) | 0;
      if (round === 1) break;
      x ^= x >>> 16;
      y ^= y >>> 16;
      z ^= z >>> 16;
      w ^= w >>> 16;
    }
    // What lies beyond the end is not stored.
    values[at] = of(x >>> 8, limit, scale);
    values[at + 1] = of(y >>> 8, limit, scale);
    values[at + 2] = of(z >>> 8, limit, scale);
    values[at + 3] = of(w >>> 8, limit, scale);
  }
  return values;
}
