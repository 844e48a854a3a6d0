import { describe, expect, it, vi } from 'vitest';
import type { TensorSummary, TensorTable } from '#lib/worker/protocol.ts';
import type { Desk } from '../desk.ts';
import { StatisticsState } from './statistics.svelte.ts';

const MB = 1e6;
const summary = {
  ...{ of: 'elements', count: 4, zeros: 1, nans: 1, positiveInfinities: 1, denormals: 0 },
  ...{ negativeInfinities: 1, min: 2n, max: 5, mean: 3, std: null, norm: 6 },
  magnitudes: { first: 1, counts: [1, 0, 1] },
} as const satisfies TensorSummary;

/** A table of rows of 10 MB, which the file has the other way round. */
function bench(count: number) {
  const asked: number[][] = [];
  /** Ends the call that is under way. */
  let answer = () => {};
  const call = vi.fn(
    (name: string, args: { rows: number[] }, options?: { signal: AbortSignal }) => {
      if (name === 'standouts') {
        return Promise.resolve([{ row: 0, code: 'nan', severity: 'error', message: 'is NaN' }]);
      }
      if (name === 'duplicates') return Promise.resolve({ ok: true, rows: [{ row: 1, of: 0 }] });
      asked.push(args.rows);
      return new Promise((resolve, reject) => {
        options!.signal.addEventListener('abort', () => reject(options!.signal.reason as Error));
        const rows = args.rows.map((row) =>
          row === 2 ? { row, summary: null, problem: 'packed' } : { row, summary, problem: '' },
        );
        answer = () => resolve({ ok: true, rows });
      });
    },
  );
  const tasks = { busy: false };
  const defect = vi.fn();
  const desk = { client: { call }, tasks, problems: { defect, check: () => true } };
  const state = new StatisticsState(desk as unknown as Desk);
  const table = {
    names: Array.from({ length: count }, (_, at) => `t${at}`),
    bytes: new Float64Array(count).fill(10 * MB),
    order: Uint32Array.from({ length: count }, (_, at) => count - 1 - at),
  };
  state.reset(table as unknown as TensorTable);
  return { state, asked, tasks, defect, answer: () => answer() };
}

describe('statistics of all tensors', () => {
  it('are asked for in the order of the file, a few at a time', async () => {
    const { state, asked, answer, defect } = bench(3);
    const done = state.start();
    for (const last of [2, 1, 0]) {
      await vi.waitFor(() => expect(asked.at(-1)).toEqual([last]));
      answer();
    }
    await done;
    expect(state.state).toBe('done');
    expect([...state.figure('min')]).toEqual([2, 2, NaN]);
    expect([...state.figure('std')]).toEqual([NaN, NaN, NaN]);
    expect([...state.figure('zeros')]).toEqual([0.25, 0.25, NaN]);
    expect([...state.figure('inf')]).toEqual([2, 2, NaN]);
    expect(state.exponents).toEqual([1, 3]);
    expect([0, 1, 2].map((row) => state.remarks(row).map(({ id }) => id))).toEqual([
      ...[['nan'], ['duplicate'], ['unread']],
    ]);
    expect(defect).not.toHaveBeenCalled();
  });

  it('pause, keep what is known, and go on with the rest', async () => {
    const { state, asked, answer, defect } = bench(3);
    const paused = state.start();
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    answer();
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    state.pause();
    await paused;
    expect(state.state).toBe('paused');
    const done = state.start();
    await vi.waitFor(() => expect(asked).toEqual([[2], [1], [1]]));
    answer();
    await vi.waitFor(() => expect(asked.at(-1)).toEqual([0]));
    answer();
    await done;
    expect(state.state).toBe('done');
    expect(defect).not.toHaveBeenCalled();
  });

  it('wait while other work is under way', async () => {
    const { state, asked, tasks, answer } = bench(1);
    tasks.busy = true;
    const done = state.start();
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(asked).toEqual([]);
    expect(state.detail).toBe('waits for what is in progress');
    tasks.busy = false;
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    answer();
    await done;
    expect(state.state).toBe('done');
  });

  it('end with the table that they are of', async () => {
    const { state, asked, defect } = bench(2);
    const ended = state.start();
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    state.reset(null);
    await ended;
    expect(state.state).toBe('idle');
    expect(state.remarks(0)).toEqual([]);
    expect(defect).not.toHaveBeenCalled();
  });

  it('read much only when they are asked to', async () => {
    const { state, asked } = bench(200);
    state.startUnasked();
    expect(state.state).toBe('idle');
    expect(asked).toEqual([]);
  });
});
