import { expect, it, vi } from 'vitest';
import { PagedRows } from './rows.svelte.ts';

const numbers = (start: number, count: number) =>
  Promise.resolve(Array.from({ length: count }, (_, index) => start + index));

it('fetches the pages that a range touches, once', async () => {
  const fetch = vi.fn(numbers);
  const rows = new PagedRows(1000, fetch);
  rows.want(190, 210);
  await vi.waitFor(() => expect(rows.row(200)).toBe(200));
  rows.want(190, 210);
  expect(fetch.mock.calls).toEqual([
    [0, 200],
    [200, 200],
  ]);
  expect(rows.row(500)).toBeUndefined();
});

it('takes a row more than was said, at the end', async () => {
  const rows = new PagedRows(400, (start, count) => numbers(start, count + 1));
  rows.want(390, 400);
  await vi.waitFor(() => expect(rows.total).toBe(401));
  expect(rows.row(400)).toBe(400);
});

it('leaves out what was scrolled past before it came', async () => {
  const waiting: ((rows: number[]) => void)[] = [];
  const fetch = vi.fn(() => new Promise<number[]>((resolve) => waiting.push(resolve)));
  const rows = new PagedRows(100_000, fetch);
  rows.want(0, 20);
  rows.want(40_000, 40_020);
  rows.want(90_000, 90_020);
  waiting[0]!([]);
  await vi.waitFor(() => expect(fetch).toHaveBeenCalledTimes(2));
  expect(fetch.mock.calls).toEqual([
    [0, 200],
    [90_000, 200],
  ]);
});

it('keeps a bounded number of pages, and stops where fetching fails', async () => {
  const rows = new PagedRows<number>(20_000, numbers);
  for (let start = 0; start < 20_000; start += 200) {
    rows.want(start, start + 1);
    await vi.waitFor(() => expect(rows.row(start)).toBe(start), { interval: 1 });
  }
  expect(rows.row(0)).toBeUndefined();
  const failing = vi.fn(() => Promise.resolve(null));
  const broken = new PagedRows<number>(1000, failing);
  broken.want(0, 1000);
  await vi.waitFor(() => expect(failing).toHaveBeenCalledOnce());
});
