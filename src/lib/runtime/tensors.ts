/** torch's dtypes as tfjs has them. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';

/** The dtype that stands for torch's on a backend: integers have 32 bits there. */
export function tfDtype(dtype: Dtype): 'float32' | 'int32' | 'bool' {
  switch (dtype) {
    case 'float32':
      return 'float32';
    case 'bool':
      return 'bool';
    case 'int64':
    case 'int32':
    case 'int16':
    case 'int8':
    case 'uint8':
      return 'int32';
    default:
      throw new Error(`a ${dtype} tensor cannot be computed with: the backend knows float32`);
  }
}
