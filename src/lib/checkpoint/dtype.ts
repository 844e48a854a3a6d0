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
  complex32: { size: 4, kind: 'complex' },
  complex64: { size: 8, kind: 'complex' },
  complex128: { size: 16, kind: 'complex' },
  float8_e4m3fn: { size: 1, kind: 'float' },
  float8_e4m3fnuz: { size: 1, kind: 'float' },
  float8_e5m2: { size: 1, kind: 'float' },
  float8_e5m2fnuz: { size: 1, kind: 'float' },
  float8_e8m0fnu: { size: 1, kind: 'float' },
  /** Two numbers a byte; a shape counts the bytes. */
  float4_e2m1fn_x2: { size: 1, kind: 'packed' },
  bits8: { size: 1, kind: 'packed' },
  bits16: { size: 2, kind: 'packed' },
  bits1x8: { size: 1, kind: 'packed' },
  bits2x4: { size: 1, kind: 'packed' },
  bits4x2: { size: 1, kind: 'packed' },
  qint8: { size: 1, kind: 'quantized' },
  quint8: { size: 1, kind: 'quantized' },
  qint32: { size: 4, kind: 'quantized' },
  quint4x2: { size: 1, kind: 'quantized' },
  quint2x4: { size: 1, kind: 'quantized' },
} as const satisfies Record<string, { size: number; kind: DtypeKind }>;

/** `packed` elements are bytes that hold several numbers, or bits without a meaning of their own. */
export type DtypeKind = 'float' | 'int' | 'bool' | 'complex' | 'packed' | 'quantized';

export type Dtype = keyof typeof dtypes;

/** Bytes that one element takes. */
export function itemsize(dtype: Dtype): number {
  return dtypes[dtype].size;
}

/** Bytes that a byte order turns around as one: a complex number is two floats, each by itself. */
export function wordSize(dtype: Dtype): number {
  return dtypes[dtype].kind === 'complex' ? itemsize(dtype) / 2 : itemsize(dtype);
}
