/** Which of two states is the better one. */
import type { Best } from './kept.ts';

/** Whether `next` is better than the best so far by more than `by`. NaN never is, ties are not. */
export function isBetter(next: Best, best: Best | null, by = 0): boolean {
  if (Number.isNaN(next.value)) return false;
  if (!best) return true;
  return next.mode === 'min' ? next.value < best.value - by : next.value > best.value + by;
}
