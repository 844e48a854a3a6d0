/** What the lab is measured against: reading and writing bytes and nothing else; and its writer. */
import { Dict } from '../../../src/lib/checkpoint/value.ts';
import { tensorFromBytes, type Tensor } from '../../../src/lib/checkpoint/tensor.ts';
import { writeTorch } from '../../../src/lib/formats/torch.write.ts';
import { writeOpfs } from '../../../src/lib/storage/opfs.ts';
import { openInThread, startThreads } from '../../../src/lib/worker/helper.ts';

export interface Job {
  kind: 'read' | 'copy' | 'write' | 'writeTorch';
  files: readonly File[];
  /** Of the tensors to write. */
  tensors: number;
  shape: [number, number];
}
export interface Done {
  bytes: number;
  seconds: number;
  /** Of these, for reading the written file back. */
  verifying?: number;
}

const SLICE = 8 * 2 ** 20;
const SLICES = 4;

interface SyncHandle {
  truncate(size: number): void;
  write(bytes: Uint8Array, options: { at: number }): number;
  flush(): void;
  close(): void;
}

startThreads();

const jobs: Record<Job['kind'], (job: Job) => Promise<Done>> = {
  /** All files, one after the other. */
  async read({ files }) {
    const started = performance.now();
    let bytes = 0;
    for (const file of files) bytes += await readSlices(file, (buffer) => void buffer.transfer(0));
    return { bytes, seconds: since(started) };
  },

  /** Of the first file: what is read goes to a sync handle of OPFS, up to the last byte. */
  async copy({ files: [file] }) {
    return onDisk((sync) =>
      readSlices(file!, (buffer, at) => {
        sync.write(new Uint8Array(buffer), { at });
        buffer.transfer(0);
      }),
    );
  },

  /** A sync handle of OPFS, in pieces of the tensors' size. */
  async write({ tensors, shape }) {
    const piece = noise(shape);
    return onDisk(async (sync) => {
      for (let number = 0; number < tensors; number++) {
        sync.write(piece, { at: number * piece.byteLength });
      }
      sync.flush();
      return tensors * piece.byteLength;
    });
  },

  /** The lab's writer, of tensors in memory: they share bytes, and each is summed and written. */
  async writeTorch({ tensors, shape }) {
    const folder = await navigator.storage.getDirectory();
    const bytes = noise(shape);
    const tensor = (number: number): [string, Tensor] => [
      `layers.${number}.weight`,
      tensorFromBytes(bytes, 'float32', shape),
    ];
    const root = new Dict(Array.from({ length: tensors }, (_, number) => tensor(number)));
    const started = performance.now();
    let written = 0;
    const file = await writeOpfs(
      folder,
      'written.pt',
      (sink) => writeTorch(root, sink, { stem: 'written' }),
      async (handle) => {
        const opened = await openInThread(handle);
        return {
          write: (piece) => opened.write(piece),
          async close() {
            await opened.close();
            written = since(started);
          },
        };
      },
    );
    const verifying = since(started) - written;
    const { size } = file;
    await folder.removeEntry('written.pt');
    return { bytes: size, seconds: written, verifying };
  },
};

/** Four slices at a time, in any order. */
async function readSlices(
  file: File,
  use: (buffer: ArrayBuffer, at: number) => void,
): Promise<number> {
  let at = 0;
  let bytes = 0;
  const readOn = async () => {
    while (at < file.size) {
      const start = at;
      at += SLICE;
      const buffer = await file.slice(start, start + SLICE).arrayBuffer();
      bytes += buffer.byteLength;
      use(buffer, start);
    }
  };
  await Promise.all(Array.from({ length: SLICES }, readOn));
  return bytes;
}

/** Times what is done with a new file of OPFS; `work` gives its bytes. */
async function onDisk(work: (sync: SyncHandle) => Promise<number>): Promise<Done> {
  const folder = await navigator.storage.getDirectory();
  const handle = await folder.getFileHandle('bare', { create: true });
  const sync = await (
    handle as unknown as { createSyncAccessHandle(): Promise<SyncHandle> }
  ).createSyncAccessHandle();
  const started = performance.now();
  sync.truncate(0);
  const bytes = await work(sync);
  sync.close();
  const seconds = since(started);
  await folder.removeEntry('bare');
  return { bytes, seconds };
}

function noise(shape: [number, number]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 * shape[0] * shape[1]);
  for (let at = 0; at < bytes.length; at += 2 ** 16) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(at + 2 ** 16, bytes.length)));
  }
  return bytes;
}

function since(started: number): number {
  return (performance.now() - started) / 1000;
}

self.onmessage = async ({ data }: MessageEvent<Job>) => {
  self.postMessage(await jobs[data.kind](data));
};
