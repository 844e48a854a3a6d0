/** What can be saved, how it is written, and the check that it reads back. */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { tensorChunks, tensorRange } from '#lib/checkpoint/read_tensor.ts';
import { numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, isDict, isTensor, type Value } from '#lib/checkpoint/value.ts';
import type { StateDictCandidate } from '#lib/architecture/binding.ts';
import { ReadAhead } from '#lib/file/read_ahead.ts';
import { Crc32 } from '#lib/file/crc32.ts';
import { memorySink, type Sink } from '#lib/file/sink.ts';
import { blobSource } from '#lib/file/source.ts';
import type { Format } from '#lib/formats/format.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import { npz } from '#lib/formats/npz.ts';
import { safetensors } from '#lib/formats/safetensors.ts';
import { torch } from '#lib/formats/torch.read.ts';
import { judgeFile } from '#lib/formats/weights_only.file.ts';
import { tensorsIn } from '#lib/inspect/walk.ts';
import { ensureRoom, outbox, writeOpfs, type OpenFile } from '#lib/storage/opfs.ts';
import { writeVerified } from '#lib/storage/verified.ts';
import { itemsize } from '#lib/checkpoint/dtype.ts';
import type { SaveChoice, Saved } from './protocol.ts';
import { plainTree, toldChanges } from './plain.ts';
import { trainedCheckpoint, trainedWeights } from './trained.ts';
import type { Workbench } from './workbench.ts';

export interface SaveSource {
  readonly checkpoint: Checkpoint | null;
  /** The state_dict that counts as the model. */
  readonly stateDict: StateDictCandidate | null;
  readonly bench: Workbench | null;
}

export interface WriteArguments {
  readonly handle?: FileSystemFileHandle;
  /** Opens files of the browser's private disk; without it, downloads are made in memory. */
  readonly openFile?: OpenFile;
  readonly signal: AbortSignal;
  progress(progress: { bytes: number; total: number }): void;
}

export type Save = SaveChoice & { write(args: WriteArguments): Promise<Saved> };

/** From this size on, a download is written to the browser's private disk instead of memory. */
const LARGE = 64 * 2 ** 20;

/** Everything that can be saved now. */
export function saveChoices({ checkpoint, stateDict, bench }: SaveSource): Save[] {
  if (!checkpoint) return [];
  const stem = stemOf(checkpoint.name);
  const choices: Save[] = [];
  for (const which of ['best', 'last'] as const) {
    const kept = bench?.[which];
    if (!bench || !kept) continue;
    const { epoch, loss } = kept.metrics;
    const base = baseOf(stem) || bench.module.name.toLowerCase();
    const name = `${base}_${which}_epoch${epoch}_valloss${loss.toFixed(4)}`;
    const weights = once(() => trainedWeights(bench, kept, 'model'));
    const full = once(() => trainedCheckpoint(checkpoint, bench, kept));
    choices.push(
      choice({ which, contents: 'checkpoint', format: 'pt', stem: name }, full),
      choice({ which, contents: 'weights', format: 'pt', stem: `${name}_weights` }, weights),
      choice({ which, contents: 'weights', format: 'safetensors', stem: name }, weights),
      choice({ which, contents: 'weights', format: 'npz', stem: name }, weights),
    );
  }
  const weights = stateDict && once(() => onlyTensors(stateDict.dict));
  choices.push(
    choice({ which: 'opened', contents: 'checkpoint', format: 'pt', stem }, () => checkpoint.root),
  );
  const plain = plainTree(checkpoint);
  if (plain) {
    const parts = { which: 'opened', contents: 'plain', format: 'pt' } as const;
    const made = choice({ ...parts, stem: `${stem}_plain` }, () => plain.root);
    const write = async (args: WriteArguments) => {
      const saved = await made.write(args);
      await mustLoad(saved.file ?? (await args.handle!.getFile()), args.signal);
      return saved;
    };
    choices.push({ ...made, write, description: toldChanges(plain), changes: [...plain.changes] });
  }
  if (weights) {
    choices.push(
      choice(
        { which: 'opened', contents: 'weights', format: 'pt', stem: `${stem}_weights` },
        weights,
      ),
      choice({ which: 'opened', contents: 'weights', format: 'safetensors', stem }, weights),
      choice({ which: 'opened', contents: 'weights', format: 'npz', stem }, weights),
    );
  }
  return choices;
}

function stemOf(name: string): string {
  return name.replace(/\.[^.]+$/, '') || 'checkpoint';
}

/** What a name says beside best, last, epoch and metric, so that these do not pile up. */
function baseOf(stem: string): string {
  return stem.replace(/(^|_)(best|last)(_epoch\d+)?(_valloss[\d.]+)?(_weights)?$/, '');
}

const writers: Readonly<Record<SaveChoice['format'], Format>> = { pt: torch, safetensors, npz };

