/** Large checkpoints that take no room: their zeros are holes in the file. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { dict } from '#lib/checkpoint/value.ts';
import { torch } from '#lib/formats/torch.read.ts';

/** Writes a .pt of `count` float32 tensors of zeros, each of so many bytes. */
export async function writeSparse(path: string, count: number, bytes: number): Promise<void> {
  const file = openSync(path, 'w');
  const zeros = Buffer.alloc(bytes);
  const tensors = Array.from({ length: count }, (_, index) => {
    const name = `blocks.${index}.weight`;
    return [name, tensorFromBytes(zeros, 'float32', [bytes / 4])] as const;
  });
  let size = 0;
  const sink = {
    write(content: Uint8Array) {
      const isHole = zeros.subarray(0, content.byteLength).equals(content);
      if (!isHole) writeSync(file, content, 0, content.byteLength, size);
      size += content.byteLength;
      return Promise.resolve();
    },
  };
  await torch.write!(dict(new Map(tensors)), sink, { stem: 'large' });
  ftruncateSync(file, size);
  closeSync(file);
}
