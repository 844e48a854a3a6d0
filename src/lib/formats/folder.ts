/**
 * Opens the files of a folder, or several files that were dropped together, as one checkpoint: a
 * sharded one with its index or without, a distributed one (torch.distributed.checkpoint), or the
 * only checkpoint file among others. Where there are several, which one is meant is not guessed.
 */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { FindingError, findingOf, type Finding, type Result } from '#lib/checkpoint/finding.ts';
import { readConfiguration } from './configuration.ts';
import { readDcp } from './dcp.ts';
import { listed, type Files, type FolderFile } from './folder.files.ts';
import { formats, openPart } from './index.ts';
import { readIndexed, readUnindexed } from './sharded.ts';

/** Something in the folder that opens as a checkpoint. */
interface Candidate {
  /** For people: a file's path, or a directory's with a slash. */
  readonly label: string;
  /** Of a few files that were dropped together, what the whole is called. */
  readonly name: string;
  /** The lowest that is there counts: what joins files, then a file, then what lies beside one. */
  readonly rank: 0 | 1 | 2;
  /** Files that it is made of, as far as their names say. */
  readonly paths: ReadonlySet<string>;
  open(name: string, signal?: AbortSignal): Promise<Checkpoint>;
}

/** Titles of what several files make, as the table of formats has those of single files. */
const JOINED: Readonly<Record<string, string>> = {
  sharded: 'Sharded checkpoint',
  dcp: 'PyTorch distributed checkpoint',
};

/** What kind of file or folder a checkpoint came from, for people. */
export function formatTitle(format: string): string {
  return formats.find(({ name }) => name === format)?.title ?? JOINED[format] ?? format;
}

/**
 * Opens a folder: reads headers, pickles and indexes, not the tensors. `name` is the folder's, or
 * that of one of the files where several were dropped. `choice` says which of the finding's
 * `choices` is meant, where there was one of several checkpoints.
 */
export async function openFolder(
  name: string,
  files: readonly FolderFile[],
  signal?: AbortSignal,
  choice?: number,
): Promise<Result<{ checkpoint: Checkpoint }>> {
  try {
    const candidates = findCandidates(files);
    const { chosen, findings } = choose(candidates, files, choice);
    const isFile = files.some(({ path }) => path === name);
    const checkpoint = await chosen.open(isFile ? chosen.name : name, signal);
    const directory = directoryOf(chosen.label);
    const file = chosen.label.slice(directory.length);
    const beside = await readConfiguration(filesBelow(directory, files), file, signal);
    return {
      ok: true,
      checkpoint: {
        ...checkpoint,
        findings: [...findings, ...checkpoint.findings, ...beside.findings],
        ...(beside.configuration && { configuration: beside.configuration }),
      },
    };
  } catch (error) {
    signal?.throwIfAborted();
    const finding = findingOf(error, 'folder-broken');
    const advice = 'The folder is incomplete or damaged: get it again.';
    return {
      ok: false,
      findings: [{ advice, ...finding, message: `${name}: ${finding.message}` }],
    };
  }
}

const INDEX = /\.index(\.\w+)?\.json$/;
const SHARD = /^(.*)-(\d{5,})-of-(\d{5,})(\.\w+)$/;
/** Arrays, and what transformers' Trainer and Accelerate keep of a training beside the weights. */
const BESIDE =
  /\.np[yz]$|(^|\/)(optimizer|scheduler|scaler|rng_state|random_states|training_args)[\w-]*\.(pt|pth|bin|pkl)$/i;
/** What transformers and PEFT call the weights of every model: the folder's name tells them apart. */
const WEIGHTS = /^(model|adapter_model|pytorch_model)\.(safetensors|bin)$/;
const extensions = formats.flatMap((format) => format.extensions);

function findCandidates(files: readonly FolderFile[]): Candidate[] {
  const joined = [...indexed(files), ...distributed(files), ...unindexed(files)];
  const taken = new Set(joined.flatMap(({ paths }) => [...paths]));
  const single = files.flatMap(({ path, source }): Candidate[] => {
    const extension = /\.\w+$/.exec(path)?.[0].toLowerCase() ?? '';
    if (taken.has(path) || (!extensions.includes(extension) && files.length > 1)) return [];
    const rank = BESIDE.test(path) ? 2 : 1;
    const open = async (name: string, signal?: AbortSignal) => {
      const checkpoint = await openPart(source, signal);
      const directory = directoryOf(path);
      if (!WEIGHTS.test(path.slice(directory.length))) return checkpoint;
      return { ...checkpoint, name: directory.split('/').at(-2) ?? name };
    };
    return [{ label: path, name: path, rank, paths: new Set([path]), open }];
  });
  return [...joined, ...single];
}

/** The directory of a path, with its slash; empty at the top. */
function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}

function filesBelow(directory: string, files: readonly FolderFile[]): Files {
  const below = files.filter(({ path }) => path.startsWith(directory));
  return new Map(below.map(({ path, source }) => [path.slice(directory.length), source]));
}

