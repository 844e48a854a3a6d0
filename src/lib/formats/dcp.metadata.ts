/**
 * The file `.metadata` of torch.distributed.checkpoint: a pickle of the dataclasses in its
 * metadata.py and filesystem.py (2.13), of which nothing is made here but a table of what lies where.
 */
import { dtypes, itemsize, type Dtype } from '#lib/checkpoint/dtype.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import { Dict, isDict, type Value } from '#lib/checkpoint/value.ts';
import { coverProblem, type Block } from './dcp.chunks.ts';
import { MAX_STEPS, type Path } from './dcp.nested.ts';
import { isInside } from './folder.files.ts';
import { isGlobal, told } from './torch.storages.ts';

/** Bytes of one file that torch.save wrote: a chunk, or an object. */
export interface Blob {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}
export interface TensorEntry {
  readonly kind: 'tensor';
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly chunks: readonly (Block & { readonly blob: Blob })[];
}
export interface ObjectEntry {
  readonly kind: 'object';
  readonly blob: Blob;
}
export interface DcpMetadata {
  readonly entries: ReadonlyMap<string, TensorEntry | ObjectEntry>;
  /** Where an entry stands in the nested tree; one that is not here stands at the top. */
  readonly paths: ReadonlyMap<string, Path>;
}

const METADATA = 'torch.distributed.checkpoint.metadata';
const INFO = 'torch.distributed.checkpoint.filesystem._StorageInfo';

/** What a `.metadata` is made of beside plain values; `StorageMeta` tells the path of the save. */
export const dcpClasses: ReadonlySet<string> = new Set([
  INFO,
  ...['pathlib', 'pathlib._local'].flatMap((module) => [
    `${module}.PosixPath`,
    `${module}.WindowsPath`,
  ]),
  ...[
    'Metadata',
    'MetadataIndex',
    'StorageMeta',
    'TensorStorageMetadata',
    'BytesStorageMetadata',
    'ChunkStorageMetadata',
    'TensorProperties',
    '_MEM_FORMAT_ENCODING',
  ].map((name) => `${METADATA}.${name}`),
]);

/** No tensor of PyTorch has more axes (c10/core/TensorImpl.h). */
const MAX_RANK = 64;
/** Bytes of a complex128. */
const MAX_ITEMSIZE = 16;
/** Of all tensors: a pickle may give the same list to all of them. Thousands of ranks make a million. */
const MAX_CHUNKS = 4_000_000;

/** Reads what the pickle says. Throws a FindingError that names the entry. */
export function parseDcpMetadata(root: Value): DcpMetadata {
  const fields = fieldsOf(root, `${METADATA}.Metadata`, 'the pickle');
  const described = dictOf(fields.get('state_dict_metadata'), 'state_dict_metadata');
  const stored = storedBlobs(dictOf(fields.get('storage_data'), 'storage_data'));
  const entries = new Map<string, TensorEntry | ObjectEntry>();
  let chunks = 0;
  for (const [key, value] of described.entries()) {
    if (typeof key !== 'string') throw broken(`the key ${told(key)} is no str`);
    const entry = entryOf(key, value, stored.get(key));
    if (entry.kind === 'tensor') chunks += entry.chunks.length;
    if (chunks > MAX_CHUNKS) throw broken(`more than ${MAX_CHUNKS} chunks`);
    entries.set(key, entry);
  }
  return { entries, paths: pathsOf(fields.get('planner_data')) };
}

function broken(message: string, code = 'metadata'): FindingError {
  return new FindingError({
    code: `dcp-${code}`,
    where: '.metadata',
    message: `dcp: .metadata: ${message}`,
    advice: 'The file .metadata is damaged or of another format: get the folder again.',
  });
}

/** An instance that unpickling would have made, as its class and attributes. */
function instance(value: Value | undefined): { type: string; state: Value | undefined } {
  if (typeof value !== 'object' || value?.kind !== 'call' || !isGlobal(value.callable)) {
    return { type: told(value), state: undefined };
  }
  const { module, name } = value.callable;
  return { type: `${module}.${name}`, state: value.state };
}

function fieldsOf(value: Value | undefined, expected: string, what: string): Dict {
  const { type, state } = instance(value);
  if (type !== expected) throw broken(`${what} is ${type}, expected ${expected}`);
  return state === undefined || state === null ? new Dict() : dictOf(state, `the state of ${what}`);
}

function dictOf(value: Value | undefined, what: string): Dict {
  if (!isDict(value)) throw broken(`${what} is ${told(value)}, expected a dict`);
  return value;
}

function itemsOf(value: Value | undefined, kind: 'list' | 'tuple', what: string): readonly Value[] {
  if (typeof value === 'object' && value?.kind === kind) return value.items;
  throw broken(`${what} is ${told(value)}, expected a ${kind}`);
}

function natural(value: Value | undefined, what: string): number {
  if (typeof value !== 'bigint' || value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw broken(`${what} is ${told(value)}, expected a non-negative int`);
  }
  return Number(value);
}

/** A `torch.Size` that a tensor could have. */
function sizesOf(value: Value | undefined, what: string): number[] {
  const items = itemsOf(value, 'tuple', what);
  const sizes = items.slice(0, MAX_RANK).map((item) => natural(item, what));
  if (items.length > MAX_RANK || !Number.isSafeInteger(numel(sizes) * MAX_ITEMSIZE)) {
    throw broken(`${what} is too large: [${sizes.slice(0, 8).join(', ')}]`);
  }
  return sizes;
}

