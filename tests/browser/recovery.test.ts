/** The worker may die: the page says so and opens again what was open. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { app } from './app.fixture.ts';
import { drop, hydrated, openPage, openSample, sampleFile, step } from './app.ts';

test('checkpoint, source, data and model come back after a crash of the worker', async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  const { page } = await openPage(context, app.server.url);
  await openSample(page, 'One linear layer');
  const [worker] = page.workers();
  if (!worker) throw new Error('there is no worker');
  await worker.evaluate(() => {
    setTimeout(() => {
      throw new Error('made up for a test');
    });
  });
  const problem = page.locator('.problem').filter({ hasText: 'The lab’s worker stopped' });
  await problem.getByText('What was open has been opened again.').waitFor();
  await problem.getByRole('button', { name: /^Dismiss/ }).click();

  await page.getByRole('treeitem').filter({ hasText: 'fc.weight' }).first().click();
  await page.getByRole('list', { name: 'First values' }).waitFor();
  await step(page, 'Model');
  await page.getByText('All keys matched').waitFor();
  await step(page, 'Run');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByRole('list', { name: 'Largest outputs' }).waitFor();
  expect(await page.locator('.problem').count()).toBe(0);
  await context.close();
});

/** Keeps the worker's thread from everything else, as parsing without end would. */
async function hang(page: Page): Promise<void> {
  const [worker] = page.workers();
  if (!worker) throw new Error('there is no worker');
  await worker.evaluate(() => {
    setTimeout(() => {
      const end = Date.now() + 120_000;
      while (Date.now() < end);
    });
  });
}

test('a worker that hangs is replaced, its file named and not opened again', async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  const { page } = await openPage(context, app.server.url);
  await openSample(page, 'One linear layer');
  await hang(page);
  await drop(page, [{ ...sampleFile('mlp/mlp.pt'), name: 'hang.pt' }]);
  const problem = page.locator('.problem').filter({ hasText: 'The lab’s worker stopped' });
  await problem.getByText('stopped at hang.pt: it did not answer for 15 s').waitFor();
  await problem.getByText('hang.pt is not opened again').waitFor();
  await problem.getByText('What was open has been opened again.').waitFor();
  expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('linear.pth');
  await page.getByRole('treeitem').filter({ hasText: 'fc.weight' }).first().click();
  await page.getByRole('list', { name: 'First values' }).waitFor();
  expect(await page.locator('.problem').count()).toBe(1);
  await context.close();
});

test('cancelling what a hanging worker parses replaces it', async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  const { page } = await openPage(context, app.server.url);
  await openSample(page, 'One linear layer');
  await hang(page);
  await drop(page, [{ ...sampleFile('mlp/mlp.pt'), name: 'hang.pt' }]);
  const strip = page.locator('.task').filter({ hasText: 'Opening hang.pt' });
  await strip.getByRole('button', { name: 'Cancel' }).click();
  await page.getByText('stopped at hang.pt: it did not react to Cancel within 2 s').waitFor();
  await page.getByText('What was open has been opened again.').waitFor();
  await drop(page, [sampleFile('mlp/mlp.pt')]);
  await page.getByRole('heading', { level: 1, name: 'mlp.pt' }).waitFor();
  await context.close();
});

test('after a crash of the whole page, the next one names the file', async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  const { page } = await openPage(context, app.server.url);
  await openSample(page, 'One linear layer');
  await hang(page);
  await drop(page, [{ ...sampleFile('mlp/mlp.pt'), name: 'hang.pt' }]);
  await page.locator('.task').filter({ hasText: 'Opening hang.pt' }).waitFor();
  // The driver lets go of a page that crashes, so what a crash leaves behind is put back instead.
  await page.evaluate(() => {
    const left = Object.entries(sessionStorage);
    addEventListener('pagehide', () =>
      left.forEach(([key, it]) => sessionStorage.setItem(key, it)),
    );
  });
  await page.reload();
  await page.getByText('the page ended while it read hang.pt').waitFor();
  await page.reload();
  await page.getByText('No checkpoint is open').waitFor();
  await hydrated(page);
  expect(await page.locator('.problem').count()).toBe(0);
  await context.close();
});

test('a run whose worker crashed goes on by itself', async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  const { page } = await openPage(context, app.server.url);
  await openSample(page, 'One linear layer');
  await step(page, 'Train');
  await page.getByLabel('Epochs', { exact: true }).fill('10');
  await page.getByRole('button', { name: 'Start training' }).click();
  const progress = page.getByRole('region', { name: 'Progress' });
  await progress.getByText('Kept', { exact: false }).waitFor({ timeout: 120_000 });
  const [worker] = page.workers();
  await worker!.evaluate(() => {
    setTimeout(() => {
      throw new Error('made up for a test');
    });
  });
  const problem = page.locator('.problem').filter({ hasText: 'The lab’s worker stopped' });
  await problem.getByText(/The run linear goes on from epoch \d+/).waitFor({ timeout: 60_000 });
  await progress.getByText('Done', { exact: true }).waitFor({ timeout: 120_000 });
  const epochs = page.getByRole('region', { name: 'Epoch by epoch' }).getByRole('row');
  expect(await epochs.count()).toBe(1 + 10);
  await context.close();
});

test('the tree is driven by the keyboard', async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  const { page } = await openPage(context, app.server.url);
  await openSample(page, 'Handwritten digits');
  const tree = page.getByRole('tree');
  const selected = () => page.locator('[role=treeitem][aria-selected=true] .key').innerText();
  await tree.focus();
  await page.keyboard.press('Home');
  expect(await selected()).toBe('checkpoint');
  await page.keyboard.press('ArrowDown');
  expect(await selected()).toBe('model');
  await page.keyboard.press('ArrowLeft');
  expect(await page.getByRole('treeitem').filter({ hasText: 'conv1.weight' }).count()).toBe(0);
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  expect(await selected()).toBe('conv1.weight');
  await page.keyboard.type('fc');
  expect(await selected()).toBe('fc.weight');
  await page.keyboard.press('ArrowLeft');
  expect(await selected()).toBe('model');
  await page.keyboard.press('End');
  const last = await tree.getAttribute('aria-activedescendant');
  expect(last).toBe(await page.getByRole('treeitem').last().getAttribute('id'));
  await context.close();
});