/** Sharded checkpoints with an index. The shards beside it are taken to be its own. */
function indexed(files: readonly FolderFile[]): Candidate[] {
  const indexes = files.filter(({ path }) => INDEX.test(path));
  return indexes.map(({ path }) => {
    const directory = directoryOf(path);
    const file = path.slice(directory.length);
    const extension = /\.\w+$/.exec(file.replace(INDEX, ''))?.[0] ?? '';
    const own = files.filter(
      (other) =>
        directoryOf(other.path) === directory &&
        SHARD.test(other.path) &&
        other.path.endsWith(extension),
    );
    return {
      label: path,
      name: file.replace(INDEX, ''),
      rank: 0,
      paths: new Set([path, ...own.map((shard) => shard.path)]),
      open: (name, signal) => readIndexed(name, file, filesBelow(directory, files), signal),
    };
  });
}

/** Directories of torch.distributed.checkpoint. */
function distributed(files: readonly FolderFile[]): Candidate[] {
  const own = files.filter(({ path }) => /\.distcp$/.test(path));
  const directories = new Set(own.map(({ path }) => directoryOf(path)));
  return [...directories].map((directory) => {
    const paths = own.filter(({ path }) => directoryOf(path) === directory);
    return {
      label: directory || '.metadata',
      name: directory.slice(0, -1) || 'distributed',
      rank: 0,
      paths: new Set([`${directory}.metadata`, ...paths.map(({ path }) => path)]),
      open: (name, signal) => readDcp(name, filesBelow(directory, files), signal),
    };
  });
}

/** Sets of `model-00001-of-00003.safetensors` that no index beside them names. */
function unindexed(files: readonly FolderFile[]): Candidate[] {
  const taken = new Set(indexed(files).flatMap(({ paths }) => [...paths]));
  const sets = new Map<string, { stem: string; total: string; extension: string }>();
  for (const { path } of files) {
    const [, stem, , total, extension] = SHARD.exec(path) ?? [];
    if (stem === undefined || total === undefined || extension === undefined) continue;
    if (!taken.has(path)) sets.set(`${stem}/${total}${extension}`, { stem, total, extension });
  }
  return [...sets.values()].map(({ stem, total, extension }) => {
    // No more names are made than there are files: a name may claim any number of shards.
    const count = Math.min(Number(total), files.length + 1);
    const paths = Array.from({ length: count }, (_, index) => {
      const number = String(index + 1).padStart(total.length, '0');
      return `${stem}-${number}-of-${total}${extension}`;
    });
    return {
      label: `${stem}-…-of-${total}${extension}`,
      name: `${stem.slice(directoryOf(stem).length)}${extension}`,
      rank: 0,
      paths: new Set(paths),
      open: (name, signal) => readUnindexed(name, paths, filesBelow('', files), signal),
    };
  });
}

/** The one that is meant, and what there is to say about the others. */
function choose(
  candidates: readonly Candidate[],
  files: readonly FolderFile[],
  choice?: number,
): { chosen: Candidate; findings: Finding[] } {
  const rank = Math.min(...candidates.map((candidate) => candidate.rank));
  const best = candidates
    .filter((candidate) => candidate.rank === rank)
    .toSorted((a, b) => a.label.localeCompare(b.label, 'en', { numeric: true }));
  const meant = choice === undefined ? undefined : best[choice];
  const chosen = meant ?? (best.length > 1 ? withoutPickles(best) : best[0]);
  if (!chosen) throw best.length > 1 ? several(best) : nothing(files);
  const others = candidates.filter((candidate) => candidate !== chosen);
  if (others.length === 0) return { chosen, findings: [] };
  const finding: Finding = {
    code: 'folder-others',
    severity: 'info',
    message: `opened ${chosen.label}; not opened: ${listed(others.map(({ label }) => label))}`,
    advice: 'Drop one of them alone to open it.',
  };
  return { chosen, findings: [finding] };
}

/** Of one model as safetensors and as pickles, the one that holds nothing that could run. */
function withoutPickles(candidates: readonly Candidate[]): Candidate | undefined {
  const models = new Set(candidates.map(modelOf));
  const plain = candidates.filter(({ name }) => name.endsWith('.safetensors'));
  return models.size === 1 && plain.length === 1 ? plain[0] : undefined;
}

/** What `model.safetensors` and `pytorch_model.bin` are both of, and their indexes. */
function modelOf({ label }: Candidate): string {
  const weights = label.replace(INDEX, '').replace(/\.(safetensors|bin)$/, '');
  return weights.replace(/(^|\/)pytorch_model$/, '$1model');
}

/** Checkpoints of a folder that one can choose from; a longer list is no help. */
const MAX_CHOICES = 50;

function several(candidates: readonly Candidate[]): FindingError {
  return new FindingError({
    code: 'folder-several',
    message: `folder: it holds ${candidates.length} checkpoints: ${listed(candidates.map(({ label }) => label))}`,
    advice: 'Choose the one to open, or drop the folder that holds only this one.',
    choices: candidates.slice(0, MAX_CHOICES).map(({ label }) => label),
  });
}

function nothing(files: readonly FolderFile[]): FindingError {
  const names = files.map(({ path }) => path);
  return new FindingError({
    code: 'folder-nothing',
    message: `folder: no checkpoint among ${files.length} files${names.length > 0 ? `: ${listed(names)}` : ''}`,
    advice:
      'The lab opens sharded and distributed checkpoints, and files such as .pt, .safetensors, .gguf and .npz.',
  });
}