const descriptions = {
  'checkpoint pt': 'Model, optimizer, epoch, metrics and versions: training goes on from it.',
  'weights pt': 'The state_dict alone, for torch.load and load_state_dict.',
  'weights safetensors':
    'The state_dict alone, in a format that holds nothing that could run. Tied tensors are written out under each name.',
  'weights npz':
    'The state_dict alone as arrays, for numpy.load. NumPy has no bfloat16 and no float8.',
  'checkpoint safetensors': '',
  'checkpoint npz': '',
  'plain pt': 'The tensors and plain values: what torch.load takes with weights_only=True.',
  'plain safetensors': '',
  'plain npz': '',
};

function choice(
  parts: Pick<SaveChoice, 'which' | 'contents' | 'format'> & { stem: string },
  tree: () => Value,
): Save {
  const { which, contents, format, stem } = parts;
  const name = `${stem}.${format}`;
  return {
    id: `${which}-${contents}-${format}`,
    which,
    contents,
    format,
    name,
    description:
      which === 'opened' && contents === 'checkpoint'
        ? 'Everything that is in the file, written anew.'
        : descriptions[`${contents} ${format}`],
    write: (args) => {
      const root = format === 'pt' ? tree() : untied(tree());
      return write(root, writers[format], stem, name, args);
    },
  };
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

async function write(
  root: Value,
  format: Format,
  stem: string,
  name: string,
  { handle, openFile, signal, progress }: WriteArguments,
): Promise<Saved> {
  const total = format === torch ? storedBytes(root) : elementBytes(root);
  const metadata = new Map(format === safetensors ? [['format', 'pt']] : []);
  const onProgress = (bytes: number) => progress({ bytes: Math.min(bytes, total), total });
  const writeTo = (sink: Sink) => format.write!(root, sink, { stem, metadata, signal, onProgress });
  let file: File;
  if (handle) {
    file = await writeVerified(handle, writeTo);
  } else if (openFile && total >= LARGE) {
    const folder = await outbox();
    await ensureRoom(name, total);
    file = await writeOpfs(folder, name, writeTo, openFile);
  } else {
    const sink = memorySink();
    await writeTo(sink);
    file = new File([sink.bytes()], name);
  }
  await verify(root, file, signal);
  return {
    name: handle?.name ?? name,
    bytes: file.size,
    verified: true,
    ...(!handle && { file }),
  };
}

/** What torch writes: each storage once, whole. */
function storedBytes(root: Value): number {
  const storages = new Set([...tensorsIn(root)].map(({ tensor }) => tensor.storage));
  return [...storages].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** What safetensors and npz hold: the elements of each tensor. */
function elementBytes(root: Value): number {
  return [...tensorsIn(root)].reduce(
    (sum, { tensor }) => sum + numel(tensor.shape) * itemsize(tensor.dtype),
    0,
  );
}

/** Opens the written file and compares every tensor with what was to be written. */
async function verify(root: Value, file: File, signal: AbortSignal): Promise<void> {
  const result = await openCheckpoint(blobSource(file), signal);
  if (!result.ok)
    throw new Error(`save: the written file does not open: ${result.findings[0]!.message}`);
  const written = new Map<string, Tensor>();
  for (const { path, tensor } of tensorsIn(result.checkpoint.root)) written.set(path, tensor);
  for (const { path, tensor } of tensorsIn(root)) {
    const read = written.get(path);
    if (!read || !(await isEqual(read, tensor, signal))) {
      throw new Error(`save: ${path} reads back differently`);
    }
  }
}

/** Asks the model of `weights_only` whether it takes what was written for it. */
async function mustLoad(file: File, signal: AbortSignal): Promise<void> {
  const { verdict, reason } = await judgeFile(blobSource(file), signal);
  if (verdict === 'refused') {
    throw new Error(`save: PyTorch would refuse the written file, because ${reason?.message}`);
  }
}

async function isEqual(one: Tensor, two: Tensor, signal: AbortSignal): Promise<boolean> {
  if (one.dtype !== two.dtype || one.shape.join() !== two.shape.join()) return false;
  // Laid out alike, the bytes that they span say it all: a view may repeat few bytes a lot.
  const alike = one.strides.join() === two.strides.join();
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

/** A state_dict whose tensors are all objects of their own: other formats write each by itself. */
function untied(root: Value): Value {
  if (!isDict(root)) return root;
  return new Dict(
    [...root.entries()].map(([key, value]) => [key, isTensor(value) ? { ...value } : value]),
  );
}

/** The tensors of a state_dict, its `_metadata` and order kept. */
function onlyTensors(dict: Dict): Dict {
  const tensors = new Dict(
    [...dict.entries()].filter(([, value]) => isTensor(value)),
    dict.type,
  );
  tensors.attributes = dict.attributes;
  return tensors;
}
