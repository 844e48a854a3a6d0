/**
 * Reads what `torch.export.save` writes: a zip with the exported program as JSON and its weights,
 * constants and example inputs in one of three layouts (torch/export/pt2_archive/_package.py,
 * torch/export/__init__.py, `load`): each storage a record of plain bytes and a list that names them;
 * before that all weights as one file of torch.save in the archive; first such files beside the
 * program, without a top folder. The program itself is read when somebody asks for it. The root is `{state_dict,
 * constants, example_inputs}`, or a dict of those by name where the archive holds several programs.
 */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { itemsize, type Dtype } from '#lib/checkpoint/dtype.ts';
import type { ExportedProgram } from '#lib/checkpoint/exported.ts';
import { FindingError, type Finding } from '#lib/checkpoint/finding.ts';
import { metaStorage, numel, span, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, dict, type Value } from '#lib/checkpoint/value.ts';
import { ZipError } from '#lib/file/zip.directory.ts';
import { entrySource, openZip, readEntry, type Zip } from '#lib/file/zip.read.ts';
import { listed, mergedReport } from './folder.files.ts';
import type { Format } from './format.ts';
import { pickle } from './pickle.ts';
import { parsePayloads, type PayloadTensor } from './pt2.payloads.ts';
import { parseProgram } from './pt2.program.ts';
import { torch } from './torch.read.ts';
import { byteorderOf, recordStorages, rootsWith } from './torch.records.ts';
import { layoutOf, stridedTensor } from './torch.tensors.ts';

/** A list takes some 300 bytes a tensor. */
const MAX_LIST = 2 ** 28;
/** A program takes some 2 kB a call, most of it traces of the user's stack; large ones have 10,000. */
const MAX_PROGRAM = 2 ** 27;
/** `archive_format` and `archive_version` are a word and a number. */
const MAX_WORD = 16;
/** Bytes by which the format of a file in the archive is told. */
const HEAD = 512;

const PROGRAM = 'serialized_exported_program.json';

export const pt2: Format = {
  name: 'pt2',
  title: 'Exported program (torch.export)',
  extensions: ['.pt2'],

  match: ({ zip }) =>
    zip !== null && (rootsWith(zip, 'archive_format').length > 0 || zip.entries.has(PROGRAM)),

  async read({ source, zip }, signal) {
    const archive = await openArchive(zip!, signal);
    const parts: Report[] = [];
    const root = await readPrograms(archive, parts);
    return {
      name: source.name,
      format: 'pt2',
      size: source.size,
      root,
      metadata: archive.metadata,
      program: { kind: 'exported', read: (signal) => readGraphs({ ...archive, signal }) },
      ...mergedReport([{ findings: [weightsOnly, ...compiled(archive)], calls: [] }, ...parts]),
    };
  },
};

type Report = Pick<Checkpoint, 'findings' | 'calls'>;

const weightsOnly: Finding = {
  code: 'pt2-program',
  severity: 'info',
  message: 'a program of torch.export: its weights and constants, and its operators as data',
  advice: 'Save the weights here to get a file for load_state_dict.',
};

interface Archive {
  readonly zip: Zip;
  /** The top folder, with its slash; empty in the first layout. */
  readonly root: string;
  readonly byteorder: 'little' | 'big';
  readonly metadata: ReadonlyMap<string, string>;
  readonly signal: AbortSignal | undefined;
}

async function openArchive(zip: Zip, signal?: AbortSignal): Promise<Archive> {
  const roots = rootsWith(zip, 'archive_format');
  if (roots.length + Number(zip.entries.has(PROGRAM)) > 1) {
    throw new FindingError({
      code: 'pt2-ambiguous',
      message: `pt2: the archive holds several programs: ${listed([...roots, PROGRAM])}`,
      advice: 'Readers disagree on which one counts. Get the file from a source that you trust.',
    });
  }
  const root = roots[0] ?? '';
  const format = roots.length > 0 ? await wordOf(zip, `${root}archive_format`, signal) : 'pt2';
  if (format !== 'pt2') throw broken(`the archive's format is ${JSON.stringify(format)}`);
  const version = await wordOf(zip, root ? `${root}archive_version` : 'version', signal);
  const byteorder = await byteorderOf(zip, root, signal);
  const metadata = new Map([
    ['archive version', version ?? 'unknown'],
    ['byteorder', byteorder],
  ]);
  return { zip, root, byteorder, metadata, signal };
}

