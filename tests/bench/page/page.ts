/** The page of the bench: the lab's client with the real worker, and a bare worker beside it. */
import { LabClient } from '../../../src/lib/worker/client.ts';
import type { Done, Job } from './bare.worker.ts';

const start = () => new Worker(new URL('./lab.worker.ts', import.meta.url), { type: 'module' });
const client = new LabClient(start);
client.start();
const bare = new Worker(new URL('./bare.worker.ts', import.meta.url), { type: 'module' });
const counter = new BroadcastChannel('bench-count');

const files = () => [...document.querySelector('input')!.files!];

const bench = {
  async open(): Promise<{ seconds: number; tensors: number; read: number }> {
    const before = await bench.read();
    const started = performance.now();
    const result = await client.call('open', { file: files()[0]! });
    const seconds = (performance.now() - started) / 1000;
    if (!result.ok) throw new Error(result.findings[0]!.message);
    return {
      seconds,
      tensors: result.checkpoint.totals.tensors,
      read: (await bench.read()) - before,
    };
  },

  async verify(): Promise<Done & { checksums: number }> {
    const result = await client.call('verify', {});
    if (!result.ok) throw new Error(result.findings[0]!.message);
    return result.verified;
  },

  async save(choice: string): Promise<Done> {
    const started = performance.now();
    const result = await client.call('save', { choice });
    if (!result.ok) throw new Error(result.findings[0]!.message);
    return { bytes: result.saved.bytes, seconds: (performance.now() - started) / 1000 };
  },

  job(job: Omit<Job, 'files'>): Promise<Done> {
    return new Promise((resolve, reject) => {
      bare.onmessage = ({ data }) => resolve(data as Done);
      bare.onerror = ({ message }) => reject(new Error(message));
      bare.postMessage({ ...job, files: files() });
    });
  },

  /** Bytes of files that the lab's worker has read so far. */
  async read(): Promise<number> {
    await client.call('saves', {}); // the worker is up
    return new Promise((resolve) => {
      counter.onmessage = ({ data }) => {
        if (typeof data === 'number') resolve(data);
      };
      counter.postMessage('ask');
    });
  },
};

export type Bench = typeof bench;
Object.assign(globalThis, { bench });
