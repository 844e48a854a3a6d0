/**
 * Writes the zip container that PyTorch reads since 1.4, in the form that `weights_only=True`
 * takes: protocol 2, records stored and aligned to 64 bytes, each exactly as long as its storage.
 * `.format_version` is left out on purpose: it promises PyTorch's own layout byte for byte.
 */
import { storageRange } from '#lib/checkpoint/read_tensor.ts';
import { ReadAhead } from '#lib/file/read_ahead.ts';
import type { Value } from '#lib/checkpoint/value.ts';
import { countedSink, type Sink } from '#lib/file/sink.ts';
import { ZipWriter } from '#lib/file/zip.write.ts';
import { writePickle } from '#lib/pickle/write.ts';
import type { WriteOptions } from './format.ts';
import { express } from './torch.express.ts';

export async function writeTorch(
  root: Value,
  sink: Sink,
  { stem, signal, onProgress }: WriteOptions,
): Promise<void> {
  const { root: expressed, storages } = express(root);
  const pickle = writePickle(expressed);
  const zip = new ZipWriter(countedSink(sink, onProgress));
  const text = (content: string) => [new TextEncoder().encode(content)];
  await zip.add(`${stem}/data.pkl`, pickle.length, [pickle]);
  await zip.add(`${stem}/byteorder`, 6, text('little'));
  const reading = new ReadAhead(
    storages.map(({ storage }) => storageRange(storage)),
    signal,
  );
  for (const [index, { storage }] of storages.entries()) {
    const { byteLength } = storage;
    await zip.add(`${stem}/data/${index}`, byteLength, reading.next(byteLength));
  }
  await zip.add(`${stem}/version`, 2, text('3\n'));
  await zip.finish();
}
