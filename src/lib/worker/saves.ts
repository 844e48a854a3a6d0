/** What can be saved, and in which forms. */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { findingOf, type Finding } from '#lib/checkpoint/finding.ts';
import { Dict, isSparse, isTensor, type Value } from '#lib/checkpoint/value.ts';
import type { StateDictCandidate } from '#lib/architecture/binding.ts';
import type { Format } from '#lib/formats/format.ts';
import { npz } from '#lib/formats/npz.ts';
import { safetensors } from '#lib/formats/safetensors.ts';
import { torchLegacy } from '#lib/formats/torch.legacy.ts';
import { torch } from '#lib/formats/torch.read.ts';
import type { ShardKind } from '#lib/formats/sharded.write.ts';
import { tensorsIn } from '#lib/inspect/walk.ts';
import { bareTensors } from './conversion.ts';
import { shown } from './lab.state.ts';
import { dtypeLosses } from './losses.ts';
import { plainTree, toldChanges, type PlainTree } from './plain.ts';
import type { SaveChoice, Saved } from './protocol.ts';
import { elementBytes, mustLoad, saveFile, storedBytes } from './save.file.ts';
import { saveShards, type ShardArguments } from './save.shards.ts';
import { trainedCheckpoint, trainedWeights } from './trained.ts';
import type { Workbench } from './workbench.ts';

export interface SaveSource {
  readonly checkpoint: Checkpoint | null;
  /** The state_dict that counts as the model. */
  readonly stateDict: StateDictCandidate | null;
  readonly bench: Workbench | null;
}

export type Save = SaveChoice & { write(args: ShardArguments): Promise<Saved> };

interface Form extends Pick<SaveChoice, 'contents' | 'format'> {
  readonly writer: Format | { readonly shards: ShardKind };
  readonly description: string;
}

/** The forms of a checkpoint and of its state_dict, those that most people want first. */
const forms: readonly Form[] = [
  {
    contents: 'checkpoint',
    format: 'pt',
    writer: torch,
    description: 'Model, optimizer, epoch, metrics and versions: training goes on from it.',
  },
  {
    contents: 'weights',
    format: 'pt',
    writer: torch,
    description: 'The state_dict alone, for torch.load and load_state_dict.',
  },
  {
    contents: 'weights',
    format: 'safetensors',
    writer: safetensors,
    description:
      'The state_dict alone, in a format that holds nothing that could run. Tensors are sorted by dtype and name, tied ones are written out under each of theirs; the Edit page keeps order and ties in the metadata.',
  },
  {
    contents: 'weights',
    format: 'npz',
    writer: npz,
    description:
      'The state_dict alone as arrays, for numpy.load. NumPy has no bfloat16 and no float8.',
  },
  {
    contents: 'checkpoint',
    format: 'pth',
    writer: torchLegacy,
    description:
      'The whole checkpoint in the format that PyTorch wrote before 1.6 and still reads. It has no float8 and no unsigned integers but uint8.',
  },
  {
    contents: 'weights',
    format: 'pth',
    writer: torchLegacy,
    description:
      'The state_dict alone in the format that PyTorch wrote before 1.6 and still reads. It has no float8 and no unsigned integers but uint8.',
  },
  {
    contents: 'weights',
    format: 'safetensors',
    writer: { shards: 'safetensors' },
    description:
      'The state_dict in several files with an index, as model hubs hold large models. Tied tensors are written out under each name.',
  },
  {
    contents: 'weights',
    format: 'bin',
    writer: { shards: 'bin' },
    description:
      'The state_dict in several files of torch.save with an index; tied tensors stay tied.',
  },
];

