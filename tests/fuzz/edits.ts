/**
 * Edits that turn a sound file into a damaged or hostile one, as plain data: fast-check makes them,
 * shrinks them and prints them. An edit knows a structure (bytes, opcodes of a pickle, fields of a
 * JSON header) and leaves what is around it sound, so that damage gets past the outer checks.
 * Places are fractions of what is there, so that one edit fits every file.
 */
import fc from 'fast-check';
import { opcodeBoundaries } from './opcodes.ts';

/** Numbers that readers get wrong: ends of the integer types, and their neighbours. */
const extremes = [
  0n,
  1n,
  0x7fn,
  0xffn,
  0xffffn,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  2n ** 53n,
  2n ** 62n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** Opcodes that ask for much, reach for what is not there, or name what must not run. */
const snippets = [
  'cos\nsystem\n',
  'cbuiltins\neval\n',
  'ctorch._utils\n_rebuild_tensor_v2\n',
  'ctorch._utils\n_rebuild_sparse_tensor\n',
  'ctorch._utils\n_rebuild_qtensor\n',
  'ctorch._tensor\n_rebuild_from_type_v2\n',
  'cnumpy._core.multiarray\n_reconstruct\n',
  'ccollections\nOrderedDict\n',
  '\x8e\xff\xff\xff\xff\xff\xff\xff\x3f',
  '\x8d\x00\x00\x00\x00\x00\x00\x00\x40',
  '\x96\xff\xff\xff\xff\xff\xff\xff\x7f',
  'X\xff\xff\xff\xff',
  '\x8b\xff\xff\xff\x7f',
  '\x8b\xff\xff\xff\xff',
  '\x95\xff\x00\x00\x00\x00\x00\x00\x00',
  '\x95\x00\x00\x00\x00\x00\x00\x00\x00',
  'r\xff\xff\xff\x7f',
  'j\xff\xff\xff\x7f',
  'h\x00',
  'h\x01',
  'q\x00',
  '\x94',
  '\x82\x01',
  '\x84\xff\xff\xff\xff',
  'ios\nsystem\n',
  'o',
  '\x92',
  '\x97',
  '\x98',
  '\x93',
  '0',
  '1',
  '2',
  '(',
  ')',
  ']',
  '}',
  '\x8f',
  'a',
  'e',
  's',
  'u',
  '\x90',
  '\x91',
  't',
  '\x85',
  'R',
  'b',
  '\x81',
  'Q',
  '.',
  'N',
  'K\x00',
  'J\xff\xff\xff\xff',
  'Pstorage\n',
  'I99999999999999999999\n',
  'Fnan\n',
  'L-1L\n',
].map((text) => Uint8Array.from(text, (character) => character.charCodeAt(0)));

/** From 0 up to 1, everywhere alike: unbiased, as the ends of a file are not the likeliest places. */
const place = fc.noBias(fc.nat(2 ** 24 - 1)).map((part) => part / 2 ** 24);
const extreme = fc.constantFrom(...extremes);
const some = fc.uint8Array({ minLength: 1, maxLength: 8 });

/** Of any bytes. */
const byteEdit = fc.oneof(
  fc.record({ edit: fc.constant('set' as const), at: place, value: fc.nat(255) }),
  fc.record({
    edit: fc.constant('number' as const),
    at: place,
    size: fc.constantFrom(1, 2, 4, 8),
    value: extreme,
  }),
  fc.record({ edit: fc.constant('insert' as const), at: place, bytes: some }),
  fc.record({
    edit: fc.constant('remove' as const),
    at: place,
    count: fc.integer({ min: 1, max: 64 }),
  }),
  fc.record({ edit: fc.constant('copy' as const), from: place, at: place, count: fc.nat(64) }),
  fc.record({ edit: fc.constant('cut' as const), at: place }),
);
export type ByteEdit = typeof byteEdit extends fc.Arbitrary<infer T> ? T : never;

/** Of a pickle's opcodes. */
const opcodeEdit = fc.oneof(
  fc.record({
    edit: fc.constant('snippet' as const),
    at: place,
    snippet: fc.constantFrom(...snippets),
  }),
  fc.record({
    edit: fc.constant('replace' as const),
    at: place,
    snippet: fc.constantFrom(...snippets),
  }),
  fc.record({ edit: fc.constant('drop' as const), at: place }),
  fc.record({
    edit: fc.constant('again' as const),
    from: place,
    at: place,
    count: fc.integer({ min: 1, max: 8 }),
  }),
  fc.record({ edit: fc.constant('argument' as const), at: place, value: extreme }),
);
export type OpcodeEdit = typeof opcodeEdit extends fc.Arbitrary<infer T> ? T : never;

/** Of the tokens of a JSON text. */
const tokenEdit = fc.oneof(
  fc.record({
    edit: fc.constant('token' as const),
    at: place,
    text: fc.constantFrom(
      ...extremes.map(String),
      ...['-1', '1e3', '0.5', '-0', 'null', 'true', '[]', '{}', '""', '"F32"', '"__metadata__"'],
      ...['"\\u0000"', '"../x"', '[[[[', '9007199254740993', ',', ':'],
    ),
  }),
  fc.record({ edit: fc.constant('twice' as const), from: place, at: place }),
  fc.record({ edit: fc.constant('drop' as const), at: place }),
);
export type TokenEdit = typeof tokenEdit extends fc.Arbitrary<infer T> ? T : never;

/** A short list: most damage is one thing in one place. */
const few = <T>(edit: fc.Arbitrary<T>) =>
  fc.array(edit, { minLength: 1, maxLength: 6, size: 'max' });
export const byteEdits = few(byteEdit);
export const opcodeEdits = few(opcodeEdit);
export const tokenEdits = few(tokenEdit);

export function editBytes(bytes: Uint8Array, edits: readonly ByteEdit[]): Uint8Array {
  let edited = bytes;
  for (const edit of edits) edited = editOnce(edited, edit);
  return edited;
}

function editOnce(bytes: Uint8Array, edit: ByteEdit): Uint8Array {
  const at = Math.floor(edit.at * bytes.length);
  switch (edit.edit) {
    case 'set':
      return splice(bytes, at, 1, Uint8Array.of(edit.value));
    case 'number':
      return splice(bytes, at, edit.size, littleEndian(edit.value, edit.size));
    case 'insert':
      return splice(bytes, at, 0, edit.bytes);
    case 'remove':
      return splice(bytes, at, edit.count, new Uint8Array());
    case 'copy': {
      const from = Math.floor(edit.from * bytes.length);
      return splice(bytes, at, 0, bytes.slice(from, from + edit.count));
    }
    case 'cut':
      return bytes.slice(0, at);
    default:
      return edit satisfies never;
  }
}

/** Edits the first pickle in `bytes`; what follows it stays. */
export function editPickle(bytes: Uint8Array, edits: readonly OpcodeEdit[]): Uint8Array {
  let edited = bytes;
  for (const edit of edits) edited = editOpcode(edited, edit);
  return edited;
}

function editOpcode(bytes: Uint8Array, edit: OpcodeEdit): Uint8Array {
  const starts = opcodeBoundaries(bytes);
  const index = Math.floor(edit.at * (starts.length - 1));
  const [start, end] = [starts[index] ?? 0, starts[index + 1] ?? bytes.length];
  switch (edit.edit) {
    case 'snippet':
      return splice(bytes, start, 0, edit.snippet);
    case 'replace':
      return splice(bytes, start, end - start, edit.snippet);
    case 'drop':
      return splice(bytes, start, end - start, new Uint8Array());
    case 'again': {
      const from = Math.floor(edit.from * (starts.length - 1));
      const upTo = starts[Math.min(from + edit.count, starts.length - 1)] ?? 0;
      return splice(bytes, start, 0, bytes.slice(starts[from] ?? 0, upTo));
    }
    case 'argument': {
      const size = Math.min(8, end - start - 1);
      return splice(bytes, start + 1, size, littleEndian(edit.value, size));
    }
    default:
      return edit satisfies never;
  }
}

/** Edits a JSON text by tokens. */
export function editJson(text: string, edits: readonly TokenEdit[]): string {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[\w.+-]+|[^\s\w]/g) ?? [];
  for (const edit of edits) {
    const at = Math.floor(edit.at * tokens.length);
    if (edit.edit === 'token') tokens.splice(at, 1, edit.text);
    else if (edit.edit === 'drop') tokens.splice(at, 1);
    else tokens.splice(at, 0, ...tokens.slice(Math.floor(edit.from * tokens.length)).slice(0, 12));
  }
  return tokens.join('');
}

export function littleEndian(value: bigint, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, byte) =>
    Number((value >> BigInt(8 * byte)) & 0xffn),
  );
}

function splice(bytes: Uint8Array, at: number, remove: number, put: Uint8Array): Uint8Array {
  const rest = bytes.subarray(Math.min(bytes.length, at + remove));
  const spliced = new Uint8Array(at + put.length + rest.length);
  spliced.set(bytes.subarray(0, at));
  spliced.set(put, at);
  spliced.set(rest, at + put.length);
  return spliced;
}
