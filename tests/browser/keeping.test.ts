/**
 * What a run leaves on a real disk, whatever ends it: the lab's modules in a worker of a real
 * Chromium, on its private disk and in folders that stand for picked ones.
 */
import { rmSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import sirv from 'sirv';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromium as chromiumPath } from '../chromium.ts';
import { runPython } from '../python.ts';
import { closeServer, flags, launch, listen } from './app.ts';
import type { Keeping } from './keeping/page.ts';
import type { Ask, Told } from './keeping/keeping.worker.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightroom-keeping-'));
let server: Server;
let url: string;
let browser: Browser;

beforeAll(async () => {
  const outDir = join(folder, 'page');
  await build({
    root: join(import.meta.dirname, 'keeping'),
    configFile: false,
    logLevel: 'warn',
    base: './',
    define: { __APP_VERSION__: '"test"' },
    worker: { format: 'es' },
    build: { outDir, emptyOutDir: true, target: 'esnext' },
  });
  server = createServer(sirv(outDir, { dev: true }));
  url = await listen(server);
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  if (server) await closeServer(server);
  rmSync(folder, { recursive: true, force: true });
});

async function newPage(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForFunction(() => 'keeping' in globalThis);
  return page;
}

function tell(page: Page, ask: Ask): Promise<Told> {
  return page.evaluate(
    (it) => (globalThis as unknown as { keeping: Keeping }).keeping.ask(it),
    ask,
  );
}

/** What is answered; an error is one of the test. */
async function ask(page: Page, question: Ask): Promise<never> {
  const { error, result } = await tell(page, question);
  if (error) throw new Error(error.message);
  return result as never;
}

interface Opened {
  step: number;
  value: number;
  best: { epoch: number };
  file: string;
  findings: { where: string; message: string }[];
  data: string | null;
}
const open = (page: Page): Promise<Opened> => ask(page, { kind: 'open' });

/** The names in a folder of the private disk. */
const namesIn = (page: Page, path: string[]): Promise<string[]> =>
  page.evaluate(async (parts) => {
    let at = await navigator.storage.getDirectory();
    for (const part of parts) at = await at.getDirectoryHandle(part);
    return (await Array.fromAsync(at.keys())).sort();
  }, path);

const FLOATS = 1000;

