/**
 * The list of weights or constants in a .pt2 archive: `{"config": {name: {path_name, is_param,
 * use_pickle, tensor_meta}}}`, by the names that the model gives them (torch/_export/serde/schema.py,
 * `PayloadConfig`, `PayloadMeta`, `TensorMeta`). What it does not need to know, it does not look at.
 */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { tuple, type Tuple } from '#lib/checkpoint/value.ts';
import { isJsonObject, parseJson, type Json } from './json.ts';

/** Where a weight or constant lies, and what it is. */
export interface Payload {
  /** Name of its record in the folder of weights or constants. */
  readonly path: string;
  readonly isParameter: boolean;
  /** The record is a pickle or a file of torch.save, not plain bytes. */
  readonly isPickled: boolean;
  /** Of every tensor; other objects have none. */
  readonly tensor?: PayloadTensor;
}

export interface PayloadTensor {
  readonly dtype: Dtype;
  /** As the file has them: to be checked against the record. */
  readonly size: Tuple;
  readonly stride: Tuple;
  readonly offset: bigint;
  readonly requiresGrad: boolean;
  /** `cpu`, `cuda:0` */
  readonly location: string;
}

/** torch.export's own codes (`ScalarType`); those of TorchScript are others. */
const dtypeByCode: ReadonlyMap<bigint, Dtype> = new Map([
  [1n, 'uint8'],
  [2n, 'int8'],
  [3n, 'int16'],
  [4n, 'int32'],
  [5n, 'int64'],
  [6n, 'float16'],
  [7n, 'float32'],
  [8n, 'float64'],
  [9n, 'complex32'],
  [10n, 'complex64'],
  [11n, 'complex128'],
  [12n, 'bool'],
  [13n, 'bfloat16'],
  [28n, 'uint16'],
  [29n, 'float8_e4m3fn'],
  [30n, 'float8_e5m2'],
  [31n, 'float8_e4m3fnuz'],
  [32n, 'float8_e5m2fnuz'],
  [33n, 'float8_e8m0fnu'],
  [34n, 'uint32'],
  [35n, 'uint64'],
]);
/** `Layout.Strided`: the only one whose elements are one run of bytes. */
const STRIDED = 7n;

/** Reads the list in the order of the file. Throws a FindingError that names the entry. */
export function parsePayloads(bytes: Uint8Array, record: string): Map<string, Payload> {
  let json: Json;
  try {
    json = parseJson(bytes);
  } catch (error) {
    throw broken(record, `is no JSON: ${(error as Error).message}`);
  }
  const config = new Fields(json, record, 'the list').object('config');
  return new Map(
    [...config.entries].map(([name, entry]) => [name, payloadOf(name, entry, record)]),
  );
}

function payloadOf(name: string, json: Json, record: string): Payload {
  const fields = new Fields(json, record, JSON.stringify(name));
  const payload = {
    path: fields.text('path_name'),
    isParameter: fields.flag('is_param'),
    isPickled: fields.flag('use_pickle'),
  };
  if (fields.isNull('tensor_meta')) return payload;
  const meta = fields.object('tensor_meta');
  // A pickled tensor says itself what it is.
  if (payload.isPickled) return payload;
  const dtype = dtypeByCode.get(meta.integer('dtype'));
  if (!dtype) throw meta.wrong(`has the unknown dtype ${meta.integer('dtype')}`);
  if (meta.integer('layout') !== STRIDED) {
    throw meta.wrong(`has the layout ${meta.integer('layout')}, expected ${STRIDED} (strided)`);
  }
  const device = meta.object('device');
  const index = device.isNull('index') ? '' : `:${device.integer('index')}`;
  return {
    ...payload,
    tensor: {
      dtype,
      size: tuple(...meta.integers('sizes')),
      stride: tuple(...meta.integers('strides')),
      offset: meta.object('storage_offset').integer('as_int'),
      requiresGrad: meta.flag('requires_grad'),
      location: device.text('type') + index,
    },
  };
}

/** The entries of a JSON object, each asked for by what it must be. */
class Fields {
  readonly entries = new Map<string, Json>();
  readonly #record: string;
  readonly #what: string;

  constructor(json: Json | undefined, record: string, what: string) {
    this.#record = record;
    this.#what = what;
    if (!isJsonObject(json)) throw this.wrong('is no object');
    for (const [key, value] of json.pairs) {
      if (this.entries.has(key)) throw this.wrong(`has two keys ${JSON.stringify(key)}`);
      this.entries.set(key, value);
    }
  }

  wrong(what: string): FindingError {
    return broken(this.#record, `: ${this.#what} ${what}`);
  }

  isNull(key: string): boolean {
    return (this.entries.get(key) ?? null) === null;
  }
  object(key: string): Fields {
    return new Fields(this.entries.get(key), this.#record, `${this.#what}: ${JSON.stringify(key)}`);
  }
  text(key: string): string {
    const value = this.entries.get(key);
    if (typeof value !== 'string') throw this.wrong(`has no text ${JSON.stringify(key)}`);
    return value;
  }
  flag(key: string): boolean {
    const value = this.entries.get(key);
    if (typeof value !== 'boolean') throw this.wrong(`has no true or false ${JSON.stringify(key)}`);
    return value;
  }
  integer(key: string): bigint {
    const value = this.entries.get(key);
    if (typeof value !== 'bigint') throw this.wrong(`has no integer ${JSON.stringify(key)}`);
    return value;
  }
  /** A list of `{"as_int": …}`. Sizes of weights are never expressions. */
  integers(key: string): bigint[] {
    const value = this.entries.get(key);
    if (!Array.isArray(value)) throw this.wrong(`has no list ${JSON.stringify(key)}`);
    const what = `${this.#what}: ${JSON.stringify(key)}`;
    return value.map((item) => new Fields(item, this.#record, what).integer('as_int'));
  }
}

function broken(record: string, message: string): FindingError {
  return new FindingError({
    code: 'pt2-broken',
    where: record,
    message: `pt2: record ${JSON.stringify(record)}${message.startsWith(':') ? '' : ' '}${message}`,
    advice:
      'The file is damaged or was not written by torch.export: get it again, or save it again.',
  });
}
