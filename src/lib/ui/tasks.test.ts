import { expect, test, vi } from 'vitest';
import type { Problems } from './problems.svelte.ts';
import { Tasks } from './tasks.svelte.ts';

/** A promise that is kept from outside. */
const pending = <T>() => Promise.withResolvers<T>();

test('tasks and work that is shown elsewhere keep others waiting until the last of them ends', async () => {
  const tasks = new Tasks({ defect: vi.fn() } as unknown as Problems);
  const [task, training] = [pending<number>(), pending<string>()];
  const first = tasks.run('Reading', 'Could not read', () => task.promise);
  const second = tasks.during(training.promise);
  expect(tasks.list).toHaveLength(1);
  task.resolve(7);
  expect(await first).toBe(7);
  expect([tasks.list.length, tasks.busy]).toEqual([0, true]);
  training.reject(new Error('lost'));
  await expect(second).rejects.toThrow('lost');
  expect(tasks.busy).toBe(false);
});

test('a task that fails is told, one that is cancelled is not', async () => {
  const defect = vi.fn();
  const tasks = new Tasks({ defect } as unknown as Problems);
  const failure = new Error('no such file');
  expect(await tasks.run('Reading', 'Could not read', () => Promise.reject(failure))).toBe(
    undefined,
  );
  expect(defect).toHaveBeenCalledWith('Could not read', failure);
  await tasks.run('Reading', 'Could not read', (task) => {
    task.cancel();
    return Promise.reject(failure);
  });
  expect(defect).toHaveBeenCalledTimes(1);
  expect(tasks.busy).toBe(false);
});