/** Everything that can be saved now. */
export function saveChoices({ checkpoint, stateDict, bench }: SaveSource): Save[] {
  if (!checkpoint) return [];
  const stem = stemOf(checkpoint.name);
  const choices: Save[] = [];
  for (const which of ['best', 'last'] as const) {
    const kept = bench?.training[which];
    if (!bench || !kept) continue;
    const base = baseOf(stem) || bench.module.name.toLowerCase();
    const loss = kept.metrics.val_loss;
    const score = loss === undefined ? '' : `_valloss${loss.toFixed(4)}`;
    const name = `${base}_${which}_epoch${kept.epoch}${score}`;
    const weights = once(() => trainedWeights(bench, kept.weights, 'model'));
    const full = once(() => trainedCheckpoint(checkpoint, bench, kept));
    for (const form of forms.filter((form) => !isSharded(form))) {
      const tree = form.contents === 'weights' ? weights : full;
      choices.push(choice(which, form, nameOf(form, name), tree));
    }
  }
  const weights = stateDict && once(() => onlyTensors(stateDict.dict));
  for (const form of forms) {
    const tree = form.contents === 'weights' ? weights : () => checkpoint.root;
    if (tree) choices.push(choice('opened', asOpened(form), nameOf(form, stem), tree));
  }
  const plain = plainTree(checkpoint);
  if (plain) choices.push(plainChoice(plain, `${stem}_plain`));
  return choices;
}

function asOpened(form: Form): Form {
  if (form.contents !== 'checkpoint' || form.format !== 'pt') return form;
  return { ...form, description: 'Everything that is in the file, written anew.' };
}

/** The name of the file without its extension, or of the folder. */
function nameOf(form: Form, stem: string): string {
  const { contents, format } = form;
  if (isSharded(form)) return `${stem}_shards`;
  return contents === 'weights' && isTorch(format) ? `${stem}_weights` : stem;
}

function stemOf(name: string): string {
  return name.replace(/\.[^.]+$/, '') || 'checkpoint';
}

/** What a name says beside best, last, epoch and metric, so that these do not pile up. */
function baseOf(stem: string): string {
  return stem.replace(/(^|_)(best|last)(_epoch\d+)?(_valloss[\d.]+)?(_weights)?$/, '');
}

function isSharded({ writer }: Form): boolean {
  return 'shards' in writer;
}

type Flat = 'safetensors' | 'npz';

/** Whether it is written by what torch.save does: storages whole, tied tensors tied. */
function isTorch(format: SaveChoice['format']): format is Exclude<SaveChoice['format'], Flat> {
  return format === 'pt' || format === 'pth' || format === 'bin';
}

function choice(which: SaveChoice['which'], form: Form, stem: string, tree: () => Value): Save {
  const { contents, format, writer, description } = form;
  const id = `${which}-${contents}-${format}`;
  const root = () => (isTorch(format) ? tree() : bareTensors(tree()));
  if ('shards' in writer) {
    return {
      ...{ id: `${id}-shards`, which, contents, format, sharded: true, name: stem, description },
      write: (args) => saveShards(root(), writer.shards, stem, args),
    };
  }
  const name = `${stem}.${format}`;
  const refusal = which === 'opened' && !isTorch(format) ? refusalOf(root(), format, writer) : null;
  return {
    ...{ id, which, contents, format, name, description, ...(refusal && { refusal }) },
    write: (args) => {
      const value = root();
      const total = isTorch(format) ? storedBytes(value) : elementBytes(value);
      return saveFile(value, { format: writer, stem, name, total }, args);
    },
  };
}

/** Why a format cannot hold what the file has; null where it can. */
function refusalOf(root: Value, format: Flat, { check }: Format): Finding | null {
  const named = [...tensorsIn(root)].map(({ path, tensor }) => ({ name: path, tensor }));
  const [lacking] = dtypeLosses(named, format);
  if (lacking) return shown(lacking);
  try {
    check?.(root, { metadata: new Map() });
    return null;
  } catch (error) {
    return shown(findingOf(error));
  }
}

/** The tensors and plain values of a file that PyTorch refuses. */
function plainChoice(plain: PlainTree, stem: string): Save {
  const description = toldChanges(plain);
  const form: Form = { contents: 'plain', format: 'pt', writer: torch, description };
  const made = choice('opened', form, stem, () => plain.root);
  return {
    ...made,
    changes: [...plain.changes],
    async write(args) {
      const saved = await made.write(args);
      await mustLoad(saved.file ?? (await args.handle!.getFile()), args.signal);
      return saved;
    },
  };
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** The tensors of a state_dict, its `_metadata` and order kept. */
function onlyTensors(dict: Dict): Dict {
  const tensors = new Dict(
    [...dict.entries()].filter(([, value]) => isTensor(value) || isSparse(value)),
    dict.type,
  );
  tensors.attributes = dict.attributes;
  return tensors;
}
