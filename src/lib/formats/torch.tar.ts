/**
 * Reads what `torch.save` wrote before 0.1.10: a tar file with the members `sys_info`, `pickle` (the
 * object), `tensors` and `storages` (torch/serialization.py, `legacy_load` in `_legacy_load`). The
 * pickle names tensors and storages by the addresses that they had. Opening reads the headers, the
 * pickles and the numbers between them; a storage's bytes are read when a tensor in it is.
 */
import { FindingError, type Finding } from '#lib/checkpoint/finding.ts';
import { rewrite } from '#lib/checkpoint/rewrite.ts';
import type { Storage } from '#lib/checkpoint/tensor.ts';
import { isDict, type PersistentId, type Value } from '#lib/checkpoint/value.ts';
import { sliceSource, type Source } from '#lib/file/source.ts';
import { isTar, readTar, type TarMember } from '#lib/file/tar.read.ts';
import { Budget, readPickle, type Pickle } from '#lib/pickle/read.ts';
import { listed } from './folder.files.ts';
import type { Format } from './format.ts';
import { interpret } from './torch.interpret.ts';
import { judge, recordsOf, union } from './torch.safety.ts';
import { ClassSources } from './torch.sources.ts';
import { broken, told, type StorageReference } from './torch.storages.ts';
import { readTarObjects, type TarObjects } from './torch.tar.records.ts';

/** The pickle is read as a whole; tensors have 10 bytes in it and a name. */
const MAX_PICKLE = 2 ** 28;
/** `sys_info` is a dict of three entries. */
const MAX_SYSTEM = 4096;

export const torchTar: Format = {
  name: 'torch-tar',
  title: 'PyTorch checkpoint (tar, before 0.1.10)',
  extensions: ['.tar', '.pth', '.pt'],

  match: ({ head }) => isTar(head),

  async read({ source }, signal) {
    const members = await readMembers(source, signal);
    const budget = new Budget();
    await checkSystem(members.get('sys_info'), budget, signal);
    const tensors = members.get('tensors');
    const pickles: Pickle[] = [];
    const objects = await readTarObjects(
      { storages: needed(members, 'storages'), tensors },
      budget,
      (pickle) => pickles.push(pickle),
      signal,
    );
    const pickle = await readWhole(needed(members, 'pickle'), MAX_PICKLE, budget, signal);
    const sources = new ClassSources();
    const resolve = (reference: PersistentId) =>
      isClass(reference) ? sources.take(reference.id) : objectOf(reference, objects);
    const root = tensors
      ? interpret(pickle.value, outside, resolve)
      : interpret(withIds(pickle.value), (reference) => storageOf(reference, objects));
    const all = union([pickle, ...pickles]);
    return {
      name: source.name,
      format: 'torch-tar',
      size: source.size,
      root,
      metadata: new Map([
        ['byteorder', 'little'],
        ['pickle protocol', String(pickle.protocol)],
      ]),
      findings: [tensors ? refused : foreign, ...sources.findings(), ...judge(all)],
      calls: recordsOf(all),
      sources: sources.list,
    };
  },
};

const refused: Finding = {
  code: 'torch-tar',
  severity: 'warning',
  message: 'torch: weights_only=True refuses every tar file',
  advice: 'Save it here again to get a file that loads.',
};

/** Other programs' tests hold such files and call them PyTorch's. */
const foreign: Finding = {
  code: 'torch-tar-foreign',
  severity: 'warning',
  message:
    'torch: no PyTorch reads this file, as it lacks the member "tensors" that its tar files have',
  advice: 'Save it here again to get a file that loads.',
};

