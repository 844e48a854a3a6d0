/** Quantized blocks of a file as the float32 that they stand for. */
import type { Storage } from '#lib/checkpoint/tensor.ts';
import type { Source } from '#lib/file/source.ts';
import type { DecodeBlock } from './gguf.blocks.ts';

export interface Blocks {
  /** Elements and bytes of a block. */
  readonly block: number;
  readonly size: number;
  readonly decode: DecodeBlock;
}

/**
 * A storage of `count` float32 over the blocks from byte `start` of the file. A range of it reads
 * and decodes the blocks that it touches.
 */
export function blockStorage(
  source: Source,
  key: string,
  start: number,
  count: number,
  { block, size, decode }: Blocks,
): Storage {
  return {
    key,
    location: 'cpu',
    byteLength: 4 * count,
    place: { file: source, at: start },
    fresh: true,
    async read(from, to, signal) {
      const first = Math.floor(from / (4 * block));
      const end = Math.max(first, Math.ceil(to / (4 * block)));
      const bytes = await source.read(start + first * size, start + end * size, signal);
      const floats = new Float32Array((end - first) * block);
      for (let at = 0, out = 0; out < floats.length; at += size, out += block) {
        decode(bytes, at, floats, out);
      }
      const skipped = first * 4 * block;
      return new Uint8Array(floats.buffer, from - skipped, to - from);
    },
  };
}
