/**
 * How fluent the table of a checkpoint with many tensors is, in the app itself: when its rows are on
 * the screen, how long frames take while it is scrolled, and how long rows take to follow a key.
 */
import type { BrowserContext, Page } from 'playwright-core';
import { dropPaths, hydrated, serveBuild } from '../browser/app.ts';
import { bar, SETTLING } from './bench.ts';

const SHOWN_MS = 300;
const FRAME_MS = 50;
const FILTER_MS = 50;
/** Frames in which the table is scrolled from its first row to its last, and to places at random. */
const FRAMES = 300;

export interface TableFiles {
  /** A small checkpoint, which is open before. */
  readonly small: string;
  readonly many: string;
  readonly tensors: number;
  /** Each letter of it leaves fewer rows. */
  readonly typed: string;
}

export async function measureTable(context: BrowserContext, files: TableFiles): Promise<void> {
  const server = await serveBuild();
  const page = await context.newPage();
  await page.addInitScript(noteTheIndex);
  await page.goto(server.url);
  await hydrated(page);
  await page.waitForTimeout(SETTLING);
  await dropPaths(page, [files.small]);
  await page.getByRole('radio', { name: 'Table' }).check({ force: true });
  await rowsOf(page).waitFor();

  console.log(`\n${files.tensors} tensors, in the app:`);
  await page.evaluate(watchRows, files.tensors);
  await dropPaths(page, [files.many]);
  const shown = await page.waitForFunction(() => (globalThis as Marks).shown);
  bar('table after the index is read (ms)', (await shown.jsonValue())!, 'at most', SHOWN_MS);

  for (const how of ['through', 'about'] as const) {
    const frames = await page.evaluate(scroll, { how, frames: FRAMES });
    const longest = Math.max(...frames);
    const what = how === 'through' ? 'scrolling through' : 'scrolling to places at random';
    bar(`${what}, the longest frame of ${frames.length} (ms)`, longest, 'at most', FRAME_MS);
  }

  await page.getByRole('searchbox', { name: 'Filter the tensors' }).focus();
  await page.evaluate(watchKeys);
  for (const key of [...files.typed, ...[...files.typed].map(() => 'Backspace')]) {
    const before = await rowCount(page);
    await page.keyboard.press(key);
    await page.waitForFunction(
      (before) => document.querySelector('[role=grid]')?.ariaRowCount !== before,
      before,
    );
  }
  await page.waitForTimeout(SETTLING);
  const keys = (await page.evaluate(() => (globalThis as Marks).keys))!;
  if (keys.length !== 2 * files.typed.length) throw new Error(`${keys.length} keys were measured`);
  console.log(`  rows after each key: ${keys.map((ms) => ms.toFixed(0)).join(', ')} ms`);
  bar('filtered rows after a key, the slowest (ms)', Math.max(...keys), 'at most', FILTER_MS);
  await page.close();
  await server.close();
}

const rowsOf = (page: Page) => page.getByRole('grid').getByRole('row').nth(1);
const rowCount = (page: Page) => page.getByRole('grid').getAttribute('aria-rowcount');

// What follows runs in the page.

type Marks = typeof globalThis & {
  /** When the worker's answer to `open` came, with the index read. */
  index?: number;
  shown?: number;
  keys?: number[];
  /** Called back in a frame: once it is painted. */
  afterPaint?: (then: () => void) => void;
};

function noteTheIndex(): void {
  const marks = globalThis as Marks;
  const listen = Reflect.get(Worker.prototype, 'addEventListener') as Worker['addEventListener'];
  globalThis.Worker = class extends Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      listen.call(this, 'message', (event) => {
        const { data } = event as MessageEvent<{ result?: { checkpoint?: object } } | undefined>;
        if (data?.result?.checkpoint) marks.index = performance.now();
      });
    }
  };
  marks.afterPaint = (then) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => then();
    port2.postMessage(null);
  };
}

/** Notes how long after the index all rows of a table are counted, and those in view painted. */
function watchRows(tensors: number): void {
  const marks = globalThis as Marks;
  const watch = () => {
    const grid = document.querySelector('[role=grid]');
    const isFull = grid?.ariaRowCount === String(tensors + 1);
    if (isFull && grid!.querySelectorAll('[role=gridcell]').length > 0) {
      marks.afterPaint!(() => (marks.shown = performance.now() - marks.index!));
    } else requestAnimationFrame(watch);
  };
  requestAnimationFrame(watch);
}

/** Milliseconds from frame to frame while the table is scrolled. */
async function scroll({ how, frames }: { how: 'through' | 'about'; frames: number }) {
  const grid = document.querySelector('[role=grid]')!;
  const last = grid.scrollHeight - grid.clientHeight;
  if (last < 10_000) throw new Error(`bench: the table scrolls by ${last} pixels`);
  const frame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
  let place = 1;
  const random = () => (place = (place * 48_271) % 0x7fff_ffff) / 0x7fff_ffff;
  const times: number[] = [];
  let before = await frame();
  for (let number = 0; number <= frames; number++) {
    grid.scrollTop = last * (how === 'through' ? number / frames : random());
    const now = await frame();
    times.push(now - before);
    before = now;
  }
  return times;
}

/** Notes for each key how long the rows took to follow it. */
function watchKeys(): void {
  const marks = globalThis as Marks;
  marks.keys = [];
  addEventListener(
    'keydown',
    ({ timeStamp }) => {
      const before = document.querySelector('[role=grid]')?.ariaRowCount;
      const watch = () => {
        if (document.querySelector('[role=grid]')?.ariaRowCount === before) {
          requestAnimationFrame(watch);
        } else marks.afterPaint!(() => marks.keys!.push(performance.now() - timeStamp));
      };
      requestAnimationFrame(watch);
    },
    true,
  );
}
