import { expect, test, vi } from 'vitest';
import { warmUp } from './warm.ts';

test('opens its checkpoint, and no more once the worker is asked for something', async () => {
  const read = vi.spyOn(Blob.prototype, 'slice');
  await warmUp(new AbortController().signal);
  expect(read.mock.calls.length).toBeGreaterThan(4);
  read.mockClear();
  await warmUp(AbortSignal.abort());
  expect(read).not.toHaveBeenCalled();
});