async function wordOf(zip: Zip, name: string, signal?: AbortSignal): Promise<string | null> {
  const entry = zip.entries.get(name);
  if (!entry || entry.size > MAX_WORD) return null;
  return new TextDecoder().decode(await readEntry(zip, entry, signal)).trim();
}

async function readPrograms(archive: Archive, parts: Report[]): Promise<Value> {
  const { zip, root } = archive;
  if (!root) return readFirst(archive, parts);
  const names = programNames(zip, root);
  if (names.length === 0) throw noProgram(archive);
  const programs: [string, Value][] = [];
  for (const name of names) programs.push([name, await readProgram(archive, name, parts)]);
  return programs.length === 1 ? programs[0]![1] : new Dict(programs);
}

function programNames(zip: Zip, root: string): string[] {
  const prefix = `${root}models/`;
  return [...zip.entries.keys()]
    .filter((name) => name.startsWith(prefix) && name.endsWith('.json'))
    .map((name) => name.slice(prefix.length, -'.json'.length));
}

/** The programs as data, by name. */
async function readGraphs({ zip, root, signal }: Archive) {
  const records = root
    ? programNames(zip, root).map((name) => [name, `models/${name}.json`] as const)
    : [['model', PROGRAM] as const];
  const programs = new Map<string, ExportedProgram>();
  for (const [name, record] of records) {
    const entry = zip.entries.get(`${root}${record}`)!;
    if (entry.size > MAX_PROGRAM) {
      throw broken(`the program takes ${entry.size} bytes, the limit is ${MAX_PROGRAM}`);
    }
    programs.set(name, parseProgram(await readEntry(zip, entry, signal), record));
  }
  return programs;
}

/** A program of one of the two layouts with a top folder. */
async function readProgram(archive: Archive, name: string, parts: Report[]): Promise<Value> {
  const read = (record: string) => readFile(archive, record, parts);
  const inputs = await read(`data/sample_inputs/${name}.pt`);
  return dict({
    state_dict:
      (await read(`data/weights/${name}.pt`)) ??
      (await readPayloads(archive, 'data/weights', `${name}_weights_config.json`, parts)),
    constants:
      (await read(`data/constants/${name}.pt`)) ??
      (await readPayloads(archive, 'data/constants', `${name}_constants_config.json`, parts)),
    ...(inputs !== null && { example_inputs: inputs }),
  });
}

/** The first layout. Its first versions had files of torch.save with the ending .json. */
async function readFirst(archive: Archive, parts: Report[]): Promise<Value> {
  const read = async (name: string) =>
    (await readFile(archive, `serialized_${name}.pt`, parts)) ??
    (await readFile(archive, `serialized_${name}.json`, parts));
  const state = await read('state_dict');
  if (state === null) throw broken('the record "serialized_state_dict.pt" is missing');
  const inputs = await read('example_inputs');
  return dict({
    state_dict: state,
    constants: (await read('constants')) ?? dict(),
    ...(inputs !== null && { example_inputs: inputs }),
  });
}

/** A file of torch.save or a pickle in the archive, or null where it is not there. */
async function readFile(archive: Archive, record: string, parts: Report[]): Promise<Value | null> {
  const { zip, root, signal } = archive;
  const entry = zip.entries.get(`${root}${record}`);
  if (!entry) return null;
  if (entry.size === 0) return dict();
  try {
    const source = await entrySource(zip, entry, signal);
    const head = await source.read(0, Math.min(HEAD, source.size), signal);
    const isZip = head[0] === 0x50 && head[1] === 0x4b;
    const probe = { source, head, zip: isZip ? await openZip(source, signal) : null };
    const format = [torch, pickle].find((candidate) => candidate.match(probe));
    if (!format) throw broken('it is no file of torch.save');
    const opened = await format.read(probe, signal);
    parts.push(opened);
    return opened.root;
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof FindingError) {
      throw new FindingError({ ...error.finding, message: `${record}: ${message}` });
    }
    if (!(error instanceof ZipError)) throw error;
    throw new FindingError({ code: error.code, where: record, message: `${record}: ${message}` });
  }
}

