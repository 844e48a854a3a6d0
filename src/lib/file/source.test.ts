import { mkdtempSync, openAsBlob, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { blobSource, bytesSource, sliceSource } from './source.ts';

const bytes = Uint8Array.of(1, 2, 3, 4, 5);

it.each([
  ['bytes', bytesSource(bytes, 'a')],
  ['a blob', blobSource(new Blob([bytes]), 'a')],
  ['a slice', sliceSource(bytesSource(Uint8Array.of(0, ...bytes, 6), 'whole'), 1, 6, 'a')],
])('%s: reads ranges and refuses others', async (_, source) => {
  expect([source.name, source.size]).toEqual(['a', 5]);
  expect(await source.read(1, 3)).toEqual(Uint8Array.of(2, 3));
  expect(await source.read(5, 5)).toEqual(new Uint8Array());
  const refused = async (start: number, end: number) => source.read(start, end);
  await expect(refused(4, 6)).rejects.toThrow('a: the file ends at byte 5, bytes 4..6');
  await expect(refused(3, 2)).rejects.toThrow('a: invalid byte range 3..2');
  await expect(refused(-1, 2)).rejects.toThrow('invalid byte range');
  await expect(refused(0, 1.5)).rejects.toThrow('invalid byte range');
  await expect((async () => source.read(0, 1, AbortSignal.abort()))()).rejects.toThrow('abort');
});

it('a file that changes while it is open asks to be opened again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weightroom-'));
  try {
    const path = join(folder, 'a.pt');
    writeFileSync(path, bytes);
    const source = blobSource(await openAsBlob(path), 'a.pt');
    writeFileSync(path, new Uint8Array(9));
    await expect(source.read(0, 5)).rejects.toThrow('a.pt: the file can no longer be read');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
