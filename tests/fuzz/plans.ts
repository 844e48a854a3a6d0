/**
 * What to do to which file: a plan is plain data, so that a failure can be shrunk and repeated. The
 * container around an edited part is made anew where that is possible: checksums, sizes and lengths
 * are true unless the edit was of the bytes themselves.
 */
import fc from 'fast-check';
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

/** A sound file to start from; the members of a zip are kept beside it. */
export interface Seed {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly members?: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

export interface Plan {
  /** Number of the seed; wraps around. */
  readonly seed: number;
  readonly change: Change;
}

type Change =
  /** Bytes anywhere, or in the first or last of them, where headers and directories are. */
  | { readonly in: 'file' | 'front' | 'back'; readonly edits: readonly ByteEdit[] }
  /** Bytes of a zip's member; the zip is sound. */
  | { readonly in: 'member'; readonly member: number; readonly edits: readonly ByteEdit[] }
  /** Opcodes of the pickle in a zip, or of a bare or legacy file. */
  | { readonly in: 'pickle'; readonly edits: readonly OpcodeEdit[] }
  /** Tokens of the header of a safetensors or .npy file, or of one of those in a zip. */
  | { readonly in: 'json'; readonly edits: readonly TokenEdit[] }
  /** A zip whose directory lies about a member. */
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
  { weight: 8, arbitrary: fc.record({ in: fc.constant('pickle' as const), edits: opcodeEdits }) },
  { weight: 3, arbitrary: fc.record({ in: fc.constant('json' as const), edits: tokenEdits }) },
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

export const plans: fc.Arbitrary<Plan> = fc.record({ seed: fc.nat(), change });

/** Bytes at the front and the back of a file that hold its header or directory. */
const EDGE = 2048;

/** The file that a plan describes. A change that does not fit a seed is made to its bytes. */
export function carryOut(
  { seed, change }: Plan,
  seeds: readonly Seed[],
): { name: string; bytes: Uint8Array } {
  const from = seeds[seed % seeds.length]!;
  return { name: from.name, bytes: changed(from, change, seeds) };
}

function changed({ bytes, members }: Seed, change: Change, seeds: readonly Seed[]): Uint8Array {
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
      return zipWith(members, change.member % members.length, (part) =>
        editBytes(part, change.edits),
      );
    case 'pickle': {
      const index = members?.findIndex(({ name }) => name.endsWith('.pkl')) ?? -1;
      if (index < 0) return editPickle(bytes, change.edits);
      return zipWith(members!, index, (part) => editPickle(part, change.edits));
    }
    case 'json':
      return editHeader(bytes, members, change.edits);
    case 'directory': {
      if (!members?.length) return bytes;
      const { field, value } = change;
      const lie =
        field === 'name'
          ? { name: members[value % members.length]!.name }
          : { [field]: field === 'deflated' ? true : value };
      const at = change.member % members.length;
      return zipOf(members.map((part, index) => (index === at ? { ...part, ...lie } : part)));
    }
    case 'append':
      return join(bytes, seeds[change.other % seeds.length]!.bytes);
    default:
      return change satisfies never;
  }
}

function zipWith(
  members: NonNullable<Seed['members']>,
  index: number,
  edit: (bytes: Uint8Array) => Uint8Array,
): Uint8Array {
  return zipOf(
    members.map((part, at) => (at === index ? { ...part, bytes: edit(part.bytes) } : part)),
  );
}

/** A header with its length made true, of the file or of a zip's first member that has one. */
function editHeader(bytes: Uint8Array, members: Seed['members'], edits: readonly TokenEdit[]) {
  const index = members?.findIndex(({ name }) => /\.(json|npy)$/.test(name)) ?? -1;
  if (index >= 0) return zipWith(members!, index, (part) => editHeaderOf(part, edits));
  return editHeaderOf(bytes, edits);
}

function editHeaderOf(bytes: Uint8Array, edits: readonly TokenEdit[]): Uint8Array {
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
