/**
 * What the benches share: a Chromium with a profile on the disk, the built app and a page beside it
 * that reads and writes bare bytes, rates in turn, and bars that are met or missed.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import sirv from 'sirv';
import { build } from 'vite';
import { closeServer, flags, listen } from '../browser/app.ts';
import { chromium as chromiumPath } from '../chromium.ts';
import { ensurePython } from '../python.ts';
import type { Bench } from './page/page.ts';

export const folder = join(import.meta.dirname, '../.made/bench');
/** From a page that is there to the first file: nobody drops one sooner. The worker warms up. */
export const SETTLING = 1000;
const pageFolder = join(folder, 'page');
const profile = join(folder, 'profile');
let missed = 0;

/** Throws where PyTorch or Chromium is missing; else the folder of the bench's files is there. */
export function prepare(): void {
  const problem = ensurePython() ?? (chromiumPath ? null : 'Chromium is missing');
  if (problem) throw new Error(problem);
  mkdirSync(folder, { recursive: true });
}

/** Builds the app, below the path that `serveBuild` serves, and the page with the bare worker. */
export async function buildPages(): Promise<void> {
  await build({
    root: join(import.meta.dirname, 'page'),
    configFile: false,
    logLevel: 'warn',
    base: './',
    define: { __APP_VERSION__: '"bench"' },
    worker: { format: 'es' },
    build: { outDir: pageFolder, emptyOutDir: true, target: 'esnext' },
  });
  const { status } = spawnSync('vite', ['build', '--logLevel', 'error'], {
    stdio: 'inherit',
    env: { ...process.env, BASE_PATH: '/weightroom' },
  });
  if (status !== 0) throw new Error('the app does not build');
}

/** A fresh Chromium; `address` is the WebSocket of its debugger. */
export async function inBrowser(
  work: (context: BrowserContext, address: string) => Promise<void>,
): Promise<void> {
  rmSync(profile, { recursive: true, force: true });
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath!,
    args: [...flags, '--remote-debugging-port=0'],
    viewport: { width: 1280, height: 800 },
    acceptDownloads: false, // they would be copied while the next run is timed
  });
  const [port, path] = readFileSync(join(profile, 'DevToolsActivePort'), 'utf8').trim().split('\n');
  try {
    await work(context, `ws://127.0.0.1:${port}${path}`);
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

/** The page with the bare worker. */
export interface BenchPage {
  readonly page: Page;
  call<K extends keyof Bench>(name: K, ...args: Parameters<Bench[K]>): ReturnType<Bench[K]>;
}

/** Works on the page with the bare worker, on files of the disk. */
export async function withBenchPage(
  context: BrowserContext,
  paths: readonly string[],
  work: (bench: BenchPage) => Promise<void>,
): Promise<void> {
  const files = sirv(pageFolder, { dev: true });
  const server = createServer((request, response) =>
    files(request, response, () => void response.writeHead(404).end()),
  );
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(String(error)));
  await page.goto(await listen(server));
  await page.setInputFiles('input', [...paths]);
  const call: BenchPage['call'] = (name, ...args) =>
    page.evaluate(
      ([name, args]) =>
        (globalThis as unknown as { bench: Record<string, (...args: unknown[]) => unknown> }).bench[
          name
        ]!(...args),
      [name, args] as const,
    ) as ReturnType<Bench[typeof name]>;
  try {
    await work({ page, call });
  } finally {
    await page.close();
    await closeServer(server);
  }
}

export interface Rate {
  readonly bytes: number;
  readonly seconds: number;
}

/**
 * Runs both in turn and compares the medians of their rates. With `warmed`, each run that counts
 * follows one of its own kind: a system hands a writer memory that is warm or cold, depending on
 * who gave it back last.
 */
export async function alternate(
  rounds: number,
  bare: () => Promise<Rate>,
  lab: () => Promise<Rate>,
  { warmed = false } = {},
): Promise<{ bare: number; lab: number; ratio: number }> {
  const rateOf = async (run: () => Promise<Rate>) => {
    if (warmed) await run();
    const { bytes, seconds } = await run();
    return bytes / 1e6 / seconds;
  };
  await bare();
  await lab();
  const rates: { bare: number; lab: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    rates.push({ bare: await rateOf(bare), lab: await rateOf(lab) });
  }
  const one = median(rates.map((rate) => rate.bare));
  const two = median(rates.map((rate) => rate.lab));
  return { bare: Math.round(one), lab: Math.round(two), ratio: two / one };
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

export function round(value: number): string {
  return value.toPrecision(3);
}

/** Prints whether a bar was met, and remembers where it was not. */
export function bar(
  what: string,
  value: number,
  which: 'at most' | 'at least',
  limit: number,
): void {
  const met = which === 'at most' ? value <= limit : value >= limit;
  if (!met) missed++;
  console.log(`  ${met ? 'met   ' : 'MISSED'} ${what}: ${round(value)}, ${which} ${round(limit)}`);
}

/** The last line, and the exit code: 1 where a bar was missed. */
export function conclude(): void {
  const bars = missed === 1 ? '1 bar was' : `${missed} bars were`;
  console.log(missed === 0 ? 'every bar was met' : `${bars} missed`);
  process.exitCode = missed === 0 ? 0 : 1;
}
