/** After one visit everything works without a network, samples included. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  basePath,
  buildFolder,
  hydrated,
  launch,
  openPage,
  openSample,
  serveBuild,
  step,
} from './app.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

/** The service worker has kept everything and answers for the page. */
async function controlled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (!navigator.serviceWorker.controller) {
      await new Promise((resolve) => {
        navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true });
      });
    }
  });
}

test('reloads, opens a sample, runs and trains with the server gone', async () => {
  const server = await serveBuild();
  const context = await browser.newContext();
  const { page, complaints } = await openPage(context, server.url);
  await controlled(page);
  await server.close();
  await context.setOffline(true);

  await page.reload();
  await hydrated(page);
  for (const path of ['checkpoint', 'checkpoint/', 'train/?from=home', '']) {
    await page.goto(`${server.url}${path}`);
    await hydrated(page);
  }
  await openSample(page, 'One linear layer');
  await step(page, 'Model');
  await page.getByRole('textbox', { name: 'Python source of the model' }).waitFor();
  await step(page, 'Run');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByRole('list', { name: 'Largest outputs' }).waitFor();
  await step(page, 'Train');
  await page.getByLabel('Epochs', { exact: true }).fill('1');
  await page.getByRole('button', { name: 'Start training' }).click();
  const progress = page.getByRole('region', { name: 'Progress' });
  await progress.getByText('Done', { exact: true }).waitFor({ timeout: 240_000 });
  // Kit asks for the newest version when a page is shown, and the browser reports that it cannot.
  const serious = complaints.filter((it) => !/ERR_INTERNET_DISCONNECTED/.test(it));
  expect(serious).toEqual([]);
  await context.close();
});

test('a new version waits until the person asks for it', async () => {
  const server = await serveBuild();
  const context = await browser.newContext();
  const { page, complaints } = await openPage(context, server.url);
  await controlled(page);
  await openSample(page, 'One linear layer');

  const script = readFileSync(join(buildFolder, 'service-worker.js'), 'utf8');
  server.newer.set('/service-worker.js', `${script}\n// newer`);
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());
  await page.getByText('A new version of the lab is ready.').waitFor();
  // What is open stays as it is.
  await page.getByRole('treeitem').filter({ hasText: 'fc.weight' }).first().waitFor();
  await Promise.all([
    page.waitForEvent('load'),
    page.getByRole('button', { name: 'Reload', exact: true }).click(),
  ]);
  await hydrated(page);
  expect(await page.getByText('A new version of the lab is ready.').count()).toBe(0);
  const waiting = await page.evaluate(
    async () => (await navigator.serviceWorker.getRegistration())?.waiting ?? null,
  );
  expect(waiting).toBe(null);
  expect(complaints).toEqual([]);
  await context.close();
  await server.close();
});

test('a tab that stays with the version before keeps its parts, and can follow', async () => {
  const server = await serveBuild();
  const context = await browser.newContext();
  const { page, complaints } = await openPage(context, server.url);
  await controlled(page);
  const stays = await openPage(context, server.url);

  // A newer version without one of the parts, which the server has no more.
  const chunks = '/_app/immutable/chunks';
  const [part, other] = readdirSync(join(buildFolder, chunks));
  const { version } = JSON.parse(readFileSync(join(buildFolder, '_app/version.json'), 'utf8')) as {
    version: string;
  };
  const script = readFileSync(join(buildFolder, 'service-worker.js'), 'utf8');
  const newer = script.replaceAll(version, 'newer').replaceAll(part!, other!);
  expect(newer).not.toBe(script);
  server.newer.set('/service-worker.js', newer);
  server.newer.set(`${chunks}/${part}`, 'gone');
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());
  const ready = 'A new version of the lab is ready.';
  await stays.page.getByText(ready).waitFor();
  await Promise.all([
    page.waitForEvent('load'),
    page.getByRole('button', { name: 'Reload', exact: true }).click(),
  ]);
  await controlled(stays.page);

  const text = await stays.page.evaluate(
    async (path) => (await fetch(path)).text(),
    `${basePath}${chunks}/${part}`,
  );
  expect(text).toBe(readFileSync(join(buildFolder, chunks, part!), 'utf8'));
  await Promise.all([
    stays.page.waitForEvent('load'),
    stays.page.getByRole('button', { name: 'Reload', exact: true }).click(),
  ]);
  await hydrated(stays.page);
  expect(await stays.page.getByText(ready).count()).toBe(0);
  expect([...complaints, ...stays.complaints]).toEqual([]);
  await context.close();
  await server.close();
});
