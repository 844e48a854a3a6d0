/**
 * Does with a file what the lab would do: opens it, walks it, reads its tensors, writes it again.
 * Whatever the file holds, the outcome is a checkpoint or findings, soon, and within a
 * memory budget; a sentence that an engine wrote instead of the lab is a crash.
 */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { findingOf, type Finding } from '#lib/checkpoint/finding.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { memorySink } from '#lib/file/sink.ts';
import { bytesSource } from '#lib/file/source.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import type { Format } from '#lib/formats/format.ts';
import { npy } from '#lib/formats/npy.ts';
import { npz } from '#lib/formats/npz.ts';
import { safetensors } from '#lib/formats/safetensors.ts';
import { torch } from '#lib/formats/torch.read.ts';
import { tensorsIn } from '#lib/inspect/walk.ts';
import { Outline } from '#lib/worker/outline.ts';

/** Nothing that a small file says may take longer. */
const MAX_MILLISECONDS = 2000;
/** Memory that a file of a few KB may take for a while: heap and buffers together. */
const MAX_BYTES = 256 * 2 ** 20;
/** Larger tensors (an expanded view can be huge) are not read, as the page would not. */
const MAX_TENSOR = 2 ** 20;
const MAX_TENSORS = 20;
const MAX_ROWS = 200;
const writers = [torch, safetensors, npz, npy];

/** What engines say when code trips over its data. */
const crashed =
  /cannot read prop|is not a function|is not iterable|is not defined|call stack|invalid (typed )?array (buffer )?length|invalid array|array buffer allocation|out of bounds|out of memory|cannot convert|cannot mix|is not a constructor|undefined|\[object |offset is outside|maximum.*exceeded|invalid string length|maximum size/i;

/** What became of a file: `checkpoint`, or the code of its first finding. */
export async function exercise(bytes: Uint8Array, name: string): Promise<string> {
  const before = memory();
  const started = performance.now();
  const outcome = await everything(bytes, name);
  const took = performance.now() - started;
  if (took > MAX_MILLISECONDS) throw new Error(`${name}: took ${Math.round(took)} ms`);
  const grown = memory() - before;
  if (grown > MAX_BYTES) throw new Error(`${name}: took ${Math.round(grown / 2 ** 20)} MiB`);
  return outcome;
}

function memory(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

async function everything(bytes: Uint8Array, name: string): Promise<string> {
  const source = bytesSource(bytes, name);
  const signal = AbortSignal.timeout(10 * MAX_MILLISECONDS);
  const result = await openCheckpoint(source, signal);
  if (!result.ok) {
    if (result.findings.length === 0) throw new Error(`${name}: refused without a finding`);
    result.findings.forEach(check);
    return result.findings[0]!.code;
  }
  const { checkpoint } = result;
  checkpoint.findings.forEach(check);
  const outline = new Outline(checkpoint.root, undefined);
  let rows = [outline.root];
  for (let depth = 0; depth < 6; depth++) {
    rows = rows.flatMap(({ id }) => outline.children(id, 0, 20)).slice(0, MAX_ROWS);
  }
  let read = 0;
  for (const { tensor } of tensorsIn(checkpoint.root)) {
    if (++read > MAX_TENSORS) break;
    const size = numel(tensor.shape) * itemsize(tensor.dtype);
    if (size > MAX_TENSOR) continue;
    const elements = await said(() => readTensor(tensor, signal));
    if (elements && elements.length !== size) {
      throw new Error(`${name}: read ${elements.length} bytes of a tensor of ${size}`);
    }
  }
  if (checkpoint.size < MAX_TENSOR) {
    for (const format of writers) await writeAgain(format, checkpoint, signal);
  }
  return 'checkpoint';
}

/** Writes a checkpoint in a format: it opens again, or a sentence says what cannot be written. */
async function writeAgain(
  format: Format,
  { root, metadata }: Checkpoint,
  signal: AbortSignal,
): Promise<void> {
  const sink = memorySink();
  const options = { stem: 'again', metadata, signal };
  const written = await said(() => format.write!(root, sink, options).then(() => true));
  if (!written) return;
  const result = await openCheckpoint(bytesSource(sink.bytes(), `again.${format.name}`), signal);
  if (!result.ok) {
    throw new Error(`the written ${format.name} does not open: ${result.findings[0]!.message}`);
  }
}

/** The result, or undefined where it ends in a sentence of the lab's own. */
async function said<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    check(findingOf(error));
    return undefined;
  }
}

function check({ code, message }: Finding): void {
  if (crashed.test(message) || !/^\S.*: \S/s.test(message)) {
    throw new Error(`a crash instead of a finding (${code}): ${message}`);
  }
}
