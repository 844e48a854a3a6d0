/**
 * Does with a file what the lab would do: opens it, walks it, reads its tensors, writes it again,
 * scans it. Whatever the file holds, the outcome is a checkpoint or findings, soon, and within a
 * memory budget; a sentence that an engine wrote instead of the lab is a crash.
 */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { findingOf, type Finding } from '#lib/checkpoint/finding.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { memorySink } from '#lib/file/sink.ts';
import { bytesSource, type Source } from '#lib/file/source.ts';
import { openFolder } from '#lib/formats/folder.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import type { Format } from '#lib/formats/format.ts';
import { npy } from '#lib/formats/npy.ts';
import { npz } from '#lib/formats/npz.ts';
import { safetensors } from '#lib/formats/safetensors.ts';
import { torchLegacy } from '#lib/formats/torch.legacy.ts';
import { torch } from '#lib/formats/torch.read.ts';
import { DANGEROUS } from '#lib/formats/torch.safety.ts';
import { scan } from '#lib/inspect/safety/scan.ts';
import { tensorsIn } from '#lib/inspect/walk.ts';
import { Outline } from '#lib/worker/outline.ts';
import type { Input } from './plans.ts';

/** Nothing that a small file says may take longer, of the time that the thread itself works. */
const MAX_MILLISECONDS = 2000;
/** Nor longer in all: other programs take their share of a busy machine, but not this much. */
const MAX_WAIT = 10 * MAX_MILLISECONDS;
/** Memory that a file of a few KB may take for a while: heap and buffers together. */
const MAX_BYTES = 256 * 2 ** 20;
/** Larger tensors (an expanded view can be huge) are not read, as the page would not. */
const MAX_TENSOR = 2 ** 20;
const MAX_TENSORS = 20;
const MAX_ROWS = 200;
/** How often a file may be read from end to end, by opening and by scanning it. */
const READINGS = 8;
/** What may be read beyond that: ends of files are searched and pickles read in steps. */
const READ_AHEAD = 2 ** 20;
const writers = [torch, torchLegacy, safetensors, npz, npy];

/** What engines say when code trips over its data. */
const crashed =
  /cannot read prop|is not a function|is not iterable|is not defined|call stack|invalid (typed )?array (buffer )?length|invalid array|array buffer allocation|out of bounds|out of memory|cannot convert|cannot mix|is not a constructor|undefined|\[object |offset is outside|maximum.*exceeded|invalid string length|maximum size/i;

/** What became of an input: `checkpoint`, or the code of its first finding. */
export async function exercise(input: Input): Promise<string> {
  const { name } = input;
  const before = memory();
  const started = performance.now();
  const working = process.threadCpuUsage();
  const outcome = await everything(input);
  const { user, system } = process.threadCpuUsage(working);
  const [worked, waited] = [(user + system) / 1000, performance.now() - started];
  if (worked > MAX_MILLISECONDS || waited > MAX_WAIT) {
    throw new Error(
      `${name}: took ${Math.round(worked)} ms of work, ${Math.round(waited)} ms in all`,
    );
  }
  const grown = memory() - before;
  if (grown > MAX_BYTES) throw new Error(`${name}: took ${Math.round(grown / 2 ** 20)} MiB`);
  return outcome;
}

function memory(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

async function everything({ name, files, isFolder }: Input): Promise<string> {
  const signal = AbortSignal.timeout(MAX_WAIT);
  const budget = new ReadBudget(files.reduce((sum, { bytes }) => sum + bytes.length, 0));
  const sources = files.map((file) => ({
    path: file.name,
    source: budget.watch(bytesSource(file.bytes, file.name)),
  }));
  const opening = isFolder
    ? openFolder(name, sources, signal)
    : openCheckpoint(sources[0]!.source, signal);
  const result = await opening;
  budget.check(`opening ${name}`);
  if (result.ok) await use(result.checkpoint, name, signal);
  else if (result.findings.length === 0) throw new Error(`${name}: refused without a finding`);
  const findings = result.ok ? result.checkpoint.findings : result.findings;
  findings.forEach(check);
  if (!isFolder) await scanned(sources[0]!.source, findings, budget, signal);
  return result.ok ? 'checkpoint' : findings[0]!.code;
}

/** Counts what is asked of sources: a small file has no reason to have itself read again and again. */
class ReadBudget {
  readonly #limit: number;
  #asked = 0;

  constructor(size: number) {
    this.#limit = READINGS * size + READ_AHEAD;
  }

  watch(source: Source): Source {
    return {
      ...source,
      read: (start, end, signal) => {
        this.#asked += Math.max(0, end - start);
        return source.read(start, end, signal);
      },
    };
  }

  /** Throws where more was asked for since the last check. */
  check(what: string): void {
    if (this.#asked > this.#limit) {
      throw new Error(`${what} reads ${this.#asked} bytes, the limit is ${this.#limit}`);
    }
    this.#asked = 0;
  }
}

/** What the pages do with a checkpoint: rows of the tree, elements of tensors, files to save. */
async function use(checkpoint: Checkpoint, name: string, signal: AbortSignal): Promise<void> {
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
}

/** The safety scan comes to a verdict, and to none that a name which runs commands contradicts. */
async function scanned(
  source: Source,
  findings: readonly Finding[],
  budget: ReadBudget,
  signal: AbortSignal,
): Promise<void> {
  const { report } = await scan(source, signal);
  budget.check(`scanning ${source.name}`);
  for (const { code, message } of report.findings) {
    if (crashed.test(message)) throw new Error(`a crash in the scan (${code}): ${message}`);
  }
  const isDangerous = findings.some(({ code }) => code === DANGEROUS);
  if (isDangerous && (report.verdict === 'loads' || report.verdict === 'plain')) {
    throw new Error(`${source.name}: the scan says "${report.verdict}" of a file that names harm`);
  }
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