/** Weights or constants of the newest layout, in the order of their list. */
async function readPayloads(
  archive: Archive,
  folder: string,
  list: string,
  parts: Report[],
): Promise<Value> {
  const { zip, root, signal, byteorder } = archive;
  const record = `${folder}/${list}`;
  const entry = zip.entries.get(`${root}${record}`);
  if (!entry) throw broken(`the record ${JSON.stringify(record)} is missing`);
  if (entry.size > MAX_LIST) {
    throw broken(
      `the record ${JSON.stringify(record)} takes ${entry.size} bytes, the limit is ${MAX_LIST}`,
    );
  }
  const payloads = parsePayloads(await readEntry(zip, entry, signal), record);
  const storageOf = recordStorages(zip, root, folder, byteorder);
  const files = new Map<string, Value>();
  const dtypes = new Map<string, Dtype>();
  const values = new Dict();
  for (const [name, { path, isParameter, tensor }] of payloads) {
    const where = `${folder}/${path}`;
    const size = zip.entries.get(`${root}${where}`)?.size;
    if (size === undefined) {
      throw broken(`the record ${JSON.stringify(where)} of ${JSON.stringify(name)} is missing`);
    }
    if (tensor) {
      const { dtype } = tensor;
      if ((dtypes.get(path) ?? dtype) !== dtype) {
        throw broken(`record ${JSON.stringify(where)} holds ${dtypes.get(path)} and ${dtype}`);
      }
      dtypes.set(path, dtype);
      values.set(name, tensorOf(path, size, { ...tensor, isParameter }, storageOf));
    } else {
      if (!files.has(path)) files.set(path, (await readFile(archive, where, parts))!);
      values.set(name, files.get(path)!);
    }
  }
  return values;
}

/** A tensor in a record of plain bytes, which are those of its whole storage. */
function tensorOf(
  path: string,
  bytes: number,
  {
    dtype,
    size,
    stride,
    offset,
    requiresGrad,
    location,
    isParameter,
  }: PayloadTensor & { isParameter: boolean },
  storageOf: ReturnType<typeof recordStorages>,
): Tensor {
  const layout = layoutOf(offset, size, stride, `record ${JSON.stringify(path)}`);
  const parameter = { parameter: isParameter };
  // Of a program that was exported without weights; PyTorch puts zeros in their place.
  if (bytes === 0 && numel(layout.shape) > 0) {
    const end = span(layout)[1] * itemsize(dtype);
    return {
      kind: 'tensor',
      dtype,
      ...layout,
      storage: metaStorage(end),
      requiresGrad,
      ...parameter,
    };
  }
  if (bytes % itemsize(dtype) !== 0) {
    throw broken(
      `record ${JSON.stringify(path)} holds ${bytes} bytes, no multiple of those of a ${dtype}`,
    );
  }
  const count = bytes / itemsize(dtype);
  const storage = storageOf({ key: path, dtype, location, numel: count, offset: 0 });
  const view = { storage, dtype, offset: 0, numel: count };
  return { ...stridedTensor(view, dtype, layout, requiresGrad), ...parameter };
}

/** Compiled code beside a program, which the lab leaves alone. */
function compiled({ zip, root }: Archive): Finding[] {
  if (!isCompiled(zip, root)) return [];
  return [
    {
      code: 'pt2-compiled',
      severity: 'warning',
      message: 'pt2: the archive holds compiled code (AOTInductor), which loading it runs',
      advice: 'Save the weights here to get a file that holds nothing that could run.',
    },
  ];
}

function isCompiled(zip: Zip, root: string): boolean {
  return [...zip.entries.keys()].some((name) => name.startsWith(`${root}data/aotinductor/`));
}

function noProgram({ zip, root }: Archive): FindingError {
  if (!isCompiled(zip, root)) return broken('the archive holds no program in models/');
  return new FindingError({
    code: 'pt2-compiled',
    message: 'pt2: the archive holds compiled code (AOTInductor) and no exported program',
    advice: 'Its weights are a part of the code. Save the program with torch.export.save instead.',
  });
}

function broken(message: string): FindingError {
  return new FindingError({
    code: 'pt2-broken',
    message: `pt2: ${message}`,
    advice: 'The file is incomplete: get it again, or save it again.',
  });
}
