/**
 * What can be saved, and the trees that are written. A full checkpoint keeps the shape of the one
 * that was opened, with the new model, optimizer, epoch and metrics in their places, so that the
 * script that wrote it can go on from it.
 */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { findOptimizer } from '#lib/checkpoint/optimizer.ts';
import { numel, readTensor, tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, isDict, isTensor, type Value } from '#lib/checkpoint/value.ts';
import type { StateDictCandidate } from '#lib/architecture/binding.ts';
import { crc32 } from '#lib/file/crc32.ts';
import { memorySink, type Sink } from '#lib/file/sink.ts';
import { blobSource } from '#lib/file/source.ts';
import type { Format } from '#lib/formats/format.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import { safetensors } from '#lib/formats/safetensors.ts';
import { torch } from '#lib/formats/torch.read.ts';
import { tensorsIn } from '#lib/inspect/walk.ts';
import { temporaryHandle, writeVerified } from '#lib/storage/verified.ts';
import type { Kept } from '#lib/training/session.ts';
import { itemsize } from '#lib/checkpoint/dtype.ts';
import type { SaveChoice, Saved } from './protocol.ts';
import type { Workbench } from './workbench.ts';

export interface SaveSource {
  readonly checkpoint: Checkpoint | null;
  /** The state_dict that counts as the model. */
  readonly stateDict: StateDictCandidate | null;
  readonly bench: Workbench | null;
}

export interface WriteArguments {
  readonly handle?: FileSystemFileHandle;
  readonly signal: AbortSignal;
  progress(progress: { bytes: number; total: number }): void;
}

export type Save = SaveChoice & { write(args: WriteArguments): Promise<Saved> };

/** From this size on, a download is written to the browser's private disk instead of memory. */
const LARGE = 64 * 2 ** 20;

/** Everything that can be saved now. */
export function saveChoices({ checkpoint, stateDict, bench }: SaveSource): Save[] {
  if (!checkpoint) return [];
  const stem = checkpoint.name.replace(/\.[^.]+$/, '') || 'checkpoint';
  const choices: Save[] = [];
  for (const which of ['best', 'last'] as const) {
    const kept = bench?.[which];
    if (!bench || !kept) continue;
    const { epoch, loss } = kept.metrics;
    const name = `${stem}_${which}_epoch${epoch}_valloss${loss.toFixed(4)}`;
    const weights = once(() => trainedWeights(bench, kept, 'model'));
    const full = once(() => trainedCheckpoint(checkpoint, bench, kept));
    choices.push(
      choice({ which, contents: 'checkpoint', format: 'pt', stem: name }, full),
      choice({ which, contents: 'weights', format: 'pt', stem: `${name}_weights` }, weights),
      choice({ which, contents: 'weights', format: 'safetensors', stem: name }, weights),
    );
  }
  const weights = stateDict && once(() => onlyTensors(stateDict.dict));
  choices.push(
    choice({ which: 'opened', contents: 'checkpoint', format: 'pt', stem }, () => checkpoint.root),
  );
  if (weights) {
    choices.push(
      choice(
        { which: 'opened', contents: 'weights', format: 'pt', stem: `${stem}_weights` },
        weights,
      ),
      choice({ which: 'opened', contents: 'weights', format: 'safetensors', stem }, weights),
    );
  }
  return choices;
}

