/**
 * A checkpoint of more than 4 GiB, as `npm test` has no time for: `npm run large`. The lab writes it
 * into a sparse file: a tensor of 4.5 GiB and one behind it, so that a size and offsets take ZIP64.
 * Python's zipfile tests its CRC-32, PyTorch maps it, and the lab opens it again.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { tensorFromBytes, type Storage, type Tensor } from '#lib/checkpoint/tensor.ts';
import { dict, isTensor, type Dict } from '#lib/checkpoint/value.ts';
import type { Sink } from '#lib/file/sink.ts';
import { checkRange, type Source } from '#lib/file/source.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import { writeTorch } from '#lib/formats/torch.write.ts';
import { python } from './python.ts';

const COUNT = 4.5 * 2 ** 30;
/** Elements of the large tensor that are no zeros: their number modulo 251. */
const marks = [1, 2 ** 32 - 1, 2 ** 32, COUNT - 1];

const storage: Storage = {
  key: 'large',
  byteLength: COUNT,
  location: 'cpu',
  read(start, end) {
    const bytes = new Uint8Array(end - start);
    for (const at of marks) if (start <= at && at < end) bytes[at - start] = at % 251;
    return Promise.resolve(bytes);
  },
};
const large: Tensor = {
  ...tensorFromBytes(new Uint8Array(1), 'uint8', [1]),
  shape: [COUNT],
  storage,
};
const after = tensorFromBytes(Uint8Array.of(1, 2, 3), 'uint8', [3]);

const zeros = Buffer.alloc(2 ** 23);

/** Skips what is all zeros. */
function sparseSink(file: FileHandle): Sink & { finish(): Promise<void> } {
  let size = 0;
  return {
    async write(bytes) {
      if (!zeros.subarray(0, bytes.length).equals(bytes))
        await file.write(bytes, 0, bytes.length, size);
      size += bytes.length;
    },
    finish: () => file.truncate(size),
  };
}

async function fileSource(file: FileHandle, name: string): Promise<Source> {
  const { size } = await file.stat();
  const source: Source = {
    name,
    size,
    async read(start, end) {
      checkRange(source, start, end);
      const bytes = new Uint8Array(end - start);
      await file.read(bytes, 0, bytes.length, start);
      return bytes;
    },
  };
  return source;
}

const judge = `
import sys, torch
root = torch.load(sys.argv[1], weights_only=True, mmap=True)
large = root["large"]
assert large.dtype == torch.uint8 and large.numel() == int(sys.argv[2]), large.shape
assert all(int(large[int(at)]) == int(at) % 251 for at in sys.argv[3:])
assert int(large.count_nonzero()) == len(sys.argv[3:])
assert root["after"].tolist() == [1, 2, 3]
print("torch", torch.__version__, "maps it, every element is equal")
`;

function run(...args: string[]): void {
  const { status } = spawnSync(python, args, { stdio: 'inherit' });
  if (status !== 0) throw new Error(`large: python ${args[0]} ended with ${status}`);
}

const folder = mkdtempSync(join(tmpdir(), 'weightroom-large-'));
try {
  const path = join(folder, 'large.pt');
  const file = await open(path, 'w+');
  const started = performance.now();
  const sink = sparseSink(file);
  await writeTorch(dict({ large, after }), sink, { stem: 'large' });
  await sink.finish();
  const source = await fileSource(file, 'large.pt');
  const seconds = (performance.now() - started) / 1000;
  console.log(`wrote ${source.size} bytes in ${seconds.toFixed(1)} s`);
  run('-m', 'zipfile', '-t', path);
  run('-c', judge, path, String(COUNT), ...marks.map(String));
  const opened = await openCheckpoint(source);
  if (!opened.ok) throw new Error(opened.findings[0]!.message);
  const read = (opened.checkpoint.root as Dict).get('after');
  if (!isTensor(read) || String(await readTensor(read)) !== '1,2,3') {
    throw new Error('large: the lab reads "after" differently');
  }
  console.log('the lab opens it');
  await file.close();
} finally {
  rmSync(folder, { recursive: true });
}
