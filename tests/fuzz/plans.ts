/**
 * What to do to which file: a plan is plain data, so that a failure can be shrunk and repeated. The
 * container around an edited part is made anew where that is possible: checksums, sizes and lengths
 * are true unless the edit was of the bytes themselves.
 */
import fc from 'fast-check';
import { tarOf } from '../fixtures/tar.ts';
import { zipOf } from '../fixtures/zip.ts';
import {
  byteEdits,
  editBytes,
  editJson,
  editPickle,
  littleEndian,
  opcodeEdits,
  tokenEdits,
  type ByteEdit,
  type OpcodeEdit,
  type TokenEdit,
} from './edits.ts';

/** A sound file to start from. */
export interface Seed {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** What is packed together in it, and as what: an edited part is packed again. */
  readonly members?: readonly Member[];
  readonly container?: 'zip' | 'tar';
}

/** A sound folder: some edited file of it is damaged, or the files are not those there should be. */
export interface FolderSeed {
  readonly name: string;
  readonly files: readonly Seed[];
}

interface Member {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What is opened: one file, or the files of a folder. */
export interface Input {
  readonly name: string;
  readonly files: readonly Member[];
  readonly isFolder: boolean;
}

/** Seeds that are alike; each group has the same share of the inputs. */
export type Seeds = readonly (readonly (Seed | FolderSeed)[])[];

export interface Plan {
  /** Numbers of the group and of a seed in it, and of the file in a folder; they wrap around. */
  readonly group: number;
  readonly seed: number;
  readonly file: number;
  readonly change: Change;
}

type Change =
  /** Bytes anywhere, or in the first or last of them, where headers and directories are. */
  | { readonly in: 'file' | 'front' | 'back'; readonly edits: readonly ByteEdit[] }
  /** Bytes of a member; the zip or tar around it is sound. */
  | { readonly in: 'member'; readonly member: number; readonly edits: readonly ByteEdit[] }
  /** Opcodes of a pickle in a zip or tar, or of a bare or legacy file. */
  | { readonly in: 'pickle'; readonly member: number; readonly edits: readonly OpcodeEdit[] }
  /** Tokens of a JSON text, or of the header of a safetensors or .npy file, or of one in a zip. */
  | { readonly in: 'json'; readonly member: number; readonly edits: readonly TokenEdit[] }
  /** A zip, tar or folder whose directory lies about a member. */
  | {
      readonly in: 'directory';
      readonly member: number;
      readonly field: 'size' | 'crc' | 'flags' | 'method' | 'headerOffset' | 'name' | 'deflated';
      readonly value: number;
    }
  /** One file behind another. */
  | { readonly in: 'append'; readonly other: number };

const member = fc.nat(1000);
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ in: fc.constant('file' as const), edits: byteEdits }) },
  { weight: 2, arbitrary: fc.record({ in: fc.constant('front' as const), edits: byteEdits }) },
  { weight: 2, arbitrary: fc.record({ in: fc.constant('back' as const), edits: byteEdits }) },
  {
    weight: 3,
    arbitrary: fc.record({ in: fc.constant('member' as const), member, edits: byteEdits }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ in: fc.constant('pickle' as const), member, edits: opcodeEdits }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ in: fc.constant('json' as const), member, edits: tokenEdits }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      in: fc.constant('directory' as const),
      member,
      field: fc.constantFrom(
        ...(['size', 'crc', 'flags', 'method', 'headerOffset', 'name', 'deflated'] as const),
      ),
      value: fc.oneof(fc.constantFrom(0, 1, 8, 12, 99, 0x7fff_ffff, 0xffff_ffff), fc.nat(100_000)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ in: fc.constant('append' as const), other: fc.nat() }) },
);

export const plans: fc.Arbitrary<Plan> = fc.record({
  group: fc.nat(),
  seed: fc.nat(),
  file: fc.nat(),
  change,
});

/** Bytes at the front and the back of a file that hold its header or directory. */
const EDGE = 2048;

/** What a plan describes. A change that does not fit a seed is made to its bytes. */
export function carryOut({ group, seed, file, change }: Plan, seeds: Seeds): Input {
  const alike = seeds[group % seeds.length]!;
  const from = alike[seed % alike.length]!;
  const { name } = from;
  const edit = (it: Seed): Member => ({ name: it.name, bytes: changed(it, change, alike) });
  if (!('files' in from)) return { name, files: [edit(from)], isFolder: false };
  const at = file % from.files.length;
  const isDirectory = change.in === 'directory' && !from.files[at]!.members;
  const files = isDirectory
    ? shuffled(from.files, at, change)
    : from.files.map((it, index) => (index === at ? edit(it) : it));
  return { name, files, isFolder: true };
}

