import { expect, test } from 'vitest';
import { Viewport } from './viewport.svelte.ts';

/** A list of `count` rows of 20 px, of which 10 fit. */
function listOf(count: number) {
  const view = new Viewport(() => count);
  const scroller = { scrollTop: 0, clientHeight: 200 };
  view.scroller = scroller as HTMLElement;
  view.height = scroller.clientHeight;
  view.ruler = 20;
  const scrollTo = (top: number) => {
    view.scroller!.scrollTop = top;
    view.scrolled();
  };
  const reveal = (index: number) => {
    view.reveal(index);
    view.scrolled();
  };
  return { view, scrollTo, reveal, scroller };
}

test('draws the visible rows and some around them, in their places', () => {
  const { view, scrollTo } = listOf(1000);
  expect([view.first, view.end, view.size, view.shift]).toEqual([0, 22, 20_000, 0]);
  scrollTo(10_000);
  expect([view.first, view.end, view.shift]).toEqual([488, 522, 9760]);
  scrollTo(19_800);
  expect(view.end).toBe(1000);
});

test('scrolls as little as brings a row into view', () => {
  const { reveal, scroller } = listOf(1000);
  reveal(5);
  expect(scroller.scrollTop).toBe(0);
  reveal(10);
  expect(scroller.scrollTop).toBe(20);
  reveal(0);
  expect(scroller.scrollTop).toBe(0);
});

test('reaches every row of a list that is higher than a browser can draw', () => {
  const count = 5_000_000;
  const { view, scrollTo, reveal } = listOf(count);
  expect(view.size).toBe(8_000_000);
  scrollTo(8_000_000 - 200);
  expect(view.end).toBe(count);
  for (const row of [0, 1, 1_234_567, count - 1]) {
    reveal(row);
    expect(view.isDrawn(row)).toBe(true);
    expect(Math.abs(view.shift + (row - view.first) * 20 - view.scroller!.scrollTop)).toBeLessThan(
      220,
    );
  }
});

test('keys lead from row to row and stay within the list', () => {
  const { view } = listOf(100);
  expect(view.target('ArrowDown', 3)).toBe(4);
  expect(view.target('ArrowUp', 0)).toBe(0);
  expect(view.target('PageDown', 3)).toBe(12);
  expect(view.target('End', 3)).toBe(99);
  expect(view.target('x', 3)).toBeUndefined();
});

test('does the same with columns', () => {
  const view = new Viewport(() => 1000, 'columns');
  view.scroller = { scrollLeft: 0 } as HTMLElement;
  view.height = 200;
  view.ruler = 50;
  expect([view.first, view.end, view.size]).toEqual([0, 6, 50_000]);
  view.reveal(10);
  view.scrolled();
  expect([view.scroller.scrollLeft, view.first, view.end, view.shift]).toEqual([350, 5, 13, 250]);
});

test('keeps rows clear of titles that stay above them', () => {
  const { view, reveal, scroller } = listOf(1000);
  view.head = 30;
  reveal(9);
  expect(scroller.scrollTop).toBe(30);
  reveal(3);
  expect(scroller.scrollTop).toBe(30);
  reveal(0);
  expect(scroller.scrollTop).toBe(0);
});
