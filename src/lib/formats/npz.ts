/**
 * NumPy's .npz: a zip of .npy files, stored or deflated, each named for its array. Arrays are opened
 * by their headers. A member that holds no numbers (objects, texts, another file) is told of and
 * left out, as numpy.load too refuses objects only where somebody asks for them; a damaged one
 * refuses the file. Written as numpy.savez does: stored, flat, in the order of the dict.
 */
import { FindingError, type Finding } from '#lib/checkpoint/finding.ts';
import { Dict, type Value } from '#lib/checkpoint/value.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { entrySource, type Zip } from '#lib/file/zip.read.ts';
import { countedSink } from '#lib/file/sink.ts';
import { ZipWriter } from '#lib/file/zip.write.ts';
import { flatTensors, unwritable } from './flat.ts';
import type { Format } from './format.ts';
import { arrayFile, notNumbers, readArray } from './npy.ts';

const SUFFIX = '.npy';
/** Names that a message lists. */
const MAX_LISTED = 5;
/** The length of a name is a number of 16 bits in a zip. */
const MAX_NAME = 0xffff;

export const npz: Format = {
  name: 'npz',
  title: 'NumPy archive',
  extensions: ['.npz'],
  match: ({ zip }) => zip !== null && [...zip.entries.keys()].some(isArray),

  async read({ source, zip }, signal) {
    const root = new Dict();
    const names = [...zip!.entries.keys()];
    const findings: Finding[] = [];
    for (const name of names.filter(isArray)) {
      const array = await readMember(zip!, name, signal);
      if ('kind' in array) root.set(name.slice(0, -SUFFIX.length), array);
      else findings.push(array);
    }
    const [first] = findings;
    if (first && root.size === 0) throw new FindingError(first);
    const others = names.filter((name) => !isArray(name) && !name.endsWith('/'));
    if (others.length > 0) findings.push(noArrays(others));
    return {
      name: source.name,
      format: 'npz',
      size: source.size,
      root,
      metadata: new Map(),
      findings: findings.map((finding) => ({ ...finding, severity: 'warning' })),
      calls: [],
    };
  },

  check: namedTensors,
  async write(root, sink, { signal, onProgress }) {
    const files = namedTensors(root).map(
      ([key, tensor]) => [key, arrayFile(tensor, JSON.stringify(key), signal)] as const,
    );
    const zip = new ZipWriter(countedSink(sink, onProgress));
    for (const [key, { size, chunks }] of files) await zip.add(key + SUFFIX, size, chunks);
    await zip.finish();
  },
};

function isArray(name: string): boolean {
  return name.endsWith(SUFFIX);
}

/** Opens a member by its header; a finding where it is sound and holds no numbers. */
async function readMember(zip: Zip, name: string, signal?: AbortSignal): Promise<Tensor | Finding> {
  try {
    const source = await entrySource(zip, zip.entries.get(name)!, signal);
    return await readArray(source, signal);
  } catch (error) {
    if (!(error instanceof FindingError)) throw error;
    const { finding } = error;
    const message = finding.message.replace(/^npy: /, `npy: ${JSON.stringify(name)}: `);
    const named = { ...finding, where: name, message };
    if (notNumbers.has(finding.code)) return named;
    throw new FindingError(named);
  }
}

function noArrays(names: readonly string[]): Finding {
  const shown = names.slice(0, MAX_LISTED).map((name) => JSON.stringify(name));
  const more = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : '';
  return {
    code: 'npz-others',
    severity: 'warning',
    message: `npz: members that are no .npy are left out: ${shown.join(', ')}${more}`,
    advice: 'Unpack the file to look at them.',
  };
}

/** The tensors of a dict by names that a zip can hold and numpy.load can tell apart. */
function namedTensors(root: Value): [string, Tensor][] {
  const tensors = flatTensors(root, 'npz');
  if (tensors.length === 0) {
    throw unwritable(
      'npz',
      'empty',
      'there is no tensor to write, and nothing would tell an archive without one from other zips',
      'Save it as .pt or .safetensors.',
    );
  }
  const keys = new Set(tensors.map(([key]) => key));
  for (const key of keys) {
    const name = JSON.stringify(key);
    if (isArray(key) && keys.has(key.slice(0, -SUFFIX.length))) {
      throw unwritable(
        'npz',
        'name',
        `numpy.load cannot tell ${name} from the key without ${SUFFIX}`,
        'Rename one of them, or save as .safetensors.',
      );
    }
    const { length } = new TextEncoder().encode(key + SUFFIX);
    if (!key.isWellFormed() || key.includes('\0') || length > MAX_NAME) {
      throw unwritable(
        'npz',
        'name',
        `a zip cannot hold the name ${name.slice(0, 80)}`,
        'Rename the tensor, or save as .pt.',
      );
    }
  }
  return tensors;
}