/** The members by name. Throws a FindingError where they are not those of a checkpoint. */
async function readMembers(source: Source, signal?: AbortSignal): Promise<Map<string, Source>> {
  const { members, problem } = await readTar(source, signal);
  const found = new Map<string, Source>();
  for (const member of members.filter(({ name }) => parts.includes(name))) {
    const { name, kind, start, size } = member;
    if (kind !== 'file') throw unfollowed(member);
    if (found.has(name)) throw ambiguous(name);
    found.set(name, sliceSource(source, start, start + size, name));
  }
  if (found.size > 0) {
    if (problem && !needs.every((name) => found.has(name))) throw cut(problem);
    return found;
  }
  throw new FindingError({
    code: 'file-unknown',
    message: `a tar archive, but no checkpoint: it holds ${listed(members.map(({ name }) => JSON.stringify(name))) || 'nothing'}`,
    advice: 'Unpack it and open the checkpoint inside (.pt, .pth, .safetensors, .npz).',
  });
}

const needs = ['storages', 'pickle'];
const parts = [...needs, 'tensors', 'sys_info'];

function needed(members: ReadonlyMap<string, Source>, name: string): Source {
  const member = members.get(name);
  if (!member) throw cut(`tar: the member ${JSON.stringify(name)} is missing`);
  return member;
}

function cut(message: string): FindingError {
  return new FindingError({
    code: 'tar-broken',
    message,
    advice: 'The file is damaged or cut off: get it again from where it came from.',
  });
}

function ambiguous(name: string): FindingError {
  return new FindingError({
    code: 'tar-ambiguous',
    where: name,
    message: `tar: two members are called ${JSON.stringify(name)}`,
    advice: 'Readers disagree on which one counts. Get the file from a source that you trust.',
  });
}

function unfollowed({ name, kind }: TarMember): FindingError {
  return new FindingError({
    code: 'tar-link',
    where: name,
    message: `tar: the member ${JSON.stringify(name)} is no plain file (${kind}): it is not followed`,
    advice: 'PyTorch never wrote such a file. Get it from a source that you trust.',
  });
}

/** PyTorch does not look at `sys_info`; what a big-endian machine wrote, it reads wrong. */
async function checkSystem(
  member: Source | undefined,
  budget: Budget,
  signal?: AbortSignal,
): Promise<void> {
  if (!member) return;
  const { value } = await readWhole(member, MAX_SYSTEM, budget, signal);
  if (isDict(value) && value.get('little_endian') === false) {
    throw broken('the tar file was written on a big-endian machine');
  }
}

async function readWhole(
  member: Source,
  limit: number,
  budget: Budget,
  signal?: AbortSignal,
): Promise<Pickle> {
  if (member.size > limit) {
    throw broken(`the member "${member.name}" takes ${member.size} bytes, the limit is ${limit}`);
  }
  return readPickle(await member.read(0, member.size, signal), 0, budget);
}

/** Containers name their class by `(class, file, source)`. */
function isClass({ id }: PersistentId): boolean {
  return typeof id === 'object' && id?.kind === 'tuple';
}

/** A tensor or storage that the pickle names by a number as text. */
function objectOf(reference: PersistentId, { tensors, storages }: TarObjects): Value {
  const { id } = reference;
  if (typeof id !== 'string') throw broken(`a persistent id is ${told(id)}, expected a text`);
  const tensor = tensors.get(id);
  if (tensor) return tensor;
  const storage = storages.get(id);
  if (!storage) throw broken(`the pickle refers to the object ${told(id)}, which the file lacks`);
  return { ...reference, storage };
}

function outside(): never {
  throw broken('a persistent id of another format');
}

/** Files that PyTorch did not write name storages by plain tuples: those become persistent ids. */
function withIds(root: Value): Value {
  return rewrite(root, {
    after(value) {
      const isId =
        value.kind === 'tuple' && value.items[0] === 'storage' && value.items.length === 5;
      return isId ? { kind: 'persistent', id: value } : value;
    },
  });
}

function storageOf({ key, dtype, numel }: StorageReference, { storages }: TarObjects): Storage {
  const view = storages.get(key);
  if (!view) throw broken(`the pickle refers to the storage ${told(key)}, which the file lacks`);
  if (view.dtype !== dtype || view.numel !== numel) {
    throw broken(
      `storage ${told(key)} holds ${view.numel} of ${view.dtype}, the pickle says ${numel} of ${dtype}`,
    );
  }
  return view.storage;
}
