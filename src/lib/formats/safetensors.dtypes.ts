/**
 * The dtypes of safetensors 0.8 that PyTorch has, by their names in the file, in the order of the
 * library's own list: its writer puts later ones first. F6_E2M3 and F6_E3M2 are in the format too;
 * no dtype of PyTorch holds them, and safetensors' own reader for PyTorch refuses them.
 */
import type { Dtype } from '#lib/checkpoint/dtype.ts';

const table: readonly (readonly [code: string, dtype: Dtype])[] = [
  ['BOOL', 'bool'],
  ['F4', 'float4_e2m1fn_x2'],
  ['U8', 'uint8'],
  ['I8', 'int8'],
  ['F8_E5M2', 'float8_e5m2'],
  ['F8_E4M3', 'float8_e4m3fn'],
  ['F8_E8M0', 'float8_e8m0fnu'],
  ['F8_E4M3FNUZ', 'float8_e4m3fnuz'],
  ['F8_E5M2FNUZ', 'float8_e5m2fnuz'],
  ['I16', 'int16'],
  ['U16', 'uint16'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['I32', 'int32'],
  ['U32', 'uint32'],
  ['F32', 'float32'],
  ['C64', 'complex64'],
  ['F64', 'float64'],
  ['I64', 'int64'],
  ['U64', 'uint64'],
];

export const dtypeByCode: ReadonlyMap<string, Dtype> = new Map(table);
export const codeByDtype: ReadonlyMap<Dtype, string> = new Map(
  table.map(([code, dtype]) => [dtype, code]),
);
/** Place in the library's list. */
export const rankByDtype: ReadonlyMap<Dtype, number> = new Map(
  table.map(([, dtype], index) => [dtype, index]),
);

/** A file counts the numbers along the last axis, PyTorch the bytes that hold two of them. */
export const isHalved = (dtype: Dtype): boolean => dtype === 'float4_e2m1fn_x2';
