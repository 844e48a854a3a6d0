/**
 * How long each node of a pass takes and how much memory it needs. A GPU computes later than it is
 * asked, so the pass is taken node by node and each op is waited for; the wait itself, measured
 * without any work, is taken off. Passes are repeated, since clocks of browsers are coarse.
 */
import type { Graph } from '#lib/architecture/graph.ts';
import { Pass, type Bindings } from './executor.ts';
import { queueDone } from './queue.ts';
import * as tf from './tf.ts';

export interface Profile {
  /** Of each node, the mean over the middle half of the passes. */
  readonly milliseconds: readonly number[];
  /** Of each node, the bytes of all the pass's tensors while it was computed; without the weights. */
  readonly bytes: readonly number[];
  /** Milliseconds of a whole pass that is waited for only at its end; the mean as above. */
  readonly whole: number;
  /** Passes that were taken node by node. */
  readonly passes: number;
  /** Milliseconds that waiting for nothing takes at least; already taken off. */
  readonly wait: number;
}

export interface ProfileContext {
  readonly signal: AbortSignal;
  progress(progress: { done: number; total: number }): void;
}

/** Passes are repeated this often at most, and until they took this long together. */
const MOST_PASSES = 12;
const ENOUGH_MILLISECONDS = 1200;
/** Empty waits that are measured. */
const WAITS = 15;
/** The event loop hears of a cancelled run this often. */
const BREATH_MILLISECONDS = 50;

/** Profiles a pass in evaluation mode over tensors that stay the caller's; leaves none behind. */
export async function profile(
  graph: Graph,
  inputs: readonly tf.Tensor[],
  bindings: Bindings,
  { signal, progress }: ProfileContext,
): Promise<Profile> {
  const inputBytes = inputs.reduce((sum, { size, dtype }) => {
    return sum + size * tf.util.bytesPerElement(dtype);
  }, 0);
  const around = tf.memory().numBytes - inputBytes;
  // No output is asked for: each value goes after its last use.
  const start = () => new Pass({ ...graph, outputs: [] }, inputs, bindings);
  const plainly = (): void => {
    const pass = start();
    try {
      for (const id of graph.nodes.keys()) pass.step(id);
    } finally {
      pass.end();
    }
  };
  plainly(); // compiles shaders
  await queueDone();
  const waits: number[] = [];
  for (let times = 0; times < WAITS; times++) waits.push(await timed(() => {}));
  const wait = Math.min(...waits); // a longer one was waiting for something else

  const times: number[][] = graph.nodes.map(() => []);
  const bytes = graph.nodes.map(() => 0);
  const wholes: number[] = [];
  const started = performance.now();
  let passes = 0;
  let breathed = started;
  while (
    passes < MOST_PASSES &&
    (passes === 0 || performance.now() - started < ENOUGH_MILLISECONDS)
  ) {
    wholes.push(await timed(plainly));
    signal.throwIfAborted();
    const pass = start();
    try {
      for (const [id, { op }] of graph.nodes.entries()) {
        const measure = () => {
          bytes[id] = Math.max(bytes[id]!, tf.memory().numBytes - around);
        };
        if (op === 'input' || op === 'parameter' || op === 'pick') pass.step(id);
        else times[id]!.push(Math.max(0, (await timed(() => pass.step(id, measure))) - wait));
        if (performance.now() - breathed < BREATH_MILLISECONDS) continue;
        progress({ done: passes === 0 ? id : graph.nodes.length, total: graph.nodes.length });
        await new Promise((resolve) => setTimeout(resolve));
        signal.throwIfAborted();
        breathed = performance.now();
      }
    } finally {
      pass.end();
    }
    passes++;
  }
  return { milliseconds: times.map(middle), bytes, whole: middle(wholes), passes, wait };
}

/** Milliseconds until the backend has done what `work` asks of it. */
async function timed(work: () => void): Promise<number> {
  const started = performance.now();
  work();
  await queueDone();
  return performance.now() - started;
}

/** The mean of the middle half: no outlier moves it, and coarse clocks do not show. */
function middle(times: readonly number[]): number {
  const aside = Math.floor(times.length / 4);
  const kept = times.toSorted((a, b) => a - b).slice(aside, times.length - aside);
  return kept.length === 0 ? 0 : kept.reduce((sum, time) => sum + time, 0) / kept.length;
}
