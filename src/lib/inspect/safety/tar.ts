/**
 * The directory of a tar file, as POSIX.1 (ustar) lays it out: what `torch.save` wrote before 0.1.10.
 * Links are not followed, sparse members and sizes that lie are said.
 */
import type { Source } from '#lib/file/source.ts';

const BLOCK = 512;
/** PyTorch's tar files have four members. */
const MAX_MEMBERS = 10_000;

export interface TarMember {
  readonly name: string;
  /** Offset of its header. */
  readonly offset: number;
  readonly size: number;
  /** `0` a file, `1` and `2` links, `5` a folder, `S` sparse. */
  readonly type: string;
}

/** Whether the first block is a tar header: its checksum says so, as old ones have no magic. */
export function isTar(head: Uint8Array): boolean {
  if (head.length < BLOCK) return false;
  const said = octal(head.subarray(148, 156));
  let sum = 8 * 0x20;
  for (let at = 0; at < BLOCK; at++) if (at < 148 || at >= 156) sum += head[at]!;
  return said === sum && sum > 8 * 0x20;
}

/** The members, and why the list may not be whole. */
export async function readTar(
  source: Source,
  signal?: AbortSignal,
): Promise<{ members: TarMember[]; problem?: string }> {
  const members: TarMember[] = [];
  let at = 0;
  while (at + BLOCK <= source.size) {
    const header = await source.read(at, at + BLOCK, signal);
    if (!isTar(header)) break;
    const size = octal(header.subarray(124, 136));
    const name = text(header.subarray(0, 100));
    if (size === null || at + BLOCK + size > source.size) {
      return { members, problem: `tar: the size of the member at byte ${at} cannot be true` };
    }
    members.push({ name, offset: at, size, type: String.fromCharCode(header[156]! || 0x30) });
    if (members.length >= MAX_MEMBERS) return { members, problem: 'tar: too many members' };
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return { members };
}

/** The payload of a member as a range of the file. */
export function memberRange({ offset, size }: TarMember): [start: number, end: number] {
  return [offset + BLOCK, offset + BLOCK + size];
}

function text(field: Uint8Array): string {
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

/** An octal field; null where it is none (the base-256 form holds sizes that no checkpoint has). */
function octal(field: Uint8Array): number | null {
  const digits = text(field).trim();
  return /^[0-7]+$/.test(digits) ? parseInt(digits, 8) : null;
}
