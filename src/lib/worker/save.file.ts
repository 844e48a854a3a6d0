/** Writes one file and reads it back: to a place that was picked, or as a download. */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import type { Result } from '#lib/checkpoint/finding.ts';
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { tensorChunks, tensorRange } from '#lib/checkpoint/read_tensor.ts';
import { isMeta, numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import type { Value } from '#lib/checkpoint/value.ts';
import { Crc32 } from '#lib/file/crc32.ts';
import { ReadAhead } from '#lib/file/read_ahead.ts';
import { partsSink, type Sink } from '#lib/file/sink.ts';
import { summedSource } from '#lib/file/range_sums.ts';
import { blobSource } from '#lib/file/source.ts';
import type { Format } from '#lib/formats/format.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import { safetensors } from '#lib/formats/safetensors.ts';
import { judgeFile } from '#lib/formats/weights_only.file.ts';
import { tensorsIn } from '#lib/inspect/walk.ts';
import { ensureRoom, nameInOutbox, outbox, writeOpfs, type OpenFile } from '#lib/storage/opfs.ts';
import { mustEqual, summedSink, writeVerified, type Check } from '#lib/storage/verified.ts';
import type { Saved } from './protocol.ts';

export interface WriteArguments {
  readonly handle?: FileSystemFileHandle;
  /** Opens files of the browser's private disk; without it, downloads are made in memory. */
  readonly openFile?: OpenFile;
  readonly signal: AbortSignal;
  progress(progress: { bytes: number; total: number }): void;
}

interface FileToWrite {
  readonly format: Format;
  readonly stem: string;
  readonly name: string;
  /** In bytes. */
  readonly total: number;
  /** Free texts, beside those that readers ask for. */
  readonly texts?: ReadonlyMap<string, string>;
}

/** From this size on, a download is written to the browser's private disk instead of memory. */
const LARGE = 64 * 2 ** 20;

/** Writes a checkpoint as one file of some `total` bytes, and compares every tensor. */
export async function saveFile(
  root: Value,
  { format, stem, name, total, texts }: FileToWrite,
  args: WriteArguments,
): Promise<Saved> {
  const { handle, signal, progress } = args;
  const metadata = metadataFor(format, texts);
  const onProgress = (bytes: number) => progress({ bytes: Math.min(bytes, total), total });
  const writeTo = (sink: Sink) => format.write!(root, sink, { stem, metadata, signal, onProgress });
  const check: Check = async (file, written) => {
    // Named as it was meant: it may lie under another name until it is known to be good.
    const source = summedSource(blobSource(file, name));
    try {
      await compare(root, await openCheckpoint(source, signal), signal);
    } finally {
      // Other bytes than were written explain all else that is found, and are told instead of it.
      mustEqual(file, await source.whole(signal), written);
    }
  };
  return saved(await writeFile(name, total, writeTo, args, check), name, handle);
}

/** Free texts of a file, and what transformers asks of the safetensors files that it reads. */
export function metadataFor(
  format: Format,
  texts: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  return new Map(format === safetensors ? [['format', 'pt'], ...texts] : []);
}

export function saved(file: File, name: string, handle?: FileSystemFileHandle): Saved {
  return {
    name: handle?.name ?? name,
    bytes: file.size,
    verified: true,
    ...(!handle && { file }),
  };
}

/**
 * Writes to the handle; without one to the browser's private disk if it is much, or to a Blob, which
 * the browser may keep out of memory. `check` sees whether it is good.
 */
export async function writeFile(
  name: string,
  total: number,
  writeTo: (sink: Sink) => Promise<void>,
  { handle, openFile }: Pick<WriteArguments, 'handle' | 'openFile'>,
  check?: Check,
): Promise<File> {
  if (handle) return writeVerified(handle, writeTo, check);
  if (openFile && total >= LARGE) {
    const folder = await outbox();
    await ensureRoom(name, total);
    return writeOpfs(folder, nameInOutbox(name), writeTo, openFile, check);
  }
  const parts = partsSink();
  const { sink, sum } = summedSink(parts);
  await writeTo(sink);
  const file = new File(await parts.parts(), name);
  await check?.(file, sum);
  return file;
}

/** What torch writes: each storage once, whole. */
export function storedBytes(root: Value): number {
  const storages = new Set([...tensorsIn(root)].map(({ tensor }) => tensor.storage));
  const held = [...storages].filter((storage) => !isMeta(storage));
  return held.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** What safetensors and npz hold: the elements of each tensor. */
export function elementBytes(root: Value): number {
  return [...tensorsIn(root)].reduce(
    (sum, { tensor }) => sum + numel(tensor.shape) * itemsize(tensor.dtype),
    0,
  );
}

/** Compares every tensor of what was read back with what was to be written. */
export async function compare(
  root: Value,
  read: Result<{ checkpoint: Checkpoint }>,
  signal: AbortSignal,
): Promise<void> {
  if (!read.ok)
    throw new Error(`save: the written file does not open: ${read.findings[0]!.message}`);
  const written = new Map<string, Tensor>();
  for (const { path, tensor } of tensorsIn(read.checkpoint.root)) written.set(path, tensor);
  for (const { path, tensor } of tensorsIn(root)) {
    const back = written.get(path);
    if (!back || !(await isEqual(back, tensor, signal))) {
      throw new Error(`save: ${path} reads back differently`);
    }
  }
}

/** Asks the model of `weights_only` whether it takes what was written for it. */
export async function mustLoad(file: File, signal: AbortSignal): Promise<void> {
  const { verdict, reason } = await judgeFile(blobSource(file), signal);
  if (verdict === 'refused') {
    throw new Error(`save: PyTorch would refuse the written file, because ${reason?.message}`);
  }
}

async function isEqual(one: Tensor, two: Tensor, signal: AbortSignal): Promise<boolean> {
  if (one.dtype !== two.dtype || one.shape.join() !== two.shape.join()) return false;
  if (isMeta(one.storage) || isMeta(two.storage))
    return isMeta(one.storage) === isMeta(two.storage);
  // Laid out alike, the bytes that they span say it all: a view may repeat few bytes a lot.
  const alike =
    one.strides.join() === two.strides.join() && one.conj === two.conj && one.neg === two.neg;
  const [a, b] = await Promise.all([one, two].map((it) => checksum(it, alike, signal)));
  return a === b;
}

async function checksum(tensor: Tensor, asStored: boolean, signal: AbortSignal): Promise<number> {
  const chunks = asStored
    ? new ReadAhead([tensorRange(tensor)], signal).next()
    : tensorChunks(tensor, signal);
  const crc = new Crc32();
  for await (const chunk of chunks) await crc.add(chunk);
  return crc.value;
}
