/** After one visit everything works without a network, samples included. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hydrated, launch, openPage, openSample, serveBuild, step } from './app.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

test('reloads, opens a sample, runs and trains with the server gone', async () => {
  const server = await serveBuild();
  const context = await browser.newContext();
  const { page, complaints } = await openPage(context, server.url);
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (!navigator.serviceWorker.controller) {
      await new Promise((resolve) => {
        navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true });
      });
    }
  });
  await server.close();
  await context.setOffline(true);

  await page.reload();
  await hydrated(page);
  for (const path of ['checkpoint', 'checkpoint/', 'train/?from=home', '']) {
    await page.goto(`${server.url}${path}`);
    await hydrated(page);
  }
  await openSample(page, 'One linear layer');
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