/** The files of a folder with one of them missing, under another's name, or there twice. */
function shuffled(
  files: readonly Seed[],
  at: number,
  { field, value }: Extract<Change, { in: 'directory' }>,
): Member[] {
  const other = files[value % files.length]!;
  const renamed = { ...files[at]!, name: field === 'crc' ? `sub/${other.name}` : other.name };
  if (field === 'size') return files.filter((_, index) => index !== at);
  if (field === 'method') return [...files, renamed];
  return files.map((file, index) => (index === at ? renamed : file));
}

function changed(seed: Seed, change: Change, alike: Seeds[number]): Uint8Array {
  const { bytes, members } = seed;
  switch (change.in) {
    case 'file':
      return editBytes(bytes, change.edits);
    case 'front':
      return join(editBytes(bytes.subarray(0, EDGE), change.edits), bytes.subarray(EDGE));
    case 'back': {
      const at = Math.max(0, bytes.length - EDGE);
      return join(bytes.subarray(0, at), editBytes(bytes.subarray(at), change.edits));
    }
    case 'member':
      if (!members?.length) return editBytes(bytes, change.edits);
      return packedWith(seed, change.member % members.length, (part) =>
        editBytes(part, change.edits),
      );
    case 'pickle':
      return editMember(seed, change.member, isPickle, (part) => editPickle(part, change.edits));
    case 'json':
      return editMember(seed, change.member, hasHeader, (part) => editHeader(part, change.edits));
    case 'directory': {
      if (!members?.length) return bytes;
      const { field, value } = change;
      const lie =
        field === 'name'
          ? { name: members[value % members.length]!.name }
          : { [field]: field === 'deflated' ? true : value };
      const at = change.member % members.length;
      return packed(
        seed,
        members.map((part, index) => (index === at ? { ...part, ...lie } : part)),
      );
    }
    case 'append': {
      const other = alike[change.other % alike.length]!;
      return join(bytes, 'bytes' in other ? other.bytes : other.files[0]!.bytes);
    }
    default:
      return change satisfies never;
  }
}

function isPickle({ name, bytes }: Member): boolean {
  return name.endsWith('.pkl') || (bytes[0] === 0x80 && bytes[1] === 2);
}

function hasHeader({ name }: Member): boolean {
  return /\.(json|npy)$/.test(name);
}

/** Edits one of the members that `is` picks, or the file itself where it has none. */
function editMember(
  seed: Seed,
  member: number,
  is: (member: Member) => boolean,
  edit: (bytes: Uint8Array) => Uint8Array,
): Uint8Array {
  const fitting = [...(seed.members ?? []).entries()].filter(([, part]) => is(part));
  if (fitting.length === 0) return edit(seed.bytes);
  return packedWith(seed, fitting[member % fitting.length]![0], edit);
}

function packedWith(
  seed: Seed,
  index: number,
  edit: (bytes: Uint8Array) => Uint8Array,
): Uint8Array {
  const members = seed.members!.map((part, at) =>
    at === index ? { ...part, bytes: edit(part.bytes) } : part,
  );
  return packed(seed, members);
}

/** What a member may lie about, in the words of either container. */
type Lie = Parameters<typeof zipOf>[0][number];

function packed({ container }: Seed, members: readonly Lie[]): Uint8Array {
  if (container !== 'tar') return zipOf(members);
  return tarOf(
    members.map(({ name, bytes, size, method, flags }) => ({
      name,
      bytes,
      ...(size !== undefined && { size: size.toString(8).padStart(11, '0') }),
      ...(method !== undefined && { type: '012345SLKxgXV'[method % 13]! }),
      ...(flags !== undefined && { size: '\xff'.repeat(12) }),
    })),
  );
}

/** A JSON text, or a header with its length made true. */
function editHeader(bytes: Uint8Array, edits: readonly TokenEdit[]): Uint8Array {
  const edit = (part: Uint8Array) =>
    new TextEncoder().encode(editJson(new TextDecoder().decode(part), edits));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isNpy = bytes[0] === 0x93;
  if (!isNpy && bytes[8] !== 0x7b) return edit(bytes);
  // The length and its place: 64 bits in safetensors, 16 in version 1 of .npy and 32 in later ones.
  const [at, size] = isNpy ? [8, bytes[6] === 1 ? 2 : 4] : [0, 8];
  const start = at + size;
  const end = start + (size === 2 ? view.getUint16(at, true) : view.getUint32(at, true));
  const header = edit(bytes.subarray(start, end));
  return join(
    bytes.subarray(0, at),
    littleEndian(BigInt(header.length), size),
    header,
    bytes.subarray(end),
  );
}

function join(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
