import { describe, expect, it } from 'vitest';
import { paxOf, tarOf, type TarPart } from '../../../tests/fixtures/tar.ts';
import { bytesSource } from './source.ts';
import { isTar, readTar } from './tar.read.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const list = (parts: readonly TarPart[]) => readTar(bytesSource(tarOf(parts)));

describe('tar', () => {
  it('lists members as ranges of the file', async () => {
    const file = tarOf([
      { name: 'a', bytes: bytes('one') },
      { name: 'b/', type: '5' },
      { name: 'c', bytes: new Uint8Array(600), prefix: 'long/way' },
    ]);
    expect(isTar(file.subarray(0, 512))).toBe(true);
    const source = bytesSource(file);
    const { members, problem } = await readTar(source);
    expect(problem).toBeUndefined();
    expect(members).toEqual([
      { name: 'a', kind: 'file', offset: 0, start: 512, size: 3 },
      { name: 'b/', kind: 'folder', offset: 1024, start: 1536, size: 0 },
      { name: 'long/way/c', kind: 'file', offset: 1536, start: 2048, size: 600 },
    ]);
    expect(await source.read(512, 515)).toEqual(bytes('one'));
  });

  it.each<[string, TarPart]>([
    ['GNU tar', { name: '././@LongLink', type: 'L', bytes: bytes('a longer name\0') }],
    ['pax', { name: 'x', type: 'x', bytes: paxOf([['path', 'a longer name']]) }],
    ['pax, for all members', { name: 'x', type: 'g', bytes: paxOf([['path', 'a longer name']]) }],
  ])('takes the name from the header of %s before a member', async (_, extension) => {
    const { members } = await list([extension, { name: 'short', bytes: bytes('1') }]);
    expect(members).toMatchObject([{ name: 'a longer name', kind: 'file', size: 1 }]);
  });

  it('takes sizes in base 256 and from pax', async () => {
    const size = '\x80' + '\0'.repeat(10) + '\x03';
    const pax = paxOf([
      ['comment', 'no name'],
      ['size', '4'],
    ]);
    const { members } = await list([
      { name: 'a', bytes: bytes('one'), size },
      { name: 'x', type: 'x', bytes: pax },
      { name: 'b', bytes: bytes('four'), size: '00000000000' },
    ]);
    expect(members).toMatchObject([{ size: 3 }, { size: 4 }]);
  });

  it.each<[string, TarPart, string]>([
    ['a symbolic link', { name: 'a', type: '2' }, 'link'],
    ['a hard link that claims a size', { name: 'a', type: '1', size: '00000007777' }, 'link'],
    ['a device', { name: 'a', type: '3' }, 'other'],
    ['an unknown type', { name: 'a', type: 'V', bytes: bytes('1') }, 'other'],
    ['a folder of the first tars', { name: 'a/' }, 'folder'],
  ])('lists %s without following it', async (_, part, kind) => {
    const { members, problem } = await list([part, { name: 'b', bytes: bytes('1') }]);
    expect(problem).toBeUndefined();
    expect(members).toMatchObject([{ kind }, { name: 'b', kind: 'file' }]);
  });

  it.each<[string, readonly TarPart[], string, number]>([
    [
      'is negative',
      [{ name: 'a', size: '-0000001000' }],
      'the size of the member at byte 0 cannot be true',
      0,
    ],
    [
      'is negative in base 256',
      [{ name: 'a', size: '\xff'.repeat(12) }],
      'the size of the member at byte 0 cannot be true',
      0,
    ],
    [
      'is larger than the file',
      [
        { name: 'a', bytes: bytes('1') },
        { name: 'b', size: '77777777777' },
      ],
      'the size of the member at byte 1024 cannot be true',
      1,
    ],
    [
      'is no number',
      [{ name: 'a', size: '0000000009x' }],
      'the size of the member at byte 0 cannot be true',
      0,
    ],
    [
      'belongs to a sparse member',
      [{ name: 'a', type: 'S', bytes: bytes('1') }, { name: 'b' }],
      'the member at byte 0 is sparse: not followed',
      1,
    ],
  ])('ends the list where a size %s', async (_, parts, problem, count) => {
    const found = await list(parts);
    expect(found.problem).toBe(`tar: ${problem}`);
    expect(found.members).toHaveLength(count);
  });

  it('marks what pax calls sparse', async () => {
    const pax = paxOf([['GNU.sparse.major', '1']]);
    const { members } = await list([{ name: 'x', type: 'x', bytes: pax }, { name: 'a' }]);
    expect(members).toMatchObject([{ kind: 'sparse' }]);
  });

  it.each([
    ['no length', 'path=a\n'],
    ['a length past its end', '99 path=a\n'],
    ['no equals sign', '8 patha\n'],
    ['no end of line', '9 path=ab'],
    ['a size that is no number', '11 size=-1\n'],
  ])('ends the list at an extended header with %s', async (_, text) => {
    const { members, problem } = await list([
      { name: 'x', type: 'x', bytes: bytes(text) },
      { name: 'a' },
    ]);
    expect(members).toEqual([]);
    expect(problem).toBe('tar: the extended header at byte 512 is broken');
  });

  it('says where something follows that is no header', async () => {
    const { members, problem } = await list([
      { name: 'a', bytes: bytes('1') },
      { name: 'b', broken: true },
    ]);
    expect(members).toHaveLength(1);
    expect(problem).toBe('tar: the block at byte 1024 is no header');
  });
});
