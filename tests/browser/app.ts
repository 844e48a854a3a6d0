/**
 * The built app in a real Chromium: served from static files below a sub-path without
 * special headers, as static hosts do, and driven by Playwright.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import sirv from 'sirv';
import { chromium as chromiumPath, softwareWebgpu } from '../chromium.ts';
import { newFixtures } from '../fixtures/made.ts';
import { runPython } from '../python.ts';

export const basePath = '/weightroom';
export const buildFolder = join(import.meta.dirname, '../../build');
export const resultsFolder = join(import.meta.dirname, '../../test-results');
export const samplesFolder = join(import.meta.dirname, '../../public/samples');

/** Keep Chromium from talking to anyone. */
export const flags = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface StaticServer {
  origin: string;
  /** Address of the app's first page. */
  url: string;
  /** Files that a newer build would have, by path below the app: `/service-worker.js`. */
  newer: Map<string, string>;
  close(): Promise<void>;
}

/** Serves build/ at `/weightroom/`, plainly: no security headers, no fallbacks. */
export async function serveBuild(): Promise<StaticServer> {
  if (!existsSync(join(buildFolder, 'index.html'))) {
    throw new Error('build/ is missing: run `BASE_PATH=/weightroom npm run build` first');
  }
  const files = sirv(buildFolder, { dev: true, extensions: ['html'] });
  const newer = new Map<string, string>();
  const server = createServer((request, response) => {
    const refuse = () => {
      response.writeHead(404).end('not found');
    };
    if (!request.url?.startsWith(`${basePath}/`)) return refuse();
    request.url = request.url.slice(basePath.length);
    const other = newer.get(request.url);
    if (other !== undefined) {
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(other);
      return;
    }
    files(request, response, refuse);
  });
  const origin = await listen(server);
  return { origin, url: `${origin}${basePath}/`, newer, close: () => closeServer(server) };
}

export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

/** Chromium with a WebGPU adapter in software, or with the graphics that `graphics` asks for. */
export async function launch(graphics: readonly string[] = softwareWebgpu): Promise<Browser> {
  if (!chromiumPath) throw new Error('Chromium is missing: see tests/chromium.ts');
  return chromium.launch({ executablePath: chromiumPath, args: [...flags, ...graphics] });
}

/** A page that keeps every complaint of the browser: console errors, exceptions, CSP reports. */
export interface WatchedPage {
  page: Page;
  complaints: string[];
}

export async function openPage(context: BrowserContext, url: string): Promise<WatchedPage> {
  const complaints: string[] = [];
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(url);
  await hydrated(page);
  return { page, complaints };
}

/** The page answers once Kit has started: its announcer appears then. */
export async function hydrated(page: Page): Promise<void> {
  await page.locator('#svelte-announcer').waitFor({ state: 'attached' });
}

/** Goes to a step by its link in the bar, as a person does: the page is not loaded anew. */
export async function step(page: Page, name: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Steps' }).getByRole('link', { name }).click();
  const title = name === 'Open' ? 'Weightroom' : name;
  await page.waitForFunction((start) => document.title.startsWith(start), title);
}

/** Drops files on the window by a DataTransfer that the page makes. */
export async function drop(
  page: Page,
  files: { name: string; bytes: Uint8Array }[],
): Promise<void> {
  const plain = files.map(({ name, bytes }) => ({
    name,
    base64: Buffer.from(bytes).toString('base64'),
  }));
  await page.evaluate((list) => {
    const transfer = new DataTransfer();
    for (const { name, base64 } of list) {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      transfer.items.add(new File([bytes], name));
    }
    for (const type of ['dragenter', 'dragover', 'drop']) {
      const init = { dataTransfer: transfer, bubbles: true, cancelable: true };
      document.body.dispatchEvent(new DragEvent(type, init));
    }
  }, plain);
}

/**
 * Drags files and folders from the disk onto the window, as a person does: the browser makes the
 * events, folders can be walked, and the bytes of large files stay where they are.
 */
export async function dropPaths(page: Page, paths: readonly string[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const { width, height } = page.viewportSize() ?? { width: 800, height: 600 };
  const data = { items: [], files: [...paths], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', { type, x: width / 2, y: height / 2, data });
  }
  await session.detach();
}

export function sampleFile(path: string): { name: string; bytes: Uint8Array } {
  return { name: path.split('/').at(-1) ?? path, bytes: readFileSync(join(samplesFolder, path)) };
}

/** A checkpoint that PyTorch wrote, with `os.system` beside its tensors. */
export async function hostileFile(): Promise<{ name: string; bytes: Uint8Array }> {
  const fixture = (await newFixtures()).find(({ name }) => name === 'hostile_os_system');
  if (!fixture) throw new Error('the fixture hostile_os_system is missing');
  return { name: 'hostile.pt', bytes: readFileSync(fixture.path) };
}

export async function shoot(page: Page, name: string): Promise<void> {
  mkdirSync(resultsFolder, { recursive: true });
  await page.screenshot({ path: join(resultsFolder, `${name}.png`) });
}

/** Opens a sample from the first page and waits until its checkpoint and model are there. */
export async function openSample(page: Page, title: string): Promise<void> {
  await page.getByRole('button', { name: `Open sample: ${title}` }).click();
  await page.waitForFunction(() => document.title.startsWith('Checkpoint'));
  const model = page
    .getByRole('navigation', { name: 'Steps' })
    .getByRole('link', { name: 'Model' });
  await model.filter({ hasText: '(done)' }).waitFor({ timeout: 60_000 });
}

/** Replaces the sample's digits by a few of them, dropped as a person would drop their own data. */
export async function dropFewDigits(page: Page): Promise<void> {
  const folder = join(import.meta.dirname, '../.made');
  const path = join(folder, 'few_digits_32.npz');
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    await runPython('tests/browser/small_digits.py', [path]);
  }
  await drop(page, [{ name: 'few_digits.npz', bytes: readFileSync(path) }]);
  await page.getByRole('option', { name: 'held out (16)' }).waitFor({ state: 'attached' });
}
