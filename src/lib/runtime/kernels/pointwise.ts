/**
 * Kernels of our own that compute one element from the same element of their inputs. Elsewhere than
 * on WebGPU a twin of plain tfjs ops gives the same numbers. Neither has a gradient by itself.
 */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '../tf.ts';

export interface PointwiseKernel {
  /** Distinguishes the compiled program: one name, one code. */
  readonly name: string;
  /** WGSL: the body of a function of `a` (and `b`, …), f32 each, that returns one. */
  readonly code: string;
  /** Functions that the code calls. */
  readonly helpers?: string;
  /** The same of tfjs's ops, for other backends. */
  readonly twin: (...inputs: tf.Tensor[]) => tf.Tensor;
}

/** Threads that work together: enough for a warp or wavefront, within every device's limits. */
const WORKGROUP = 64;
/** What the inputs are called in the code, in their order. */
export const inputNames = ['a', 'b', 'c', 'd', 'e', 'f'];

/** Runs a kernel on float32 tensors of one shape. */
export function runPointwise(kernel: PointwiseKernel, inputs: readonly tf.Tensor[]): tf.Tensor {
  return tf.getBackend() === 'webgpu' ? dispatchPointwise(kernel, inputs) : kernel.twin(...inputs);
}

/** Runs a kernel on WebGPU; its code has `numbers[0]` and so on of a vector that all elements see. */
export function dispatchPointwise(
  kernel: Omit<PointwiseKernel, 'twin'>,
  inputs: readonly tf.Tensor[],
  numbers?: tf.Tensor,
): tf.Tensor {
  const backend = tf.backend() as WebGPUBackend;
  const { shape, size } = inputs[0]!;
  const names = inputNames.slice(0, inputs.length);
  const info = backend.runWebGPUProgram(
    {
      outputShape: [...shape],
      variableNames: numbers ? [...names, 'numbers'] : names,
      dispatchLayout: { x: shape.map((_, axis) => axis) },
      dispatch: [Math.ceil(size / WORKGROUP), 1, 1],
      workgroupSize: [WORKGROUP, 1, 1],
      shaderKey: `weightroom ${kernel.name}`,
      size: true,
      getUserCode: () => program(kernel, names),
    },
    numbers ? [...inputs, numbers] : [...inputs],
    'float32',
  );
  return tf.engine().makeTensorFromTensorInfo(info);
}

function program(
  { code, helpers = '' }: Omit<PointwiseKernel, 'twin'>,
  names: readonly string[],
): string {
  const parameters = names.map((name) => `${name} : f32`).join(', ');
  // tfjs casts integers to float32 without touching the buffer.
  const elements = names.map((name) => `f32(${name}[index])`).join(', ');
  return `
    ${helpers}
    fn element(${parameters}) -> f32 {
      ${code}
    }
    fn main(index : i32) {
      if (index < uniforms.size) {
        result[index] = element(${elements});
      }
    }
  `;
}
