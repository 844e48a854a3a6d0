import { afterEach, expect, test, vi } from 'vitest';
import { paced } from './paced.ts';

afterEach(() => void vi.useRealTimers());

test('reports at once, then as often as can be seen, and the last in any case', () => {
  vi.useFakeTimers();
  const told: number[] = [];
  const report = paced((progress: number) => told.push(progress));
  for (let step = 0; step < 100; step++) {
    report(step, step === 99);
    vi.advanceTimersByTime(20);
  }
  expect(told.slice(0, 3)).toEqual([0, 3, 6]);
  expect(told.at(-1)).toBe(99);
});
