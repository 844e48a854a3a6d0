import { describe, expect, it } from 'vitest';
import { zipOf, type Member } from '../../../tests/fixtures/zip.ts';
import { bytesSource, type Source } from './source.ts';
import { entrySource, openZip, readEntry } from './zip.read.ts';

let word = 1;
/** Bytes that deflate finds nothing in (xorshift32). */
const noise = Uint8Array.from({ length: 3_000_000 }, () => {
  word ^= word << 13;
  word ^= word >>> 17;
  return (word ^= word << 5);
});

/** A deflated entry, and how many bytes of the file were read for it so far. */
async function deflated(bytes: Uint8Array, lies: Partial<Member> = {}) {
  const file = bytesSource(zipOf([{ name: 'a', bytes, deflated: true, ...lies }]));
  const read = { bytes: 0 };
  const counting: Source = {
    ...file,
    read(start, end) {
      read.bytes += end - start;
      return file.read(start, end);
    },
  };
  const zip = await openZip(counting);
  const entry = zip.entries.get('a')!;
  return { zip, entry, read, source: await entrySource(zip, entry) };
}

describe('a deflated entry', () => {
  it('is inflated only as far as it is read, and goes on where the last read ended', async () => {
    const { source, read, entry } = await deflated(noise);
    expect(entry.compressedSize).toBeGreaterThan(1_500_000);
    read.bytes = 0;
    expect(await source.read(0, 10)).toEqual(noise.subarray(0, 10));
    expect(read.bytes).toBeLessThan(entry.compressedSize);
    for (let at = 10; at < noise.length; at += 700_000) {
      const end = Math.min(at + 700_000, noise.length);
      expect(Buffer.compare(await source.read(at, end), noise.subarray(at, end))).toBe(0);
    }
    expect(read.bytes).toBe(entry.compressedSize);
  });

  it('gives any range, also further back and at the same time', async () => {
    const { source } = await deflated(noise);
    const ranges = [
      [2_000_000, 2_000_010],
      [5, 20],
      [20, 20],
      [2_999_990, 3_000_000],
      [0, 3],
    ] as const;
    const read = await Promise.all(ranges.map(([start, end]) => source.read(start, end)));
    read.forEach((bytes, index) => expect(bytes).toEqual(noise.subarray(...ranges[index]!)));
  });

  it('may be empty', async () => {
    const { source } = await deflated(new Uint8Array());
    expect(await source.read(0, 0)).toEqual(new Uint8Array());
  });

  it.each<[string, Partial<Member>, string]>([
    ['longer than it claims', { size: 99 }, 'zip: entry a does not inflate to the 99 bytes'],
    ['shorter than it claims', { size: 101 }, 'zip: entry a does not inflate to the 101 bytes'],
    ['of another CRC', { crc: 7 }, 'zip: entry a is damaged: its CRC-32 is'],
    ['no deflate stream', { deflated: false, method: 8 }, 'zip: entry a is damaged'],
    ['a bomb', { size: 2 ** 31 }, 'claims to inflate from'],
    ['encrypted', { flags: 1 }, 'zip: entry a is encrypted'],
    ['of an unknown method', { method: 14 }, 'zip: entry a uses the unknown method 14'],
  ])('is refused where it is %s', async (_, lies, message) => {
    const bytes = new Uint8Array(100).fill(0xff);
    const opened = deflated(bytes, lies).then(({ zip, entry }) => readEntry(zip, entry));
    await expect(opened).rejects.toThrow(message);
  });

  it('passes on why the file cannot be read, and works again once it can', async () => {
    const file = bytesSource(zipOf([{ name: 'a', bytes: noise, deflated: true }]));
    let broken = false;
    const flaky: Source = {
      ...file,
      read: (start, end) =>
        broken ? Promise.reject(new Error('the disk is gone')) : file.read(start, end),
    };
    const zip = await openZip(flaky);
    const source = await entrySource(zip, zip.entries.get('a')!);
    broken = true;
    await expect(source.read(0, 10)).rejects.toThrow('the disk is gone');
    broken = false;
    expect(await source.read(0, 10)).toEqual(noise.subarray(0, 10));
  });

  it('stops when aborted', async () => {
    const { source } = await deflated(noise);
    await expect(source.read(0, 10, AbortSignal.abort())).rejects.toThrow('aborted');
  });
});

describe('a stored entry', () => {
  const stored = async (lies: Partial<Member> = {}) => {
    const zip = await openZip(bytesSource(zipOf([{ name: 'a', bytes: noise, ...lies }])));
    return entrySource(zip, zip.entries.get('a')!);
  };

  it('has its CRC-32 checked when it is read in pieces, too', async () => {
    const source = await stored({ crc: 7 });
    await source.read(1_000_000, 2_000_000);
    await source.read(0, 1_000_000);
    await source.read(1_000_000, 2_000_000);
    await expect(source.read(2_000_000, 3_000_000)).rejects.toThrow('a is damaged: its CRC-32');
  });

  it('has it checked where its pieces are read at once, whoever else looks at its head', async () => {
    const read = async (source: Source) => {
      const pieces = [0, 1, 2].map((at) => source.read(at * 1_000_000, (at + 1) * 1_000_000));
      await source.read(0, 10);
      return Buffer.concat(await Promise.all(pieces));
    };
    expect(Buffer.compare(await read(await stored()), noise)).toBe(0);
    await expect(read(await stored({ crc: 7 }))).rejects.toThrow('a is damaged: its CRC-32');
  });

  it('has none where the writer left it out', async () => {
    const source = await stored({ crc: 0 });
    expect(Buffer.compare(await source.read(0, noise.length), noise)).toBe(0);
  });

  it('is refused where its sizes differ', async () => {
    await expect(stored({ size: 5 })).rejects.toThrow('stored entry a claims 5 bytes');
  });
});

it('entries may not overlap', async () => {
  const bytes = new Uint8Array(10);
  const file = zipOf([
    { name: 'a', bytes },
    { name: 'b', bytes, headerOffset: 0 },
  ]);
  await expect(openZip(bytesSource(file))).rejects.toThrow('entry "a" overlaps "b"');
});
