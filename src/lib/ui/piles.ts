/**
 * What a pile of files is made of: sources, data, or one checkpoint. Names decide, and for a zip
 * the names in it. Where the person wants one kind, what may be that kind is.
 */
import type { Dropped } from '#lib/worker/protocol.ts';
import { hasPython, isProject, type Folder, type Pile } from './dropped.ts';

/** What a pile is expected to hold: anything, the model's source, or data to train on. */
export type SortedPurpose = 'open' | 'source' | 'data';
/** All of it may be one checkpoint, too: the open one, or one beside it; or several, to be compared. */
export type Purpose = SortedPurpose | 'checkpoint' | 'beside' | 'compare';

export interface SortedPile {
  /** Python files and folders of them. */
  sources: Pile;
  /** Zips, which may hold sources. */
  zips: readonly File[];
  data: Pile;
  /** Everything else is one checkpoint. */
  checkpoint: Pile;
}

const picture = /\.(png|jpe?g|webp|gif|bmp|avif)$/i;
/** Of MNIST and its kin, also compressed. */
const idx = /(^|[/\-_.])(idx[1-4]-u?byte|idx[1-4]|[iu]?byte)(\.gz)?$/i;
/** Files that are data whatever page they are dropped on. */
const dataFile = /\.(np[yz]|csv|tsv)$/i;
/** Data where data is asked for. */
const wished = /\.(np[yz]|csv|tsv|txt|pt|pth|safetensors|zip|gz)$/i;
/** What checkpoints are kept in, beside arrays. */
const kept = /\.(pt|pth|pt2|ckpt|bin|safetensors|gguf|distcp|pkl|tar|mar)$|(^|\/)\.metadata$/i;

const isData = (name: string) => dataFile.test(name) || idx.test(name);

/** A folder of pictures, tables or MNIST's files, without a checkpoint or a source in it. */
export function isDataFolder(folder: Folder): boolean {
  const paths = folder.files.map(({ path }) => path);
  const holds = (pattern: RegExp) => paths.some((path) => pattern.test(path));
  if (holds(kept) || hasPython(folder)) return false;
  return holds(picture) || holds(idx) || holds(/\.[ct]sv$/i);
}

/** Files that are a checkpoint each. Of a folder, `.bin` files are many things. */
const alone = /\.(pt|pth|ckpt|safetensors|gguf|npz)$/i;
const aloneLoose = /\.(pt|pth|ckpt|safetensors|gguf|npz|bin)$/i;
/** What says that files belong together. */
const joined = /-\d{5,}-of-\d{5,}\.\w+$|\.index(\.\w+)?\.json$|\.distcp$|(^|\/)\.metadata$/;

/** One of several checkpoints. */
export interface Several {
  /** The file's or folder's, with as much of its path as tells it from the others. */
  readonly name: string;
  readonly dropped: Dropped;
}

/** The checkpoints of a pile that holds several; null where it is one, or another thing. */
export function severalCheckpoints(pile: Pile): Several[] | null {
  const { files, folders } = pile;
  const found =
    files.length === 0 && folders.length > 1
      ? folders.map((folder) => ({ path: folder.name, dropped: folder }))
      : (stepsOf(pile) ?? filesOf(pile));
  if (!found || found.length < 2) return null;
  const names = found.map(({ path }) => path.slice(path.lastIndexOf('/') + 1));
  const areApart = new Set(names).size === names.length;
  return found.map(({ path, dropped }, at) => ({ name: areApart ? names[at]! : path, dropped }));
}

interface Found {
  readonly path: string;
  readonly dropped: Dropped;
}

/** The folders that transformers' Trainer keeps in that of a run, `checkpoint-500`; null without. */
function stepsOf({ files, folders }: Pile): Found[] | null {
  const [folder] = folders;
  if (!folder || files.length > 0) return null;
  const steps = new Map<string, Folder['files']>();
  for (const { path, file } of folder.files) {
    const step = /^(?:.*\/)?checkpoint-\d+(?=\/)/.exec(path)?.[0];
    if (step === undefined) continue;
    const inside = steps.get(step) ?? [];
    inside.push({ path: path.slice(step.length + 1), file });
    steps.set(step, inside);
  }
  if (steps.size < 2) return null;
  return [...steps].map(([path, inside]) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    return { path, dropped: { name, files: inside } };
  });
}

/** Files that are a checkpoint each; null where some belong together. */
function filesOf({ files, folders }: Pile): Found[] | null {
  const inside = folders.flatMap((folder) => folder.files);
  const loose = files.map((file) => ({ path: file.name, file }));
  if ([...loose, ...inside].some(({ path }) => joined.test(path))) return null;
  if (!files.every(({ name }) => aloneLoose.test(name))) return null;
  return [...loose, ...inside.filter(({ path }) => alone.test(path))].map(({ path, file }) => ({
    path,
    dropped: { file },
  }));
}

export async function sortPile(
  { files, folders }: Pile,
  purpose: SortedPurpose,
): Promise<SortedPile> {
  const isZip = ({ name }: File) => /\.zip$/i.test(name);
  // A checkpoint beside its source is a model, whatever page it is dropped on.
  if (purpose === 'data' && !files.some(isPython)) {
    const takes = ({ name }: File) => wished.test(name) || idx.test(name) || picture.test(name);
    return {
      sources: { files: [], folders: [] },
      zips: [],
      data: { files: files.filter(takes), folders },
      checkpoint: { files: files.filter((it) => !takes(it)), folders: [] },
    };
  }
  const zips = files.filter(isZip);
  const pictures = await Promise.all(zips.map(holdsPictures));
  const dataZips = zips.filter((_, index) => pictures[index]);
  const isDataFile = (file: File) => isData(file.name) || dataZips.includes(file);
  const projects = folders.filter(purpose === 'source' ? hasPython : isProject);
  const dataFolders = folders.filter((it) => !projects.includes(it) && isDataFolder(it));
  return {
    sources: { files: files.filter(isPython), folders: projects },
    zips: zips.filter((zip) => !dataZips.includes(zip)),
    data: { files: files.filter(isDataFile), folders: dataFolders },
    checkpoint: {
      files: files.filter((it) => !isDataFile(it) && !isPython(it)),
      folders: folders.filter((it) => !projects.includes(it) && !dataFolders.includes(it)),
    },
  };
}

function isPython({ name }: File): boolean {
  return /\.py$/i.test(name);
}

/** A zip lists its members at its end. This much of it names thousands. */
const TAIL_BYTES = 2 ** 18;

/** Whether pictures or MNIST's files are among the last members of a zip. */
export async function holdsPictures(zip: File): Promise<boolean> {
  const tail = await zip.slice(-TAIL_BYTES).arrayBuffer();
  const bytes = new Uint8Array(tail);
  const view = new DataView(tail);
  for (let at = 0; at + 46 <= bytes.length; at++) {
    if (view.getUint32(at, true) !== 0x02014b50) continue; // PK\1\2, an entry of the directory
    const length = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + length));
    if (picture.test(name) || idx.test(name)) return true;
  }
  return false;
}
