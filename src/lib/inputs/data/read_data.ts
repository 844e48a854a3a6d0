/**
 * From files that a person brings to a data set. The files' names say which kind they are of; what
 * a wish leaves open is guessed as a person would who looks at the files. What cannot be guessed, or
 * does not fit, is a FindingError that says what to do.
 */
import { listed } from '#lib/formats/folder.files.ts';
import { readArrays } from './arrays.ts';
import { DataError, type DataFacts, type DataWish } from './choices.ts';
import type { DataRecipe, Dataset } from './dataset.ts';
import { fingerprintOf } from './fingerprint.ts';
import { readIdx } from './idx.ts';
import { readTable } from './table.ts';
import { readText } from './text.ts';
import type { DataFile, DataTools, Given, Reading } from './given.ts';

type Kind = DataRecipe['kind'];

/** What files of each kind are called; a file is of the first kind that fits. */
const names: readonly (readonly [Kind, RegExp])[] = [
  ['idx', /[-.]idx[1-9](-\w+)?(\.gz)?$/i],
  ['arrays', /\.(npz|npy|pt|pth|safetensors)$/i],
  ['table', /\.(csv|tsv)$/i],
  ['text', /\.(txt|text)$/i],
];

const readers: Readonly<Partial<Record<Kind, (given: Given) => Promise<Reading>>>> = {
  arrays: readArrays,
  idx: readIdx,
  table: readTable,
  text: readText,
};

const KINDS =
  'The lab takes arrays (.npz, .npy, .pt, .safetensors), tables (.csv, .tsv), text (.txt) and MNIST’s files.';

/** Reads data of whatever kind. Throws a FindingError; a DataError says what could be chosen. */
export async function readData(
  files: readonly DataFile[],
  wish: DataWish,
  tools: DataTools,
  signal?: AbortSignal,
): Promise<{ dataset: Dataset; facts: DataFacts }> {
  const { kind, own, others } = kindOf(files);
  const given: Given = {
    name: nameOf(own),
    files: own.map(({ path, file }) => ({ path, open: () => Promise.resolve(file) })),
    wish,
    tools,
    fingerprint: await fingerprintOf(own, signal),
    ...(signal && { signal }),
  };
  const { dataset, choices } = await readers[kind]!(given);
  const notes = others.length > 0 ? [`left out: ${listed(others)}`] : [];
  const noted = { ...dataset, notes: [...dataset.notes, ...notes] };
  const { train, held, name, input, target, recipe, fingerprint } = noted;
  return {
    dataset: noted,
    facts: {
      ...{ name, input, target, recipe, fingerprint, choices, kind, notes: noted.notes },
      ...{ train: train.count, held: held?.count ?? null },
      classCounts: target.kind === 'class' ? countsOf(train.classes, target.classes.length) : null,
    },
  };
}

/** The kind of most files that are of any, and its files. */
function kindOf(files: readonly DataFile[]): { kind: Kind; own: DataFile[]; others: string[] } {
  const kinds = files.map(({ path }) => names.find(([, pattern]) => pattern.test(path))?.[0]);
  const found = names.map(([kind]) => ({ kind, count: kinds.filter((it) => it === kind).length }));
  const best = found.reduce((a, b) => (b.count > a.count ? b : a));
  if (best.count === 0) {
    throw new DataError(
      `no data among ${files.length} files: ${listed(files.map(({ path }) => path)) || 'nothing'}`,
      KINDS,
    );
  }
  return {
    kind: best.kind,
    own: files.filter((_, at) => kinds[at] === best.kind),
    others: files.filter((_, at) => kinds[at] !== best.kind).map(({ path }) => path),
  };
}

/** The file's name, or that of the folder that all of several are in, or the first one's. */
function nameOf(files: readonly DataFile[]): string {
  const [first] = files as [DataFile];
  const [folder] = first.path.split('/');
  const isFolder = files.every(({ path }) => path.startsWith(`${folder}/`));
  return files.length > 1 && isFolder ? folder! : first.file.name;
}

function countsOf(classes: Int32Array | null, count: number): number[] | null {
  if (!classes) return null;
  const counts = new Array<number>(count).fill(0);
  for (const label of classes) if (label >= 0) counts[label]!++;
  return counts;
}
