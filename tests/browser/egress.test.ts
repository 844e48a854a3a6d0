/**
 * Nothing leaves the origin. A server on another port counts what arrives there: browser events
 * also report requests that were blocked, so only the far end can tell.
 */
import { createServer, type Server } from 'node:http';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StaticServer } from './app.ts';
import { closeServer, launch, listen, openPage, openSample, serveBuild } from './app.ts';

let server: StaticServer;
let browser: Browser;
let sink: Server;
let sinkOrigin: string;
/** `METHOD /path` of everything that reached the other server, WebSocket handshakes too. */
const hits: string[] = [];

beforeAll(async () => {
  sink = createServer((request, response) => {
    hits.push(`${request.method} ${request.url}`);
    response.writeHead(200, { 'access-control-allow-origin': '*' }).end('counted');
  });
  sink.on('upgrade', (request, socket) => {
    hits.push(`UPGRADE ${request.url}`);
    socket.destroy();
  });
  sinkOrigin = await listen(sink);
  server = await serveBuild();
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  if (sink) await closeServer(sink);
});

/** Every way out that a page has and that the policy covers. */
async function tryFromPage(page: Page): Promise<void> {
  await page.evaluate(async (origin) => {
    const silent = (work: () => unknown) => {
      try {
        return Promise.resolve(work()).catch(() => undefined);
      } catch {
        return Promise.resolve();
      }
    };
    const append = (tag: string, set: Record<string, string>) => {
      const element = document.createElement(tag);
      for (const [name, value] of Object.entries(set)) element.setAttribute(name, value);
      document.body.append(element);
      return element;
    };
    await silent(() => fetch(`${origin}/fetch`, { mode: 'no-cors' }));
    await silent(() => navigator.sendBeacon(`${origin}/beacon`, 'x'));
    await silent(() => (new Image().src = `${origin}/image`));
    await silent(() => new WebSocket(`${origin.replace('http', 'ws')}/websocket`));
    await silent(() => new EventSource(`${origin}/events`));
    await silent(() => {
      const request = new XMLHttpRequest();
      request.open('GET', `${origin}/xhr`);
      request.send();
    });
    await silent(() => append('link', { rel: 'prefetch', href: `${origin}/prefetch` }));
    await silent(() => append('link', { rel: 'stylesheet', href: `${origin}/style` }));
    await silent(() => append('iframe', { src: `${origin}/frame` }));
    await silent(() => append('video', { src: `${origin}/video` }));
    await silent(() => append('object', { data: `${origin}/object` }));
    await silent(() => {
      const style = new CSSStyleSheet();
      style.replaceSync(`body { background: url(${origin}/background) }`);
      document.adoptedStyleSheets.push(style);
    });
    await silent(() => {
      const form = append('form', { action: `${origin}/form`, target: 'elsewhere' });
      (form as HTMLFormElement).submit();
    });
    await silent(() => import(/* @vite-ignore */ `${origin}/module.js`));
  }, sinkOrigin);
  await page.waitForTimeout(1500);
}

test('the counter counts', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  // The same server without the app's policy.
  await page.goto(`${server.origin}/weightroom/samples/ORIGIN.md`);
  await page.evaluate((origin) => fetch(`${origin}/control`, { mode: 'no-cors' }), sinkOrigin);
  expect(hits).toContain('GET /control');
  hits.length = 0;
  await tryFromPage(page);
  expect(hits.length).toBeGreaterThan(8);
  hits.length = 0;
  await context.close();
});

test('nothing gets out of the page', async () => {
  const context = await browser.newContext({ serviceWorkers: 'block' });
  const { page } = await openPage(context, server.url);
  hits.length = 0;
  await tryFromPage(page);
  expect(hits).toEqual([]);
  await context.close();
});

test('nothing gets out of the lab’s worker', async () => {
  const context = await browser.newContext({ serviceWorkers: 'block' });
  const { page } = await openPage(context, server.url);
  await openSample(page, 'One linear layer');
  const worker = page.workers().find((it) => it.url().startsWith('blob:'));
  if (!worker) throw new Error(`no blob worker among ${page.workers().map((it) => it.url())}`);
  hits.length = 0;
  const outcome = await worker.evaluate(async (origin) => {
    const refused: string[] = [];
    const attempt = async (name: string, work: () => unknown) => {
      try {
        await work();
      } catch {
        refused.push(name);
      }
    };
    await attempt('fetch', () => fetch(`${origin}/worker-fetch`, { mode: 'no-cors' }));
    await attempt('import', () => import(/* @vite-ignore */ `${origin}/worker-module.js`));
    await attempt('websocket', () => new WebSocket(`${origin.replace('http', 'ws')}/worker-ws`));
    await attempt('xhr', () => {
      const request = new XMLHttpRequest();
      request.open('GET', `${origin}/worker-xhr`, false);
      request.send();
    });
    return refused;
  }, sinkOrigin);
  await page.waitForTimeout(1000);
  expect(hits).toEqual([]);
  expect(outcome).toEqual(expect.arrayContaining(['fetch', 'import', 'xhr']));
  await context.close();
});

test('a worker started by URL would get out: why the blob matters', async () => {
  const context = await browser.newContext({ serviceWorkers: 'block' });
  const { page } = await openPage(context, server.url);
  // Without the policy of the page, as static hosts serve worker files.
  const plain = await context.newPage();
  await plain.goto(`${server.origin}/weightroom/samples/ORIGIN.md`);
  hits.length = 0;
  await plain.evaluate((origin) => {
    const code = `fetch(${JSON.stringify(`${origin}/plain-worker`)}, { mode: 'no-cors' })`;
    new Worker(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
  }, sinkOrigin);
  await plain.waitForTimeout(1000);
  expect(hits).toEqual(['GET /plain-worker']);
  hits.length = 0;
  // On the page the same code is refused twice: as a URL by Trusted Types, as a fetch by the policy.
  const refused = await page.evaluate(() => {
    try {
      new Worker(URL.createObjectURL(new Blob(['1'], { type: 'text/javascript' })));
      return false;
    } catch {
      return true;
    }
  });
  expect(refused).toBe(true);
  expect(hits).toEqual([]);
  await context.close();
});
