/**
 * How fast the app compares and converts large files, as ratios to bare reads and writes of the same
 * bytes, and how much memory its workers take meanwhile.
 */
import { statSync } from 'node:fs';
import type { BrowserContext, Page } from 'playwright-core';
import { dropPaths, hydrated, serveBuild, step } from '../browser/app.ts';
import { alternate, bar, round, SETTLING, withBenchPage, type Rate } from './bench.ts';
import { peakMemory } from './memory.ts';

export interface LargeFiles {
  readonly paths: readonly [string, string];
  /** Tensors in each. */
  readonly tensors: number;
  readonly rounds: number;
  /** In bytes; the same for any size of the files. */
  readonly memory: number;
}

/** Both files against a bare read of both. */
export async function measureCompare(
  context: BrowserContext,
  address: string,
  { paths, tensors, rounds, memory }: LargeFiles,
): Promise<void> {
  const bytes = paths.reduce((sum, path) => sum + statSync(path).size, 0);
  console.log(`\ntwo files of ${bytes} bytes together, compared in the app:`);
  await inApp(context, paths[0], async (page) => {
    await step(page, 'Compare');
    const outcome = `${tensors} differ`;
    const compare = async (): Promise<Rate> => {
      const seconds = await timed(page, outcome, () => dropPaths(page, [paths[1]]));
      return { bytes, seconds };
    };
    await withBenchPage(context, paths, async ({ call }) => {
      const bare = () => call('job', { kind: 'read', tensors: 0, shape: [0, 0] });
      const rates = await alternate(rounds, bare, compare);
      console.log(`  bare read: ${rates.bare} MB/s; compared: ${rates.lab} MB/s`);
      bar('compare (× bare read)', rates.ratio, 'at least', 0.5);
    });
    const peak = await peakMemory(address, compare);
    bar('memory of the workers in one more (MB)', peak / 1e6, 'at most', memory / 1e6);
  });
}

/** A .pt as .safetensors on the private disk, against a bare read and write of its bytes. */
export async function measureConvert(
  context: BrowserContext,
  address: string,
  { paths: [path], rounds, memory }: LargeFiles,
): Promise<void> {
  const bytes = statSync(path).size;
  console.log(`\n${bytes} bytes, converted from .pt to .safetensors in the app:`);
  await inApp(context, path, async (page) => {
    await step(page, 'Edit');
    await page.getByRole('radio', { name: 'safetensors' }).check({ force: true });
    const button = page.getByRole('button', { name: 'Download', exact: true });
    /** Until the last byte is written, as the bare copy; the rest is reading back. */
    const convert = async () => {
      const outcome = 'read back and verified';
      const whole = await timed(page, outcome, () => button.click());
      const seconds = (await page.evaluate(() => (globalThis as Marks).written))!;
      return { bytes, seconds, back: whole - seconds };
    };
    await withBenchPage(context, [path], async ({ call }) => {
      const bare = () => call('job', { kind: 'copy', tensors: 0, shape: [0, 0] });
      const rates = await alternate(rounds, bare, convert, { warmed: true });
      console.log(`  bare read and write: ${rates.bare} MB/s; converted: ${rates.lab} MB/s`);
      bar('convert (× bare read and write)', rates.ratio, 'at least', 0.6);
    });
    const { seconds, back } = await convert();
    console.log(`  one more: ${round(seconds)} s, then ${round(back)} s to read back and compare`);
    const peak = await peakMemory(address, convert);
    bar('memory of the workers in one more (MB)', peak / 1e6, 'at most', memory / 1e6);
  });
}

/** The app with a file open. */
async function inApp(
  context: BrowserContext,
  path: string,
  work: (page: Page) => Promise<void>,
): Promise<void> {
  const server = await serveBuild();
  const page = await context.newPage();
  await page.addInitScript(noteTheLastByte);
  await page.goto(server.url);
  await hydrated(page);
  await page.waitForTimeout(SETTLING);
  await dropPaths(page, [path]);
  await page.waitForFunction(() => document.title.startsWith('Checkpoint'));
  await work(page);
  await page.close();
  await server.close();
}

/** Seconds from the beginning of `work` until a status says `outcome` anew. */
async function timed(page: Page, outcome: string, work: () => Promise<void>): Promise<number> {
  await page.evaluate(watchStatus, outcome);
  await work();
  return page.evaluate(() => (globalThis as Marks).told!);
}

// What follows runs in the page.

type Marks = typeof globalThis & {
  /** When the work that is timed began. */
  began?: number;
  /** Seconds from there to the word on the page. */
  told?: Promise<number>;
  /** Seconds from there to the worker's word that the last byte is written. */
  written?: number;
};

function noteTheLastByte(): void {
  const marks = globalThis as Marks;
  const listen = Reflect.get(Worker.prototype, 'addEventListener') as Worker['addEventListener'];
  globalThis.Worker = class extends Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      listen.call(this, 'message', (event) => {
        const { data } = event as MessageEvent<{ progress?: { bytes: number; total?: number } }>;
        const { bytes = 0, total } = data.progress ?? {};
        if (bytes === total) marks.written = (performance.now() - marks.began!) / 1000;
      });
    }
  };
}

/** Begins with the next click or drop; an outcome from before goes first. */
function watchStatus(outcome: string): void {
  const marks = globalThis as Marks;
  const isTold = () =>
    [...document.querySelectorAll('[role=status]')].some((it) => it.textContent.includes(outcome));
  marks.told = new Promise((resolve) => {
    const begin = () => {
      marks.began = performance.now();
      let wasGone = !isTold();
      const watch = () => {
        wasGone ||= !isTold();
        if (wasGone && isTold()) resolve((performance.now() - marks.began!) / 1000);
        else requestAnimationFrame(watch);
      };
      requestAnimationFrame(watch);
    };
    addEventListener('click', begin, { once: true, capture: true });
    addEventListener('drop', begin, { once: true, capture: true });
  });
}
