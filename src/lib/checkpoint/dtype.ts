/** Element types, by the names that `torch.dtype` prints without `torch.`. */
export const dtypes = {
  float64: { size: 8, kind: 'float' },
  float32: { size: 4, kind: 'float' },
  float16: { size: 2, kind: 'float' },
  bfloat16: { size: 2, kind: 'float' },
  int64: { size: 8, kind: 'int' },
  int32: { size: 4, kind: 'int' },
  int16: { size: 2, kind: 'int' },
  int8: { size: 1, kind: 'int' },
  uint8: { size: 1, kind: 'int' },
  uint16: { size: 2, kind: 'int' },
  uint32: { size: 4, kind: 'int' },
  uint64: { size: 8, kind: 'int' },
  bool: { size: 1, kind: 'bool' },
  complex64: { size: 8, kind: 'complex' },
  complex128: { size: 16, kind: 'complex' },
} as const satisfies Record<string, { size: number; kind: 'float' | 'int' | 'bool' | 'complex' }>;

export type Dtype = keyof typeof dtypes;

/** Bytes that one element takes. */
export function itemsize(dtype: Dtype): number {
  return dtypes[dtype].size;
}

/** Bytes that a byte order turns around as one: a complex number is two floats, each by itself. */
export function wordSize(dtype: Dtype): number {
  return dtypes[dtype].kind === 'complex' ? itemsize(dtype) / 2 : itemsize(dtype);
}
