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
import type { DataFile, DataMember, DataTools, Given, Reading } from './given.ts';
import { readImages } from './images.ts';
import { zipMembers } from './zip_members.ts';

type Kind = DataRecipe['kind'];

/** What files of each kind are called; a file is of the first kind that fits. */
const names: readonly (readonly [Kind, RegExp])[] = [
  ['idx', /[-.]idx[1-9](-\w+)?(\.gz)?$/i],
  ['arrays', /\.(npz|npy|pt|pth|safetensors)$/i],
  ['table', /\.(csv|tsv)$/i],
  ['images', /\.(jpe?g|png|bmp|webp)$/i],
  ['text', /\.(txt|text)$/i],
];

const readers: Readonly<Record<Kind, (given: Given) => Promise<Reading>>> = {
  arrays: readArrays,
  idx: readIdx,
  table: readTable,
  images: readImages,
  text: readText,
};

const KINDS =
  'The lab takes arrays (.npz, .npy, .pt, .safetensors), tables (.csv, .tsv), pictures in class folders, text (.txt) and MNIST’s files, also in a .zip.';

/** What torchvision takes for pictures and browsers do not decode. */
const UNDECODED = /\.(ppm|pgm|tiff?)$/i;

/** A file, or one in a zip, and what was brought that it is in. */
interface Found extends DataMember {
  readonly source: DataFile;
}

/** Reads data of whatever kind. Throws a FindingError; a DataError says what could be chosen. */
export async function readData(
  files: readonly DataFile[],
  wish: DataWish,
  tools: DataTools,
  signal?: AbortSignal,
): Promise<{ dataset: Dataset; facts: DataFacts }> {
  const found = await membersOf(files);
  const { kind, own, others } = kindOf(found);
  const sources = [...new Set(own.map(({ source }) => source))];
  const given: Given = {
    ...{ name: nameOf(sources), files: own, wish, tools },
    sources: [...new Set(sources.map(({ path }) => path.split('/')[0]!))],
    fingerprint: await fingerprintOf(sources, signal),
    ...(signal && { signal }),
  };
  const { dataset, choices } = await readers[kind](given);
  const noted = { ...dataset, notes: [...dataset.notes, ...notesOf(kind, others)] };
  const { train, held, name, input, target, recipe, fingerprint, notes } = noted;
  return {
    dataset: noted,
    facts: {
      ...{ name, kind, input, target, recipe, fingerprint, choices, notes },
      ...{ train: train.count, held: held?.count ?? null },
      classCounts: target.kind === 'class' ? countsOf(train.classes, target.classes.length) : null,
    },
  };
}

/** The files and those in zips; without hidden ones and what macOS adds to its zips. */
async function membersOf(files: readonly DataFile[]): Promise<Found[]> {
  const found: Found[] = [];
  for (const source of files) {
    const { path, file } = source;
    const members = /\.zip$/i.test(path)
      ? await zipMembers(source)
      : [{ path, open: () => Promise.resolve(file) }];
    found.push(...members.map((member) => ({ ...member, source })));
  }
  const isApart = (part: string) => part.startsWith('.') || part === '__MACOSX';
  return found.filter(({ path }) => !path.split('/').some(isApart));
}

/** The kind of most files that are of any, and its files. */
function kindOf(files: readonly Found[]): { kind: Kind; own: Found[]; others: string[] } {
  const kinds = files.map(({ path }) => names.find(([, pattern]) => pattern.test(path))?.[0]);
  const counts = names.map(([kind]) => ({ kind, count: kinds.filter((it) => it === kind).length }));
  const best = counts.reduce((a, b) => (b.count > a.count ? b : a));
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

function notesOf(kind: Kind, others: readonly string[]): string[] {
  const undecoded = others.filter((path) => kind === 'images' && UNDECODED.test(path));
  const rest = others.filter((path) => !undecoded.includes(path));
  return [
    ...(undecoded.length > 0
      ? [`left out, as browsers do not decode them: ${listed(undecoded)}`]
      : []),
    ...(rest.length > 0 ? [`left out: ${listed(rest)}`] : []),
  ];
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
