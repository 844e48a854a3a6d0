import { describe, expect, it } from 'vitest';
import { writeVerified } from './verified.ts';

/** A file on a disk that can fail: what is written appears on close, as with the real one. */
function fakeHandle(
  faults: { write?: number; close?: boolean; flip?: boolean; cut?: boolean } = {},
) {
  let content = Uint8Array.of(1, 2, 3);
  const stream = () => {
    const parts: Uint8Array[] = [];
    let writes = 0;
    return {
      write(bytes: Uint8Array) {
        if (++writes === faults.write) return Promise.reject(new Error('QuotaExceededError'));
        parts.push(bytes.slice());
        return Promise.resolve();
      },
      close() {
        if (faults.close) return Promise.reject(new Error('the disk is gone'));
        content = new Uint8Array(parts.flatMap((part) => [...part]));
        if (faults.flip) content[0] = content[0]! ^ 1;
        if (faults.cut) content = content.subarray(1);
        return Promise.resolve();
      },
      abort: () => Promise.resolve(),
    };
  };
  const handle = {
    createWritable: () => Promise.resolve(stream()),
    getFile: () => Promise.resolve(new File([content], 'a.pt')),
  };
  return { handle: handle as unknown as FileSystemFileHandle, content: () => [...content] };
}

const bytes = Uint8Array.of(4, 5, 6, 7);
const write = (handle: FileSystemFileHandle) =>
  writeVerified(handle, async (sink) => {
    await sink.write(bytes.subarray(0, 3));
    await sink.write(bytes.subarray(3));
  });

describe('writeVerified', () => {
  it('gives the file that it wrote', async () => {
    const { handle } = fakeHandle();
    expect(new Uint8Array(await (await write(handle)).arrayBuffer())).toEqual(bytes);
  });

  it.each([
    ['a write', { write: 1 }, 'QuotaExceededError'],
    ['the close', { close: true }, 'the disk is gone'],
  ])('leaves the old file where %s fails', async (_, faults, message) => {
    const { handle, content } = fakeHandle(faults);
    await expect(write(handle)).rejects.toThrow(message);
    expect(content()).toEqual([1, 2, 3]);
  });

  it('leaves the old file where the writer fails', async () => {
    const { handle, content } = fakeHandle();
    const failing = writeVerified(handle, () => Promise.reject(new Error('no such tensor')));
    await expect(failing).rejects.toThrow('no such tensor');
    expect(content()).toEqual([1, 2, 3]);
  });

  it.each([{ flip: true }, { cut: true }])(
    'throws where it reads back otherwise: %j',
    async (it) => {
      const { handle } = fakeHandle(it);
      await expect(write(handle)).rejects.toThrow(
        /storage: a\.pt reads back as [34] bytes that differ/,
      );
    },
  );

  it('writes nothing as nothing', async () => {
    const { handle } = fakeHandle();
    expect((await writeVerified(handle, () => Promise.resolve())).size).toBe(0);
  });
});
