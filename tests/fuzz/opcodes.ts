import { opcodes, type OpcodeName } from '#lib/pickle/opcodes.ts';

/** What follows an opcode: bytes, a length of so many bytes and as many bytes, or lines of text. */
type Argument =
  { readonly bytes: number } | { readonly length: 1 | 4 | 8 } | { readonly lines: 1 | 2 };

const kinds: readonly [Argument, readonly OpcodeName[]][] = [
  [{ bytes: 1 }, ['BINPUT', 'BINGET', 'BININT1', 'PROTO', 'EXT1']],
  [{ bytes: 2 }, ['BININT2', 'EXT2']],
  [{ bytes: 4 }, ['BININT', 'LONG_BINPUT', 'LONG_BINGET', 'EXT4']],
  [{ bytes: 8 }, ['BINFLOAT', 'FRAME']],
  [{ length: 1 }, ['SHORT_BINSTRING', 'SHORT_BINUNICODE', 'SHORT_BINBYTES', 'LONG1']],
  [{ length: 4 }, ['BINUNICODE', 'BINSTRING', 'BINBYTES', 'LONG4']],
  [{ length: 8 }, ['BINUNICODE8', 'BINBYTES8', 'BYTEARRAY8']],
  [{ lines: 1 }, ['PERSID', 'INT', 'LONG', 'FLOAT', 'STRING', 'UNICODE', 'GET', 'PUT']],
  [{ lines: 2 }, ['GLOBAL', 'INST']],
];
const argumentOf = new Map<number, Argument>(
  kinds.flatMap(([argument, names]) => names.map((name) => [opcodes[name], argument] as const)),
);

/** Opcodes that are looked at; a longer pickle says the same again. */
const MAX_OPCODES = 5000;

/**
 * Where the opcodes of the pickle in front begin, and where the last of them ends. Stops at STOP and
 * at an argument that reaches out of the bytes, so that a damaged pickle can be damaged further.
 */
export function opcodeBoundaries(bytes: Uint8Array): number[] {
  const boundaries = [0];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length && boundaries.length < MAX_OPCODES;) {
    const code = bytes[at]!;
    at = argumentEnd(view, at + 1, argumentOf.get(code));
    if (!(at <= bytes.length)) break;
    boundaries.push(at);
    if (code === opcodes.STOP) break;
  }
  return boundaries;
}

/** Where an argument that begins at `at` ends; Infinity where its length does not fit. */
function argumentEnd(view: DataView, at: number, argument: Argument | undefined): number {
  if (!argument) return at;
  if ('bytes' in argument) return at + argument.bytes;
  if ('length' in argument) {
    const { length } = argument;
    if (at + length > view.byteLength) return Infinity;
    let size = 0;
    for (let byte = length - 1; byte >= 0; byte--) size = size * 256 + view.getUint8(at + byte);
    return at + length + size;
  }
  let end = at;
  for (let line = 0; line < argument.lines; line++) {
    while (end < view.byteLength && view.getUint8(end) !== 0x0a) end++;
    end++;
  }
  return end;
}
