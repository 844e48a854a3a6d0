/**
 * A run that something ends in the middle of its steps comes to the numbers of one that nothing
 * ended: the last.pt of both, tensor by tensor. What may end it: the tab, the browser, the worker,
 * the GPU device.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { bytesSource } from '#lib/file/source.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import { tensorsIn } from '#lib/inspect/walk.ts';
import { chromium as chromiumPath, softwareWebgpu } from '../chromium.ts';
import { app } from './app.fixture.ts';
import { flags, openPage, openSample, step } from './app.ts';

const EPOCHS = 10;
/** After so many the fault comes. */
const BEFORE = 2;

const progress = (page: Page) => page.getByRole('region', { name: 'Progress' });

/** Starts a run of the smallest sample, and waits until some of its epochs are kept. */
async function start(page: Page): Promise<void> {
  await openSample(page, 'One linear layer');
  await step(page, 'Train');
  await page.getByLabel('Epochs', { exact: true }).fill(String(EPOCHS));
  await page.getByRole('button', { name: 'Start training' }).click();
  await page
    .getByRole('region', { name: 'Epoch by epoch' })
    .getByRole('row')
    .nth(BEFORE)
    .waitFor({ timeout: 120_000 });
}

async function done(page: Page): Promise<void> {
  await progress(page).getByText('Done', { exact: true }).waitFor({ timeout: 240_000 });
}

/** Every tensor of the newest run's last.pt, by its path. */
async function lastState(page: Page): Promise<Map<string, Uint8Array>> {
  const base64 = await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const runs = await root.getDirectoryHandle('runs');
    const files: File[] = [];
    for await (const run of runs.values()) {
      if (run.kind !== 'directory') continue;
      const folder = run as FileSystemDirectoryHandle;
      files.push(await (await folder.getFileHandle('last.pt')).getFile());
    }
    const [newest] = files.sort((a, b) => b.lastModified - a.lastModified);
    const bytes = new Uint8Array(await newest!.arrayBuffer());
    let text = '';
    for (const byte of bytes) text += String.fromCharCode(byte);
    return btoa(text);
  });
  const bytes = new Uint8Array(Buffer.from(base64, 'base64'));
  const opened = await openCheckpoint(bytesSource(bytes, 'last.pt'));
  if (!opened.ok) throw new Error(opened.findings[0]!.message);
  const tensors = new Map<string, Uint8Array>();
  for (const { path, tensor } of tensorsIn(opened.checkpoint.root)) {
    tensors.set(path, await readTensor(tensor));
  }
  return tensors;
}

let unbroken: Map<string, Uint8Array>;

beforeAll(async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  const { page } = await openPage(context, app.server.url);
  await start(page);
  await done(page);
  unbroken = await lastState(page);
  await context.close();
}, 300_000);

async function expectUnbroken(page: Page): Promise<void> {
  await done(page);
  const state = await lastState(page);
  expect([...state.keys()]).toEqual([...unbroken.keys()]);
  expect(state.size).toBeGreaterThan(4);
  for (const [path, bytes] of state) expect([path, bytes]).toEqual([path, unbroken.get(path)]);
}

/** Takes up the run that a start offers. */
async function resume(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Resume/ }).click();
  await page.getByRole('button', { name: /^Continue to epoch/ }).click();
}

test('the tab is closed', async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  const { page } = await openPage(context, app.server.url);
  await start(page);
  await page.close();
  const { page: next } = await openPage(context, app.server.url);
  await resume(next);
  await expectUnbroken(next);
  await context.close();
}, 300_000);

test('the tab is closed, and last.pt is cut off', async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  const { page } = await openPage(context, app.server.url);
  await start(page);
  await page.close();
  const { page: next } = await openPage(context, app.server.url);
  await next.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const runs = await root.getDirectoryHandle('runs');
    for await (const run of runs.values()) {
      const folder = run as FileSystemDirectoryHandle;
      const stream = await (
        await folder.getFileHandle('last.pt')
      ).createWritable({ keepExistingData: true });
      await stream.truncate(999);
      await stream.close();
    }
  });
  await next.reload();
  await resume(next);
  await expectUnbroken(next);
  await context.close();
}, 300_000);

test('the disk is full for a while', async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  const { page } = await openPage(context, app.server.url);
  const session = await context.newCDPSession(page);
  const allow = (quotaSize?: number) =>
    session.send('Storage.overrideQuotaForOrigin', { origin: app.server.origin, quotaSize });
  await start(page);
  await allow(1);
  await progress(page).getByText('The run could not be kept.').waitFor({ timeout: 60_000 });
  await allow();
  await expectUnbroken(page);
  await context.close();
}, 300_000);

test('the worker is terminated', async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  const { page } = await openPage(context, app.server.url);
  await start(page);
  const [worker] = page.workers();
  await worker!.evaluate(() => {
    setTimeout(() => {
      throw new Error('made up for a test');
    });
  });
  await page.locator('.problem').filter({ hasText: 'The lab’s worker stopped' }).waitFor();
  await expectUnbroken(page);
  await context.close();
}, 300_000);

test('the GPU device is destroyed', async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  const { page } = await openPage(context, app.server.url);
  await page.getByRole('heading', { name: 'Samples' }).waitFor();
  const [worker] = page.workers();
  // The device is the backend's alone: a way to it is kept before it is made.
  await worker!.evaluate(() => {
    const devices: GPUDevice[] = [];
    Object.assign(self, { devices });
    const request = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (descriptor) {
      const device = await request.call(this, descriptor);
      devices.push(device);
      return device;
    };
  });
  await start(page);
  const count = () =>
    worker!.evaluate(() => (self as unknown as { devices: GPUDevice[] }).devices.length);
  expect(await count()).toBe(1);
  await worker!.evaluate(() => {
    (self as unknown as { devices: GPUDevice[] }).devices[0]!.destroy();
  });
  await expectUnbroken(page);
  expect(await count()).toBe(2);
  await context.close();
}, 300_000);

test('the browser is killed', async () => {
  const profile = mkdtempSync(join(tmpdir(), 'weightroom-faults-'));
  const open = async (): Promise<BrowserContext> =>
    chromium.launchPersistentContext(profile, {
      executablePath: chromiumPath!,
      args: [...flags, ...softwareWebgpu, '--remote-debugging-port=0'],
      serviceWorkers: 'block',
    });
  afterAll(() => rmSync(profile, { recursive: true, force: true }));
  const context = await open();
  const { page } = await openPage(context, app.server.url);
  await start(page);
  const session = await context.browser()!.newBrowserCDPSession();
  await session.send('Browser.crash').catch(() => {}); // it answers no more
  await context.close().catch(() => {});
  const again = await open();
  const { page: next } = await openPage(again, app.server.url);
  await resume(next);
  await expectUnbroken(next);
  await again.close();
}, 300_000);
