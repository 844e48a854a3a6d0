/**
 * The lab's side of its helper threads: one that sums, one that reads, and one for each file that is
 * written.
 */
import { lendSumThread } from '#lib/file/crc32.ts';
import { pieceSink } from '#lib/file/sink.ts';
import { lendReadThread } from '#lib/file/source.ts';
import type { WrittenFile } from '#lib/storage/opfs.ts';
import entry from './helper.worker.ts?worker&url';
import { startModule } from './start.ts';

export type HelperTask =
  | { kind: 'sum'; buffer: ArrayBuffer }
  | { kind: 'read'; part: Blob }
  | { kind: 'open'; handle: FileSystemFileHandle }
  | { kind: 'write'; buffer: ArrayBuffer; length: number }
  | { kind: 'close' };
/** The buffer that was sent or read, and its sum where that was asked for. */
export interface HelperReply {
  buffer: ArrayBuffer;
  crc?: number;
}

interface Waiting {
  resolve(reply: HelperReply): void;
  reject(error: Error): void;
}

class Helper {
  readonly #worker = startModule(entry, 'helper');
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  constructor() {
    this.#worker.onmessage = ({ data: { id, reply, error } }) => {
      const { resolve, reject } = this.#waiting.get(id)!;
      this.#waiting.delete(id);
      if (error) reject(Object.assign(new Error(error.message), { name: error.name }));
      else resolve(reply);
    };
    this.#worker.onerror = ({ message }) => {
      const error = new Error(`the lab's helper stopped: ${message || 'it could not be loaded'}`);
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
  }

  perform(task: HelperTask): Promise<HelperReply> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, task }, 'buffer' in task ? [task.buffer] : []);
    });
  }

  end(): void {
    this.#worker.terminate();
  }
}

let summer: Helper | undefined;
let reader: Helper | undefined;

/** Has large sums made and large parts of files read in threads of their own from now on. */
export function startThreads(): void {
  lendReadThread(
    async (part) => (await (reader ??= new Helper()).perform({ kind: 'read', part })).buffer,
  );
  lendSumThread(async (sent) => {
    const { buffer, crc } = await (summer ??= new Helper()).perform({ kind: 'sum', buffer: sent });
    return { buffer, crc: crc! };
  });
}

/** Pieces on their way to the thread: enough to go on with while it waits for the disk. */
const MAX_UNDER_WAY = 4;

/** Opens a file of the browser's private disk in a thread of its own. */
export async function openInThread(handle: FileSystemFileHandle): Promise<WrittenFile> {
  const helper = new Helper();
  const underWay: Promise<HelperReply>[] = [];
  try {
    await helper.perform({ kind: 'open', handle });
  } catch (error) {
    helper.end();
    throw error;
  }
  const pieces = pieceSink(async ({ buffer, byteLength: length }) => {
    const size = buffer.byteLength;
    const written = helper.perform({ kind: 'write', buffer, length });
    written.catch(() => {}); // told by a later piece, or on closing
    underWay.push(written);
    return underWay.length > MAX_UNDER_WAY
      ? (await underWay.shift()!).buffer
      : new ArrayBuffer(size);
  });
  return {
    write: pieces.write,
    async close() {
      try {
        await pieces.flush();
        for (const { buffer } of await Promise.all(underWay)) buffer.transfer(0);
        await helper.perform({ kind: 'close' });
      } finally {
        helper.end();
      }
    },
  };
}
