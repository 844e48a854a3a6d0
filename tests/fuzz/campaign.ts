/**
 * A long campaign: `npm run fuzz -- [inputs] [seed]`, a million inputs unless said otherwise, on as
 * many threads as there are cores. A thread that stands still is a hang; its batch is named, so that
 * it can be repeated. Ends with the outcomes and their counts, and fails on the first that is neither
 * a checkpoint nor a finding.
 */
import { availableParallelism } from 'node:os';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { runBatch } from './batch.ts';
import { allSeeds } from './seeds.ts';

/** Inputs that a thread takes at once. */
const BATCH = 2000;
/** A thread whose counter stands still for so long hangs; one input may take 2 s. */
const STANDSTILL = 20_000;
/** Heap of a thread: what asks for more ends it. */
const MAX_HEAP_MB = 1024;

interface Shared {
  /** One counter of inputs for each thread. */
  readonly done: SharedArrayBuffer;
  readonly thread: number;
}
type Message = { failure: string } | { outcomes: [string, number][] };

async function main(): Promise<void> {
  const total = Number(process.argv[2] ?? 1_000_000);
  const firstSeed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
  const threads = availableParallelism();
  await allSeeds(); // made once, before the threads ask for them
  const done = new SharedArrayBuffer(4 * threads);
  const counters = new Int32Array(done);
  const outcomes = new Map<string, number>();
  const started = performance.now();
  let batches = 0;
  let failures = 0;
  console.log(`fuzzing ${total} inputs from seed ${firstSeed} on ${threads} threads`);

  const work = (thread: number) =>
    new Promise<void>((fulfil) => {
      const worker = new Worker(import.meta.filename, {
        workerData: { done, thread } satisfies Shared,
        resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
      });
      let seed = 0;
      let last = -1;
      const fail = (message: string) => {
        failures++;
        console.error(`seed ${seed}: ${message}`);
        clearInterval(watch);
        void worker.terminate().then(() => fulfil());
      };
      const watch = setInterval(() => {
        if (counters[thread] === last) fail(`an input hangs (number ${last % BATCH} of its batch)`);
        last = counters[thread]!;
      }, STANDSTILL);
      const next = () => {
        if (batches * BATCH >= total || failures > 0) {
          clearInterval(watch);
          return void worker.terminate().then(() => fulfil());
        }
        seed = firstSeed + batches++;
        worker.postMessage({ seed, count: Math.min(BATCH, total - (batches - 1) * BATCH) });
      };
      worker.on('error', (error) => fail(`the thread died: ${error.message}`));
      worker.on('message', (message: Message) => {
        if ('failure' in message) return fail(message.failure);
        for (const [code, count] of message.outcomes) {
          outcomes.set(code, (outcomes.get(code) ?? 0) + count);
        }
        if (batches % 25 === 0) console.log(`${batches * BATCH} inputs`);
        next();
      });
      next();
    });
  await Promise.all(Array.from({ length: threads }, (_, thread) => work(thread)));

  const ran = counters.reduce((sum, count) => sum + count, 0);
  const seconds = (performance.now() - started) / 1000;
  for (const [code, count] of [...outcomes].sort(([, a], [, b]) => b - a)) {
    console.log(`${String(count).padStart(9)}  ${code}`);
  }
  console.log(`${ran} inputs in ${seconds.toFixed(0)} s, ${failures} failures`);
  process.exitCode = failures > 0 ? 1 : 0;
}

async function serve({ done, thread }: Shared): Promise<void> {
  const seeds = await allSeeds();
  const counter = new Int32Array(done);
  const tick = () => void Atomics.add(counter, thread, 1);
  parentPort!.on('message', ({ seed, count }: { seed: number; count: number }) => {
    void runBatch(seeds, seed, count, tick).then((result) =>
      parentPort!.postMessage('failure' in result ? result : { outcomes: [...result.outcomes] }),
    );
  });
}

await (isMainThread ? main() : serve(workerData as Shared));
