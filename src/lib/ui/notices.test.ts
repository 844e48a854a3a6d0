import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Notices } from './notices.svelte.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const told: string[] = [];
beforeEach(() => void told.splice(0));
const doing = (name: string) => ({
  undo: () => told.push(`undo ${name}`),
  end: () => told.push(`end ${name}`),
});
const texts = ({ list }: Notices) => list.map(({ text }) => text);

it('takes back what is undone in time, and ends the rest, each once', () => {
  const notices = new Notices();
  for (const name of ['a', 'b']) notices.add(name, doing(name));
  const { id } = notices.list[0]!;
  notices.undo(id);
  notices.undo(id);
  expect([texts(notices), told]).toEqual([['b'], ['undo a']]);
  vi.advanceTimersByTime(60_000);
  expect([texts(notices), told]).toEqual([[], ['undo a', 'end b']]);
});

it('waits while a person is at them, and with what comes meanwhile', () => {
  const notices = new Notices();
  notices.add('a', doing('a'));
  notices.hold(true);
  notices.add('b', doing('b'));
  vi.advanceTimersByTime(60_000);
  expect(texts(notices)).toEqual(['a', 'b']);
  notices.hold(false);
  vi.advanceTimersByTime(60_000);
  expect(told).toEqual(['end a', 'end b']);
});

it('ends the oldest where there are many', () => {
  const notices = new Notices();
  for (const name of ['a', 'b', 'c', 'd']) notices.add(name, doing(name));
  expect([texts(notices), told]).toEqual([['b', 'c', 'd'], ['end a']]);
});
