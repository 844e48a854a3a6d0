/**
 * The directory of a tar file, as Python's tarfile reads it: POSIX.1 (ustar) with the headers by
 * which GNU tar and pax give a member a longer name. `torch.save` wrote such files before 0.1.10.
 * Nothing is unpacked: members are ranges of the file. Links and sparse members are listed as what
 * they are and never followed; a size that cannot be true ends the list, and is said.
 */
import type { Source } from './source.ts';

const BLOCK = 512;
/** PyTorch's tar files have four members; the list of others is for a message. */
const MAX_MEMBERS = 10_000;
/** A header that only names the next member; pax's can hold comments, too. */
const MAX_EXTENSION = 2 ** 20;

export interface TarMember {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'link' | 'sparse' | 'other';
  /** Offset of its header. */
  readonly offset: number;
  /** Offset of its payload. */
  readonly start: number;
  /** Bytes of its payload. */
  readonly size: number;
}

/** What a header of GNU tar or pax says of the member behind it. */
interface Extension {
  readonly name?: string;
  readonly size?: number;
  readonly isSparse?: boolean;
}

/** Whether a block is a tar header: its checksum says so, as old ones have no magic. */
export function isTar(block: Uint8Array): boolean {
  if (block.length < BLOCK) return false;
  const said = number(block.subarray(148, 156));
  // The field itself counts as eight spaces. Some old programs added up signed bytes.
  let [unsigned, signed] = [8 * 0x20, 8 * 0x20];
  for (let at = 0; at < BLOCK; at++) {
    if (at >= 148 && at < 156) continue;
    const byte = block[at]!;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  return (said === unsigned || said === signed) && unsigned > 8 * 0x20;
}

/** The members in the order of the file, and why the list may not be whole. */
export async function readTar(
  source: Source,
  signal?: AbortSignal,
): Promise<{ members: TarMember[]; problem?: string }> {
  const members: TarMember[] = [];
  const ended = (problem: string) => ({ members, problem: `tar: ${problem}` });
  let forAll: Extension = {};
  let next: Extension = {};
  for (let at = 0; at + BLOCK <= source.size;) {
    const header = await source.read(at, at + BLOCK, signal);
    if (!isTar(header)) {
      if (header.every((byte) => byte === 0)) break;
      return ended(`the block at byte ${at} is no header`);
    }
    const type = String.fromCharCode(header[156]! || 0x30);
    const start = at + BLOCK;
    const size = next.size ?? forAll.size ?? number(header.subarray(124, 136));
    const stored = withoutPayload.includes(type) ? 0 : size;
    if (size === null || stored === null || !(start + stored <= source.size)) {
      return ended(`the size of the member at byte ${at} cannot be true`);
    }
    at = start + Math.ceil(stored / BLOCK) * BLOCK;
    if (extensions.includes(type)) {
      if (stored > MAX_EXTENSION) return ended(`the name at byte ${start} takes ${stored} bytes`);
      const bytes = await source.read(start, start + stored, signal);
      const extension = extensionOf(type, bytes);
      if (!extension) return ended(`the extended header at byte ${start} is broken`);
      if (type === 'g') forAll = { ...forAll, ...extension };
      else next = { ...next, ...extension };
      continue;
    }
    const extended = { ...forAll, ...next };
    const name = extended.name ?? nameOf(header, type);
    const kind = extended.isSparse ? 'sparse' : kindOf(type, name);
    members.push({ name, kind, offset: start - BLOCK, start, size: stored });
    // Where a sparse member of GNU tar ends is only known to who follows its map.
    if (type === 'S') return ended(`the member at byte ${start - BLOCK} is sparse: not followed`);
    if (members.length >= MAX_MEMBERS) return ended(`more than ${MAX_MEMBERS} members`);
    next = {};
  }
  return { members };
}

/** Links, devices, folders and queues: what their headers say of a size is without meaning. */
const withoutPayload = '123456';
/** Names and links of GNU tar; pax headers for the next member, for all that follow, of Solaris. */
const extensions = 'LKxgX';

function kindOf(type: string, name: string): TarMember['kind'] {
  if (type === '5') return 'folder';
  if (type === '0' || type === '7') return name.endsWith('/') ? 'folder' : 'file';
  if (type === '1' || type === '2') return 'link';
  return type === 'S' ? 'sparse' : 'other';
}

/** The name of a header, with the prefix that ustar has for long ones. */
function nameOf(header: Uint8Array, type: string): string {
  const name = text(header.subarray(0, 100));
  const prefix = text(header.subarray(345, 500));
  return prefix && type !== 'S' ? `${prefix}/${name}` : name;
}

/** What an extended header says; null where it is none. */
function extensionOf(type: string, bytes: Uint8Array): Extension | null {
  if (type === 'L') return { name: text(bytes) };
  return type === 'K' ? {} : paxExtension(bytes);
}

/** Records `LENGTH KEY=VALUE\n`, where the length counts the whole record. */
function paxExtension(bytes: Uint8Array): Extension | null {
  let extension: Extension = {};
  for (let at = 0; at < bytes.length && bytes[at] !== 0;) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(/^\d{1,7}$/.exec(text(bytes.subarray(at, Math.max(at, space))))?.[0]);
    if (!(length > space - at && at + length <= bytes.length)) return null;
    const record = text(bytes.subarray(space + 1, at + length - 1));
    const equals = record.indexOf('=');
    if (equals < 1 || bytes[at + length - 1] !== 0x0a) return null;
    const [key, value] = [record.slice(0, equals), record.slice(equals + 1)];
    if (key === 'path') extension = { ...extension, name: value };
    if (key === 'size') {
      if (!/^\d{1,15}$/.test(value)) return null;
      extension = { ...extension, size: Number(value) };
    }
    if (key.startsWith('GNU.sparse.')) extension = { ...extension, isSparse: true };
    at += length;
  }
  return extension;
}

function text(field: Uint8Array): string {
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

/** An octal field, or GNU tar's form in base 256; null where it is none or too large for a size. */
function number(field: Uint8Array): number | null {
  if (field[0] === 0x80) {
    const value = field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
    return Number.isSafeInteger(value) ? value : null;
  }
  const digits = text(field).trim();
  return /^[0-7]*$/.test(digits) ? parseInt(digits || '0', 8) : null;
}