describe('a run on the private disk', () => {
  test('is found again, whole, exported, continued and removed', async () => {
    const context = await browser.newContext();
    const page = await newPage(context);
    await ask(page, { kind: 'start', floats: FLOATS });
    for (let step = 1; step <= 7; step++) await ask(page, { kind: 'keep', step });
    const names = ['best.pt', 'inputs.bin', 'last.pt', 'metrics.csv'];
    const numbered = ['net_epoch4_valloss2.0000.pt', 'net_epoch6_valloss0.1667.pt'];
    expect(await namesIn(page, ['runs', 'a-run'])).toEqual([...names, ...numbered, 'run.json']);

    // Another tab sees it, and keeps its hands off.
    const other = await newPage(context);
    expect(await ask(other, { kind: 'find' })).toMatchObject([
      { id: 'a-run', name: 'net', model: 'Net', place: 'private', state: 'running', epoch: 7 },
    ]);
    for (const kind of ['open', 'remove'] as const) {
      expect((await tell(other, { kind })).error?.code).toBe('run-in-use');
    }
    await page.close();
    expect(await ask(other, { kind: 'find' })).toMatchObject([
      { state: 'interrupted', best: { epoch: 6 }, end: 100, data: 'data.csv' },
    ]);
    expect(await open(other)).toMatchObject({
      ...{ step: 7, value: 7, best: { epoch: 6 }, file: 'last.pt', findings: [] },
      data: '1,2\n3,4\n',
    });
    const zip: { name: string; bytes: Uint8Array } = await ask(other, { kind: 'export' });
    expect(zip.name).toBe('net.zip');
    const path = join(folder, zip.name);
    writeFileSync(path, Uint8Array.from(Object.values(zip.bytes)));
    const judge = 'tests/judge/kept_zip.py';
    expect(JSON.parse(await runPython(judge, [path]))).toEqual({
      ...{ 'best.pt': 6, 'last.pt': 7, rows: [1, 2, 3, 4, 5, 6, 7] },
      ...{ [numbered[0]!]: 4, [numbered[1]!]: 6 },
    });

    expect(await ask(other, { kind: 'continue' })).toBe(7);
    await ask(other, { kind: 'keep', step: 8 });
    await ask(other, { kind: 'close' });
    expect(await open(other)).toMatchObject({ step: 8, best: { epoch: 6 } });
    await ask(other, { kind: 'remove' });
    expect(await ask(other, { kind: 'find' })).toEqual([]);
    await context.close();
  });

  test('goes on from an older state where the newest is cut off', async () => {
    const context = await browser.newContext();
    const page = await newPage(context);
    await ask(page, { kind: 'start', floats: FLOATS });
    for (let step = 1; step <= 5; step++) await ask(page, { kind: 'keep', step });
    await ask(page, { kind: 'close' });
    await page.evaluate(async () => {
      const runs = await (await navigator.storage.getDirectory()).getDirectoryHandle('runs');
      const last = await (await runs.getDirectoryHandle('a-run')).getFileHandle('last.pt');
      const stream = await last.createWritable({ keepExistingData: true });
      await stream.truncate(3000);
      await stream.close();
    });
    const { findings, ...found } = await open(page);
    expect(found).toMatchObject({ step: 4, value: 4, file: 'net_epoch4_valloss2.0000.pt' });
    expect(findings).toMatchObject([{ where: 'last.pt' }]);
    expect(findings[0]!.message).toContain('last.pt is not whole (3000 bytes)');
    await context.close();
  });

  test('a full disk is said, nothing is lost, and the run goes on when there is room', async () => {
    const context = await browser.newContext();
    const page = await newPage(context);
    const floats = 500_000;
    await ask(page, { kind: 'start', floats });
    await ask(page, { kind: 'keep', step: 3 });
    const session = await context.newCDPSession(page);
    const origin = new URL(url).origin;
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 4_500_000 });
    expect((await tell(page, { kind: 'keep', step: 6 })).error).toMatchObject({
      code: 'storage-full',
    });
    await session.send('Storage.overrideQuotaForOrigin', { origin });
    expect(await ask(page, { kind: 'keep', step: 7 })).toEqual(['last.pt', 'best.pt']);
    await ask(page, { kind: 'close' });
    expect(await open(page)).toMatchObject({ step: 7, value: 7, best: { epoch: 6 } });
    expect(await namesIn(page, ['runs', 'a-run'])).toEqual([
      ...['best.pt', 'inputs.bin', 'last.pt', 'metrics.csv', 'run.json'],
    ]);
    await context.close();
  });

  test('tabs closed and workers ended in the middle of saves lose nothing that was told', async () => {
    const context = await browser.newContext();
    let page = await newPage(context);
    await ask(page, { kind: 'start', floats: 300_000 });
    let at = 1;
    await ask(page, { kind: 'keep', step: at });
    for (const [kill, after] of [...KILLS.entries()]) {
      const told = await keepUntil(page, at + 1, after);
      if (kill % 2 === 0) await page.close();
      else await page.evaluate(() => (globalThis as unknown as { keeping: Keeping }).keeping.end());
      if (!page.isClosed()) await page.close();
      page = await newPage(context);
      const { step, value } = await open(page);
      expect(step).toBeGreaterThanOrEqual(Math.max(at, ...told));
      expect(value).toBe(step);
      expect(await ask(page, { kind: 'continue' })).toBe(step);
      expect(
        (await namesIn(page, ['runs', 'a-run'])).filter((it) => /tmp|crswap/.test(it)),
      ).toEqual([]);
      at = step;
    }
    expect(at).toBeGreaterThan(3); // saves came to an end between the kills
    await context.close();
  });

  test('a browser that is killed in the middle of a save loses nothing that was told', async () => {
    const profile = join(folder, 'profile');
    const start = () =>
      chromium.launchPersistentContext(profile, { executablePath: chromiumPath!, args: flags });
    let context = await start();
    let page = await newPage(context);
    await ask(page, { kind: 'start', floats: 300_000 });
    await ask(page, { kind: 'keep', step: 1 });
    const told = [1, ...(await keepUntil(page, 2, 700))];
    await killProcessOf(context);
    context = await start();
    page = await newPage(context);
    const { step, value } = await open(page);
    expect(step).toBeGreaterThanOrEqual(Math.max(...told));
    expect(value).toBe(step);
    expect(await ask(page, { kind: 'continue' })).toBe(step);
    await ask(page, { kind: 'keep', step: step + 1 });
    await context.close();
  });
});

