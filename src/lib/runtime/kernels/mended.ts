/**
 * Programs of tfjs that WebGPU does not compile for some tensors, or that give other bits in every
 * run, mended where the backend runs them, so that other kernels and gradients that use them are
 * right too. Measured with tfjs 4.22.
 */
import type { WebGPUBackend, WebGPUProgram } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '../tf.ts';

type Run = WebGPUBackend['runWebGPUProgram'];

/** The names of coordinates in WGSL, by axis. Those of five and six are no vectors, so have no index. */
const coordinates = 'xyzwuv';

export function mendPrograms(backend: WebGPUBackend): void {
  const run: Run = backend.runWebGPUProgram.bind(backend);
  backend.runWebGPUProgram = (program, inputs, dtype, ...rest) => {
    const { shaderKey: key, outputShape: shape } = program;
    if (key.startsWith('matMulSplitK_')) {
      const [, zeros] = rest;
      if (zeros) backend.disposeData(zeros.dataId);
      return productInOrder(backend, program as Product, inputs);
    }
    if (key.startsWith('transpose_') && isInteger(backend, inputs[0]!)) {
      replaceInCode(program, 'setOutputAtIndex(', 'setOutputAtIndexI32(');
    } else if (key.startsWith('binary_') && shape.length > 4) {
      replaceInCode(
        program,
        `coords[${shape.length - 1}]`,
        `coords.${coordinates[shape.length - 1]}`,
      );
    } else if (key === 'select' && shape.length > 4) {
      const size = tf.util.sizeFromShape(shape);
      const flat = inputs.map((input) => ({ ...input, shape: [size] }));
      return { ...run(selectOf(program, size), flat, dtype, ...rest), shape };
    }
    return run(program, inputs, dtype, ...rest);
  };
}

type Product = WebGPUProgram & { readonly transposeA: boolean; readonly transposeB: boolean };

/** How tfjs is told the program for all products of matrices; −1 is its own choice. */
const PRODUCT_FLAG = 'WEBGPU_MATMUL_PROGRAM_TYPE';
const SMALL_TILES = 2;

/**
 * A long inner axis is split by tfjs, and the parts are added with atomics in whatever order they
 * come: no two runs would train alike. Small tiles keep the order.
 */
function productInOrder(
  backend: WebGPUBackend,
  { transposeA, transposeB }: Product,
  [a, b]: readonly tf.TensorInfo[],
): tf.TensorInfo {
  const { kernelFunc } = tf.getKernel('BatchMatMul', 'webgpu');
  tf.env().set(PRODUCT_FLAG, SMALL_TILES);
  try {
    const attrs = { transposeA, transposeB };
    return kernelFunc({ inputs: { a: a!, b: b! }, attrs, backend }) as tf.TensorInfo;
  } finally {
    tf.env().set(PRODUCT_FLAG, -1);
  }
}

/** Whether the buffer holds integers; a cast from bool to float32 keeps it. */
function isInteger(backend: WebGPUBackend, { dataId }: tf.TensorInfo): boolean {
  return backend.tensorMap.get(dataId).dtype !== 'float32';
}

function replaceInCode(program: WebGPUProgram, from: string, to: string): void {
  const code = program.getUserCode.bind(program);
  program.getUserCode = () => code().replace(from, to);
}

/** The same choice between vectors; all three operands of tf.where have one shape. */
function selectOf(program: WebGPUProgram, size: number): WebGPUProgram {
  const Select = program.constructor as new (
    conditionRank: number,
    shape: number[],
    rank: number,
  ) => WebGPUProgram;
  return new Select(1, [size], 1);
}