/** `{MetadataIndex(fqn, offset, index): _StorageInfo}`, by fqn and offset; the index is a hint. */
function storedBlobs(data: Dict): Map<string, Map<string, Blob>> {
  const stored = new Map<string, Map<string, Blob>>();
  for (const [index, info] of data.entries()) {
    const fields = fieldsOf(index, `${METADATA}.MetadataIndex`, 'a key of storage_data');
    const fqn = fields.get('fqn');
    if (typeof fqn !== 'string') throw broken(`an index has the fqn ${told(fqn)}, expected a str`);
    const offset = fields.get('offset') ?? null;
    const place = offset === null ? '' : sizesOf(offset, `the offset of ${quoted(fqn)}`).join();
    const places = stored.get(fqn) ?? new Map<string, Blob>();
    stored.set(fqn, places.set(place, blobOf(info, fqn)));
  }
  return stored;
}

function blobOf(value: Value, fqn: string): Blob {
  const fields = fieldsOf(value, INFO, `the place of ${quoted(fqn)}`);
  const path = fields.get('relative_path');
  if (typeof path !== 'string' || !isInside(path)) {
    throw broken(`the file of ${quoted(fqn)} is ${told(path)}, no path in the folder`, 'path');
  }
  const transforms = fields.get('transform_descriptors') ?? null;
  if (transforms !== null && itemsOf(transforms, 'list', 'transform_descriptors').length > 0) {
    throw broken(`${quoted(fqn)} is transformed by an extension of the writer`, 'transformed');
  }
  return {
    path,
    offset: natural(fields.get('offset'), `the offset of ${quoted(fqn)}`),
    length: natural(fields.get('length'), `the length of ${quoted(fqn)}`),
  };
}

function entryOf(
  key: string,
  value: Value,
  stored: ReadonlyMap<string, Blob> | undefined,
): TensorEntry | ObjectEntry {
  const what = quoted(key);
  if (instance(value).type === `${METADATA}.BytesStorageMetadata`) {
    return { kind: 'object', blob: needBlob(stored?.get(''), what) };
  }
  const fields = fieldsOf(value, `${METADATA}.TensorStorageMetadata`, what);
  const dtype = dtypeOf(fields.get('properties'), what);
  const shape = sizesOf(fields.get('size'), `the size of ${what}`);
  const chunks = itemsOf(fields.get('chunks'), 'list', `the chunks of ${what}`).map((item) => {
    const chunk = fieldsOf(item, `${METADATA}.ChunkStorageMetadata`, `a chunk of ${what}`);
    const offsets = sizesOf(chunk.get('offsets'), `the offsets of a chunk of ${what}`);
    const sizes = sizesOf(chunk.get('sizes'), `the sizes of a chunk of ${what}`);
    const blob = needBlob(
      stored?.get(offsets.join()),
      `the chunk of ${what} at [${offsets.join(', ')}]`,
    );
    // torch.save does not compress: what claims more than its bytes is refused before it is read.
    if (blob.length < numel(sizes) * itemsize(dtype)) {
      throw broken(
        `a chunk ${dtype} [${sizes.join(', ')}] of ${what} is said to take ${blob.length} bytes`,
        'range',
      );
    }
    return { offsets, sizes, blob };
  });
  const problem = coverProblem(shape, chunks);
  if (problem) throw broken(`${what} [${shape.join(', ')}]: ${problem}`, 'chunks');
  return { kind: 'tensor', dtype, shape, chunks };
}

function needBlob(blob: Blob | undefined, what: string): Blob {
  if (blob) return blob;
  throw broken(`storage_data does not say where ${what} lies`, 'chunk-unlisted');
}

/** Of `TensorProperties`, pickled as (dtype, layout, requires_grad, memory_format, pin_memory). */
function dtypeOf(value: Value | undefined, what: string): Dtype {
  const { type, state } = instance(value);
  if (type !== `${METADATA}.TensorProperties`) {
    throw broken(`the properties of ${what} are ${type}`);
  }
  const [name] = itemsOf(state, 'tuple', `the properties of ${what}`);
  const isKnown = isGlobal(name) && name.module === 'torch' && Object.hasOwn(dtypes, name.name);
  const dtype = isKnown ? (name.name as Dtype) : undefined;
  // The numbers of a quantized tensor mean nothing without its quantizer, which is not kept here.
  if (!dtype || dtypes[dtype].kind === 'quantized') {
    throw broken(`${what} has the unsupported dtype ${told(name)}`, 'dtype');
  }
  return dtype;
}

/** The planner's mapping from flat keys to paths; None where nothing was flattened. */
function pathsOf(value: Value | undefined): Map<string, Path> {
  const paths = new Map<string, Path>();
  if (value === undefined || value === null) return paths;
  for (const [key, path] of dictOf(value, 'planner_data').entries()) {
    if (typeof key !== 'string') throw broken(`planner_data has the key ${told(key)}`);
    const what = `the path of ${quoted(key)}`;
    const steps = itemsOf(path, 'tuple', what);
    if (steps.length > MAX_STEPS) throw broken(`${what} has ${steps.length} steps`, 'structure');
    paths.set(
      key,
      steps.map((step) => (typeof step === 'string' ? step : natural(step, what))),
    );
  }
  return paths;
}

function quoted(key: string): string {
  return JSON.stringify(key.slice(0, 100));
}
