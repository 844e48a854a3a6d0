import { describe, expect, it } from 'vitest';
import { tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { dict } from '#lib/checkpoint/value.ts';
import { npz } from '#lib/formats/npz.ts';
import { safetensors } from '#lib/formats/safetensors.ts';
import { torchLegacy } from '#lib/formats/torch.legacy.ts';
import { torch } from '#lib/formats/torch.read.ts';
import { saveFile } from './save.file.ts';

const weights = dict({
  a: tensorFromBytes(
    Uint8Array.from({ length: 40 }, (_, at) => at),
    'uint8',
    [5, 8],
  ),
  b: tensorFromBytes(new Uint8Array(Float32Array.of(1, 2).buffer), 'float32', [2]),
});
const { signal } = new AbortController();

/** A file that comes back from the disk as `change` makes it. */
function handleOf(change: (bytes: Uint8Array<ArrayBuffer>) => void) {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let content = new Uint8Array(0);
  const stream = {
    write: (part: Uint8Array) => Promise.resolve(void parts.push(Uint8Array.from(part))),
    close() {
      content = Uint8Array.from(Buffer.concat(parts));
      change(content);
      return Promise.resolve();
    },
    abort: () => Promise.resolve(),
  };
  const handle = {
    name: 'w.file',
    createWritable: () => Promise.resolve(stream),
    getFile: () => Promise.resolve(new File([content], 'w.file')),
  };
  return { handle: handle as unknown as FileSystemFileHandle, size: () => content.length };
}

describe.each([torch, torchLegacy, safetensors, npz])('a file of $name', (format) => {
  const save = (handle?: FileSystemFileHandle) =>
    saveFile(
      weights,
      { format, stem: 'w', name: 'w.file', total: 48 },
      { ...(handle && { handle }), signal, progress: () => {} },
    );

  it('is read back whole', async () => {
    const { handle, size } = handleOf(() => {});
    expect(await save(handle)).toEqual({ name: 'w.file', bytes: size(), verified: true });
    const { file, bytes } = await save();
    expect([file!.size, bytes]).toEqual([size(), size()]);
  });

  it('is refused with any byte changed', async () => {
    const { handle, size } = handleOf(() => {});
    await save(handle);
    for (let at = 0; at < size(); at += 7) {
      const broken = handleOf((bytes) => (bytes[at] = bytes[at]! ^ 0x10)).handle;
      await expect(save(broken)).rejects.toThrow('storage: w.file reads back as');
    }
  });
});
