import { describe, expect, it } from 'vitest';
import { memorySink } from './sink.ts';
import { bytesSource, type Source } from './source.ts';
import { entrySource, openZip, readEntry } from './zip.read.ts';
import { ZipWriter } from './zip.write.ts';

const text = (string: string) => new TextEncoder().encode(string);

async function write(files: [string, Uint8Array][]) {
  const sink = memorySink();
  const writer = new ZipWriter(sink);
  for (const [name, bytes] of files) await writer.add(name, bytes.length, [bytes]);
  await writer.finish();
  return sink.bytes();
}

describe('zip', () => {
  it('reads back what it writes, payloads aligned to 64 bytes', async () => {
    const files: [string, Uint8Array][] = [
      ['m/data.pkl', text('abc')],
      ['m/empty', new Uint8Array()],
      ['m/übung/' + 'x'.repeat(300), crypto.getRandomValues(new Uint8Array(1000))],
    ];
    const zip = await openZip(bytesSource(await write(files)));
    expect([...zip.entries.keys()]).toEqual(files.map(([name]) => name));
    for (const [name, bytes] of files) {
      const entry = zip.entries.get(name)!;
      expect(await readEntry(zip, entry)).toEqual(bytes);
      const source = await entrySource(zip, entry);
      expect(await source.read(0, source.size)).toEqual(bytes);
    }
  });

  it('opens an archive by reading little more than its directory', async () => {
    const files = Array.from({ length: 200 }, (_, index): [string, Uint8Array] => [
      `archive/data/${index}`,
      new Uint8Array(1000),
    ]);
    const source = bytesSource(await write(files));
    let read = 0;
    const counted: Source = {
      ...source,
      read(start, end, signal) {
        read += end - start;
        return source.read(start, end, signal);
      },
    };
    const zip = await openZip(counted);
    const directory = files.reduce((sum, [name]) => sum + 46 + name.length, 0);
    expect(zip.entries.size).toBe(files.length);
    expect(read).toBeGreaterThanOrEqual(directory);
    expect(read - directory).toBeLessThan(100);
  });

  it('writes and reads an archive of more than 4 GiB without holding it', async () => {
    const big = 2 ** 32 + 10;
    const chunk = new Uint8Array(2 ** 26);
    const { source, sink } = sparse();
    const writer = new ZipWriter(sink);
    await writer.add('a', 3, [text('abc')]);
    await writer.add('big', big, zeros(big, chunk));
    await writer.add('z', 3, [text('xyz')]);
    await writer.finish();
    const zip = await openZip(source());
    expect(zip.entries.get('big')).toMatchObject({ size: big, compressedSize: big });
    expect(zip.entries.get('z')!.headerOffset).toBeGreaterThan(2 ** 32);
    expect(await readEntry(zip, zip.entries.get('z')!)).toEqual(text('xyz'));
    const payload = await entrySource(zip, zip.entries.get('big')!);
    expect(await payload.read(big - 4, big)).toEqual(new Uint8Array(4));
  }, 60_000);

  it('names what is broken', async () => {
    const bytes = await write([
      ['a', text('hello')],
      ['b', text('world')],
    ]);
    const open = (damaged: Uint8Array) => openZip(bytesSource(damaged));
    await expect(open(bytes.subarray(0, bytes.length - 5))).rejects.toThrow('no end of central');
    await expect(open(text('no zip at all'))).rejects.toThrow('no end of central');

    const flipped = bytes.slice();
    flipped[64] = flipped[64]! ^ 1;
    const zip = await open(flipped);
    await expect(readEntry(zip, zip.entries.get('a')!)).rejects.toThrow(
      'entry a is damaged: its CRC-32 is',
    );

    const twice = await write([
      ['a', text('1')],
      ['a', text('2')],
    ]);
    await expect(open(twice)).rejects.toThrow('two entries are named "a"');
  });
});

function* zeros(size: number, chunk: Uint8Array) {
  for (let at = 0; at < size; at += chunk.length) yield chunk.subarray(0, size - at);
}

/** A sink that keeps only chunks that are not all zero, and a Source over it. */
function sparse() {
  const kept: { at: number; bytes: Uint8Array }[] = [];
  let size = 0;
  const sink = {
    write(bytes: Uint8Array) {
      if (bytes.length < 2 ** 20) kept.push({ at: size, bytes: bytes.slice() });
      size += bytes.length;
      return Promise.resolve();
    },
  };
  const source = (): Source => ({
    name: 'sparse',
    size,
    read(start, end) {
      const out = new Uint8Array(end - start);
      for (const { at, bytes } of kept) {
        const from = Math.max(start, at);
        const to = Math.min(end, at + bytes.length);
        if (from < to) out.set(bytes.subarray(from - at, to - at), from - start);
      }
      return Promise.resolve(out);
    },
  });
  return { sink, source };
}