const descriptions = {
  'checkpoint pt': 'Model, optimizer, epoch, metrics and versions: training goes on from it.',
  'weights pt': 'The state_dict alone, for torch.load and load_state_dict.',
  'weights safetensors': 'The state_dict alone, in a format that holds nothing that could run.',
  'checkpoint safetensors': '',
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
    write: (args) => write(tree(), format === 'pt' ? torch : safetensors, stem, name, args),
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
  { handle, signal, progress }: WriteArguments,
): Promise<Saved> {
  const total = [...tensorsIn(root)].reduce(
    (sum, { tensor }) => sum + numel(tensor.shape) * itemsize(tensor.dtype),
    0,
  );
  const metadata = new Map(format === safetensors ? [['format', 'pt']] : []);
  const onProgress = (bytes: number) => progress({ bytes: Math.min(bytes, total), total });
  const writeTo = (sink: Sink) => format.write!(root, sink, { stem, metadata, signal, onProgress });
  let file: File;
  const target = handle ?? (total >= LARGE ? await temporaryHandle(name) : undefined);
  if (target) {
    file = await writeVerified(target, writeTo);
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

/** Opens the written file and compares every tensor with what was to be written. */
async function verify(root: Value, file: File, signal: AbortSignal): Promise<void> {
  const result = await openCheckpoint(blobSource(file), signal);
  if (!result.ok)
    throw new Error(`save: the written file does not open: ${result.findings[0]!.message}`);
  const written = await checksums(result.checkpoint.root, signal);
  const expected = await checksums(root, signal);
  for (const [path, sum] of expected) {
    if (written.get(path) !== sum) throw new Error(`save: ${path} reads back differently`);
  }
  if (written.size !== expected.size) {
    throw new Error(`save: ${written.size} tensors read back, ${expected.size} were written`);
  }
}

async function checksums(root: Value, signal: AbortSignal): Promise<Map<string, string>> {
  const sums = new Map<string, string>();
  for (const { path, tensor } of tensorsIn(root)) {
    const crc = crc32(await readTensor(tensor, signal));
    sums.set(path, `${tensor.dtype} ${tensor.shape.join('x')} ${crc}`);
  }
  return sums;
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

/**
 * The kept weights as a state_dict: named as in the file, or as the model names them (without
 * `module.`). A tensor that the file ties stays tied.
 */
function trainedWeights(bench: Workbench, kept: Kept, names: 'file' | 'model'): Dict {
  const original = bench.stateDict.dict;
  const made = new Map<Float32Array, Tensor>();
  const state = new Dict([], original.type);
  for (const { key, shape, dtype } of bench.module.state) {
    const bound = bench.binding.matched.get(key);
    const options = {
      parameter: bound?.tensor.parameter,
      requiresGrad: bound?.tensor.requiresGrad,
    };
    const name = names === 'file' ? bound?.fileKey || key : key;
    const counter = kept.weights.counters.get(key);
    if (counter !== undefined) {
      const bytes = new Uint8Array(BigInt64Array.of(counter).buffer);
      state.set(name, tensorFromBytes(bytes, 'int64', shape, options));
      continue;
    }
    const values = kept.weights.floats.get(key);
    if (!values) throw new Error(`save: no value for ${key} (${dtype})`);
    let tensor = made.get(values);
    if (!tensor) {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      made.set(values, (tensor = tensorFromBytes(bytes, 'float32', shape, options)));
    }
    state.set(name, tensor);
  }
  state.attributes = original.attributes;
  return state;
}

/** Keys under which training scripts keep the last loss and the metrics. */
const METRICS = ['metrics', 'metric'];

function trainedCheckpoint(checkpoint: Checkpoint, bench: Workbench, kept: Kept): Value {
  const { epoch, loss, accuracy, trainLoss } = kept.metrics;
  const { path } = bench.stateDict;
  const weights = trainedWeights(bench, kept, 'file');
  const numbers = { train_loss: trainLoss, val_loss: loss, val_accuracy: accuracy };
  const versions = new Dict([['weightroom', VERSION]]);
  if (!isDict(checkpoint.root) || path.length === 0) {
    return new Dict([
      ['model', weights],
      ['optimizer', kept.optimizer],
      ['epoch', BigInt(epoch)],
      ['metrics', new Dict(Object.entries(numbers))],
      ['versions', versions],
    ]);
  }
  const root = new Dict(replaceAt(checkpoint.root, path, weights).entries(), checkpoint.root.type);
  root.attributes = checkpoint.root.attributes;
  root.set(findOptimizer(root)?.key ?? 'optimizer', kept.optimizer);
  root.set('epoch', BigInt(epoch));
  if (typeof root.get('loss') === 'number') root.set('loss', trainLoss);
  const metrics = METRICS.find((key) => isDict(root.get(key))) ?? 'metrics';
  root.set(metrics, merged(root.get(metrics), numbers));
  root.set('versions', merged(root.get('versions'), { weightroom: VERSION }));
  return root;
}

/** Version of the lab, as package.json has it. */
const VERSION = __APP_VERSION__;

function merged(old: Value | undefined, entries: Record<string, Value>): Dict {
  const dict = new Dict(isDict(old) ? old.entries() : []);
  for (const [key, value] of Object.entries(entries)) dict.set(key, value);
  return dict;
}

/** A copy of `dict` along `path`, with `value` at its end. */
function replaceAt(dict: Dict, [key, ...rest]: readonly string[], value: Value): Dict {
  const copy = new Dict(dict.entries(), dict.type);
  copy.attributes = dict.attributes;
  const inner = copy.get(key!);
  copy.set(key!, rest.length > 0 && isDict(inner) ? replaceAt(inner, rest, value) : value);
  return copy;
}
