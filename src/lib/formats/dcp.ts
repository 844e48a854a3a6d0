/**
 * Reads a folder of torch.distributed.checkpoint: `.metadata` says which tensors there are and in
 * which bytes of which `.distcp` file each of their chunks lies, as a file of torch.save inside of
 * that file. What is no tensor is such a file, too. Nothing is read of the chunks before a tensor is.
 */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { contiguousStrides, type Tensor } from '#lib/checkpoint/tensor.ts';
import { isTensor, type Value } from '#lib/checkpoint/value.ts';
import { sliceSource } from '#lib/file/source.ts';
import { chunkedStorage, type Block } from './dcp.chunks.ts';
import {
  dcpClasses,
  parseDcpMetadata,
  type Blob,
  type DcpMetadata,
  type TensorEntry,
} from './dcp.metadata.ts';
import { NestedDict } from './dcp.nested.ts';
import { listed, mergedReport, type Files } from './folder.files.ts';
import { openPart } from './index.ts';
import { interpret } from './torch.interpret.ts';
import { judgedPickle } from './torch.safety.ts';

/** `.metadata` is read as a whole; that of a model with a million chunks takes some 200 MB. */
const MAX_METADATA = 2 ** 30;
/** Objects are read on opening: numbers, texts, lists of a training state. */
const MAX_OBJECTS = 2 ** 28;

export async function readDcp(
  name: string,
  files: Files,
  signal?: AbortSignal,
): Promise<Checkpoint> {
  const { metadata, report } = await readMetadata(files, signal);
  checkBlobs(metadata, files);
  const nested = new NestedDict();
  const parts: Pick<Checkpoint, 'findings' | 'calls'>[] = [report];
  for (const [key, entry] of metadata.entries) {
    let value: Value;
    if (entry.kind === 'tensor') {
      value = tensorOf(key, entry, files);
    } else {
      const object = await openBlob(entry.blob, files, signal);
      parts.push(object);
      value = object.root;
    }
    nested.set(metadata.paths.get(key) ?? [key], value);
  }
  const used = [...new Set(blobsOf(metadata).map(({ path }) => path)), '.metadata'];
  return {
    name,
    format: 'dcp',
    size: used.reduce((sum, path) => sum + files.get(path)!.size, 0),
    root: nested.root,
    metadata: new Map([['files', String(used.length)]]),
    ...mergedReport(parts),
  };
}

async function readMetadata(files: Files, signal?: AbortSignal) {
  const source = files.get('.metadata');
  if (!source) {
    throw new FindingError({
      code: 'dcp-no-metadata',
      where: '.metadata',
      message: 'dcp: the file .metadata is missing, which says where each tensor lies',
      advice:
        'Drop the folder itself: pickers of files do not show names that begin with a period.',
    });
  }
  if (source.size > MAX_METADATA) {
    throw new Error(`dcp: .metadata takes ${source.size} bytes, the limit is ${MAX_METADATA}`);
  }
  const bytes = await source.read(0, source.size, signal);
  const { pickle, findings, calls } = judgedPickle(bytes);
  const root = interpret(pickle.value, ({ key }) => {
    throw new Error(`dcp: .metadata refers to a storage ${JSON.stringify(key)}`);
  });
  const report = {
    // Its own classes are no news: this pickle is for pickle.load, not for weights_only.
    findings: findings.filter(({ where }) => !dcpClasses.has(where ?? '')),
    calls: calls.map((call) => ({ ...call, allowed: call.allowed || dcpClasses.has(call.name) })),
  };
  return { metadata: parseDcpMetadata(root), report };
}

function blobsOf({ entries }: DcpMetadata): Blob[] {
  return [...entries.values()].flatMap((entry) =>
    entry.kind === 'object' ? [entry.blob] : entry.chunks.map(({ blob }) => blob),
  );
}

/** Every file is there, and holds as many bytes as all that is said to lie in it. */
function checkBlobs(metadata: DcpMetadata, files: Files): void {
  const blobs = blobsOf(metadata);
  const missing = [...new Set(blobs.map(({ path }) => path))].filter((path) => !files.has(path));
  if (missing.length > 0) {
    throw new FindingError({
      code: 'dcp-file-missing',
      where: missing[0],
      message: `dcp: ${missing.length} of its files are missing: ${listed(missing)}`,
      advice: 'Drop the folder with the files of all ranks.',
    });
  }
  const taken = new Map<string, number>();
  for (const { path, offset, length } of blobs) {
    const { size } = files.get(path)!;
    const sum = (taken.get(path) ?? 0) + length;
    taken.set(path, sum);
    if (offset + length > size || sum > size) {
      throw new FindingError({
        code: 'dcp-range',
        where: path,
        message:
          sum > size
            ? `dcp: ${path} holds ${size} bytes, its entries take ${sum} and more`
            : `dcp: ${path} ends at byte ${size}, an entry lies at ${offset}..${offset + length}`,
        advice: 'The file is cut or of another save: get the folder again.',
      });
    }
  }
  const objects = [...metadata.entries.values()].filter((entry) => entry.kind === 'object');
  const bytes = objects.reduce((sum, { blob }) => sum + blob.length, 0);
  if (bytes > MAX_OBJECTS) {
    throw new Error(`dcp: its objects take ${bytes} bytes, the limit is ${MAX_OBJECTS}`);
  }
}

/** A blob as the file that torch.save wrote. */
async function openBlob(
  { path, offset, length }: Blob,
  files: Files,
  signal?: AbortSignal,
): Promise<Checkpoint> {
  const place = `${path}:${offset}`;
  const part = await openPart(
    sliceSource(files.get(path)!, offset, offset + length, place),
    signal,
  );
  if (part.format !== 'torch' && part.format !== 'torch-legacy') {
    throw chunkError(place, `is no file of torch.save but ${part.format}`);
  }
  return part;
}

function tensorOf(key: string, { dtype, shape, chunks }: TensorEntry, files: Files): Tensor {
  const storage = chunkedStorage(
    key,
    dtype,
    shape,
    chunks.map(({ offsets, sizes, blob }) => {
      let opened: Tensor | undefined;
      return {
        offsets,
        sizes,
        open: async (signal) =>
          (opened ??= await openChunk(key, dtype, { sizes, blob }, files, signal)),
      };
    }),
  );
  return {
    kind: 'tensor',
    dtype,
    shape,
    strides: contiguousStrides(shape),
    offset: 0,
    storage,
    requiresGrad: false,
    parameter: false,
  };
}

async function openChunk(
  key: string,
  dtype: Tensor['dtype'],
  { sizes, blob }: Pick<Block, 'sizes'> & { blob: Blob },
  files: Files,
  signal?: AbortSignal,
): Promise<Tensor> {
  const { root } = await openBlob(blob, files, signal);
  const place = `${blob.path}:${blob.offset}`;
  if (!isTensor(root)) throw chunkError(place, `holds no plain tensor for ${JSON.stringify(key)}`);
  if (root.dtype !== dtype || root.shape.join() !== sizes.join()) {
    throw chunkError(
      place,
      `holds ${root.dtype} [${root.shape.join(', ')}], ${JSON.stringify(key)} needs ${dtype} [${sizes.join(', ')}]`,
    );
  }
  return root;
}

function chunkError(place: string, what: string): FindingError {
  return new FindingError({
    code: 'dcp-chunk',
    where: place,
    message: `dcp: ${place} ${what}`,
    advice: 'The folder is damaged or mixed from several saves: get it again.',
  });
}
