/**
 * Writes safetensors as the library does, byte for byte: the tensors of later dtypes first, then by
 * name, the header padded with spaces to a multiple of 8. Strided views are written out in order,
 * where the library's Python refuses them. So are tied tensors, once under each of their names: the
 * format has no ties, and a file that lacked a name (`save_model` drops all but one) would not load
 * into the model with load_state_dict.
 */
import { itemsize } from '#lib/checkpoint/dtype.ts';
import type { FindingError } from '#lib/checkpoint/finding.ts';
import { tensorsInTurn } from '#lib/checkpoint/read_tensor.ts';
import { isMeta, numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import type { Value } from '#lib/checkpoint/value.ts';
import { countedSink, type Sink } from '#lib/file/sink.ts';
import { flatTensors, inOrderOfCodePoints, unwritable } from './flat.ts';
import type { WriteOptions } from './format.ts';
import { codeByDtype, isHalved, rankByDtype } from './safetensors.dtypes.ts';

/** The key of the free texts. */
export const METADATA = '__metadata__';
/** The library reads no longer headers. */
export const MAX_HEADER = 100_000_000;

/** The tensors of a flat dict in the order of the file. Throws a FindingError for a key it cannot write. */
export function plannedSafetensors(
  root: Value,
  { metadata }: Pick<WriteOptions, 'metadata'>,
): { tensors: [string, Tensor][]; header: Uint8Array } {
  const tensors = writableTensors(root).sort(inFileOrder);
  return { tensors, header: headerBytes(tensors, metadata) };
}

/** How a file orders tensors, whatever the order of the dict. */
export function inFileOrder([a, one]: [string, Tensor], [b, two]: [string, Tensor]): number {
  return rankByDtype.get(two.dtype)! - rankByDtype.get(one.dtype)! || inOrderOfCodePoints(a, b);
}

/** Writes a flat dict of tensors. Throws a FindingError that names the key it cannot write. */
export async function writeSafetensors(
  root: Value,
  sink: Sink,
  options: WriteOptions,
): Promise<void> {
  const { tensors, header } = plannedSafetensors(root, options);
  const { signal, onProgress } = options;
  const { write } = countedSink(sink, onProgress);
  await write(header);
  const inOrder = tensors.map(([, tensor]) => tensor);
  for (const chunks of tensorsInTurn(inOrder, signal)) {
    for await (const bytes of chunks) await write(bytes);
  }
}

/** The length and the header, padded. Joined by hand: an object would turn keys like "10" round. */
function headerBytes(
  tensors: readonly [string, Tensor][],
  metadata: WriteOptions['metadata'],
): Uint8Array {
  const entries: string[] = [];
  if (metadata?.size) {
    const texts = [...metadata].map(([key, text]) => `${quoted(key)}:${quoted(text)}`);
    entries.push(`"${METADATA}":{${texts.join()}}`);
  }
  let at = 0;
  for (const [key, { dtype, shape }] of tensors) {
    const end = at + numel(shape) * itemsize(dtype);
    const fields = { dtype: codeByDtype.get(dtype), shape: fileShape(shape, dtype) };
    entries.push(`${quoted(key)}:${JSON.stringify({ ...fields, data_offsets: [at, end] })}`);
    at = end;
  }
  const json = new TextEncoder().encode(`{${entries.join()}}`);
  const bytes = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  if (bytes.length - 8 > MAX_HEADER) {
    throw refused('header', `the header takes ${json.length} bytes, readers take ${MAX_HEADER}`);
  }
  new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - 8), true);
  bytes.set(json, 8);
  return bytes;
}

function quoted(text: string): string {
  if (!text.isWellFormed()) {
    throw refused('name', `${JSON.stringify(text)} has no form in UTF-8`, 'Rename the tensor.');
  }
  return JSON.stringify(text);
}

function fileShape(shape: readonly number[], dtype: Tensor['dtype']): readonly number[] {
  return isHalved(dtype) ? [...shape.slice(0, -1), 2 * shape.at(-1)!] : shape;
}

function writableTensors(root: Value): [string, Tensor][] {
  const tensors = flatTensors(root, 'safetensors');
  for (const [key, { dtype, shape, storage }] of tensors) {
    const name = JSON.stringify(key);
    if (key === METADATA) throw refused('name', `no tensor can be named ${METADATA}`);
    if (!codeByDtype.has(dtype)) {
      throw refused(
        'dtype',
        `${name} has the dtype ${dtype}, which the format lacks`,
        'Save it as .pt, or convert the tensor first.',
      );
    }
    if (isHalved(dtype) && shape.length === 0) {
      throw refused('dtype', `${name} has no axis along which its halves of bytes could be told`);
    }
    if (isMeta(storage)) {
      throw refused('meta', `${name} is on the device meta: the file holds no elements of it`);
    }
  }
  return tensors;
}

function refused(code: string, message: string, advice = 'Save it as .pt.'): FindingError {
  return unwritable('safetensors', code, message, advice);
}
