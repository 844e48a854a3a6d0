/**
 * GGML's tensor types by their numbers in the file (enum ggml_type in ggml/include/ggml.h): plain
 * numbers, blocks that are decoded to float32, and blocks that the lab knows by name and size only.
 */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import * as blocks from './gguf.blocks.ts';
import type { DecodeBlock } from './gguf.blocks.ts';
import * as superblocks from './gguf.superblocks.ts';

export interface GgmlType {
  /** As ggml prints it: `Q4_K`. */
  readonly name: string;
  /** Elements of one block, and the bytes that it takes; 1 and the itemsize for plain numbers. */
  readonly block: number;
  readonly size: number;
  /** Of plain numbers; blocks decode to float32. */
  readonly dtype?: Dtype;
  readonly decode?: DecodeBlock;
}

const plain = (name: string, size: number, dtype: Dtype): GgmlType => ({
  name,
  block: 1,
  size,
  dtype,
});
const coded = (name: string, block: number, size: number, decode?: DecodeBlock): GgmlType => ({
  name,
  block,
  size,
  ...(decode && { decode }),
});

/** The numbers that are missing were given up by ggml, or are newer than this table. */
export const ggmlTypes: ReadonlyMap<number, GgmlType> = new Map([
  [0, plain('F32', 4, 'float32')],
  [1, plain('F16', 2, 'float16')],
  [2, coded('Q4_0', 32, 18, blocks.q4_0)],
  [3, coded('Q4_1', 32, 20, blocks.q4_1)],
  [6, coded('Q5_0', 32, 22, blocks.q5_0)],
  [7, coded('Q5_1', 32, 24, blocks.q5_1)],
  [8, coded('Q8_0', 32, 34, blocks.q8_0)],
  [9, coded('Q8_1', 32, 40)],
  [10, coded('Q2_K', 256, 84, superblocks.q2_k)],
  [11, coded('Q3_K', 256, 110, superblocks.q3_k)],
  [12, coded('Q4_K', 256, 144, superblocks.q4_k)],
  [13, coded('Q5_K', 256, 176, superblocks.q5_k)],
  [14, coded('Q6_K', 256, 210, superblocks.q6_k)],
  [15, coded('Q8_K', 256, 292)],
  [16, coded('IQ2_XXS', 256, 66)],
  [17, coded('IQ2_XS', 256, 74)],
  [18, coded('IQ3_XXS', 256, 98)],
  [19, coded('IQ1_S', 256, 50)],
  [20, coded('IQ4_NL', 32, 18, blocks.iq4_nl)],
  [21, coded('IQ3_S', 256, 110)],
  [22, coded('IQ2_S', 256, 82)],
  [23, coded('IQ4_XS', 256, 136, blocks.iq4_xs)],
  [24, plain('I8', 1, 'int8')],
  [25, plain('I16', 2, 'int16')],
  [26, plain('I32', 4, 'int32')],
  [27, plain('I64', 8, 'int64')],
  [28, plain('F64', 8, 'float64')],
  [29, coded('IQ1_M', 256, 56)],
  [30, plain('BF16', 2, 'bfloat16')],
  [34, coded('TQ1_0', 256, 54, blocks.tq1_0)],
  [35, coded('TQ2_0', 256, 66, blocks.tq2_0)],
  [39, coded('MXFP4', 32, 17, blocks.mxfp4)],
  [40, coded('NVFP4', 64, 36, blocks.nvfp4)],
  [41, coded('Q1_0', 128, 18)],
]);
