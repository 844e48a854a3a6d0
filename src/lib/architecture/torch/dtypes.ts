/** `torch.float32` and `torch.device('cpu')`: compared and passed around, never acted upon. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { PyObject, type Comparison, type PyValue } from '../python/object.ts';
import type { Interpreter } from '../python/interpreter.ts';

export class PyDtype extends PyObject {
  override readonly isAtomic = true;
  readonly typeName = 'dtype';
  readonly dtype: Dtype;
  constructor(dtype: Dtype) {
    super();
    this.dtype = dtype;
  }
  override repr(): string {
    return `torch.${this.dtype}`;
  }
}

const names: Readonly<Record<string, Dtype>> = {
  float32: 'float32',
  float: 'float32',
  float64: 'float64',
  double: 'float64',
  float16: 'float16',
  half: 'float16',
  bfloat16: 'bfloat16',
  int64: 'int64',
  long: 'int64',
  int32: 'int32',
  int: 'int32',
  int16: 'int16',
  int8: 'int8',
  uint8: 'uint8',
  bool: 'bool',
};

const values = new Map<Dtype, PyDtype>();

/** The one object for a dtype, so that `is` holds. */
export function dtypeValue(dtype: Dtype): PyDtype {
  let value = values.get(dtype);
  if (!value) values.set(dtype, (value = new PyDtype(dtype)));
  return value;
}

/** The names of `torch` that are dtypes. */
export function dtypeNames(): [string, PyValue][] {
  return Object.entries(names).map(([name, dtype]) => [name, dtypeValue(dtype)]);
}

export class PyDevice extends PyObject {
  override readonly isAtomic = true;
  readonly typeName = 'device';
  readonly name: string;
  constructor(name: string) {
    super();
    this.name = name;
  }
  override getAttribute(_interpreter: Interpreter, name: string): PyValue | undefined {
    return name === 'type' ? this.name.split(':')[0]! : undefined;
  }
  override compare(_: Interpreter, operator: Comparison, other: PyValue): PyValue | undefined {
    const isSame = other instanceof PyDevice && other.name === this.name;
    return operator === '==' ? isSame : operator === '!=' ? !isSame : undefined;
  }
  override repr(): string {
    return `device(type='${this.name}')`;
  }
  override str(): string {
    return this.name;
  }
}