/** Milliseconds of saving before each kill. */
const KILLS = [250, 417, 190, 333];

/** Lets states be kept for some time, and gives the steps that were told as kept until then. */
async function keepUntil(page: Page, from: number, milliseconds: number): Promise<number[]> {
  const told: number[] = [];
  page.on('console', (message) => {
    const { step, error } = JSON.parse(message.text()) as { step?: number; error?: object };
    if (error) throw new Error(JSON.stringify(error));
    told.push(step!);
  });
  await page.evaluate((first) => {
    void (globalThis as unknown as { keeping: Keeping }).keeping.forever(first);
  }, from);
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  return told;
}

/** Ends a browser as the system does when it takes memory back: without a word. */
async function killProcessOf(context: BrowserContext): Promise<void> {
  const session = await context.browser()!.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const main = processInfo.find(({ type }) => type === 'browser')!;
  process.kill(main.id, 'SIGKILL');
  await new Promise((resolve) => setTimeout(resolve, 300));
}

describe('a run in a picked folder', () => {
  test('is remembered, and whoever picks the folder for another run is warned', async () => {
    const context = await browser.newContext();
    const page = await newPage(context);
    await ask(page, { kind: 'start', floats: FLOATS, folder: 'mine' });
    await ask(page, { kind: 'keep', step: 1 });
    await page.close();
    const other = await newPage(context);
    expect(await ask(other, { kind: 'find' })).toMatchObject([
      { place: 'mine', state: 'interrupted', epoch: 1, name: 'net' },
    ]);
    const { error } = await tell(other, { kind: 'start', floats: FLOATS, folder: 'mine' });
    expect(error).toMatchObject({ code: 'run-folder-taken' });
    expect(await ask(other, { kind: 'continue' })).toBe(1);
    await ask(other, { kind: 'keep', step: 2 });
    await ask(other, { kind: 'close' });
    // It is forgotten, its files stay.
    await ask(other, { kind: 'remove' });
    expect(await ask(other, { kind: 'find' })).toEqual([]);
    expect(await namesIn(other, ['mine'])).toContain('last.pt');
    await context.close();
  });

  test('where files cannot be renamed, versions stand beside one another', async () => {
    const context = await browser.newContext();
    const page = await newPage(context);
    await ask(page, { kind: 'start', floats: FLOATS, folder: 'mine', spoil: 'no move' });
    for (let step = 1; step <= 3; step++) await ask(page, { kind: 'keep', step });
    expect(await namesIn(page, ['mine'])).toEqual([
      ...['best.v2.pt', 'inputs.v1.bin', 'last.v3.pt', 'metrics.v3.csv'],
      ...['net_epoch2_valloss2.0000.v1.pt', 'run.v4.json'],
    ]);
    await ask(page, { kind: 'close' });
    expect(await open(page)).toMatchObject({ step: 3, value: 3 });
    await context.close();
  });

  test('a permission that is withdrawn is said, and what was kept stays', async () => {
    const context = await browser.newContext();
    const page = await newPage(context);
    await ask(page, { kind: 'start', floats: FLOATS, folder: 'mine', spoil: 'no permission' });
    let error: Told['error'];
    let step = 0;
    while (!error && step < 9) ({ error } = await tell(page, { kind: 'keep', step: ++step }));
    expect(error).toMatchObject({ code: 'storage-permission' });
    expect(error!.message).toContain('the permission for its folder was withdrawn');
    await page.close();
    const found = await open(await newPage(context));
    expect(step).toBeGreaterThan(1);
    expect(found.step).toBeGreaterThanOrEqual(step - 1);
    expect(found.value).toBe(found.step);
    await context.close();
  });
});
