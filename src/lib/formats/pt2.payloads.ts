/**
 * The list of weights or constants in a .pt2 archive: `{"config": {name: {path_name, is_param,
 * use_pickle, tensor_meta}}}`, by the names that the model gives them (torch/_export/serde/schema.py,
 * `PayloadConfig`, `PayloadMeta`, `TensorMeta`). What it does not need to know, it does not look at.
 */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { tuple, type Tuple } from '#lib/checkpoint/value.ts';
import type { Json } from './json.ts';
import { Fields, jsonOf } from './pt2.fields.ts';

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
export const dtypeByCode: ReadonlyMap<bigint, Dtype> = new Map([
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
  const config = new Fields(jsonOf(bytes, record), record, 'the list').object('config');
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
