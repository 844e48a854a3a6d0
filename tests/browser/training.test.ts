/** Fine-tuning as people do it: their own data, another head, a run that goes on. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, expect, test } from 'vitest';
import { runPython } from '../python.ts';
import { app } from './app.fixture.ts';
import { drop, dropPaths, openPage, openSample, shoot, step } from './app.ts';
import { classes, writePictures } from './pictures.ts';

const scratch = mkdtempSync(join(tmpdir(), 'weightroom-training-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const progress = (page: Page) => page.getByRole('region', { name: 'Progress' });

/** A part of the form, opened. */
async function section(page: Page, title: string): Promise<Locator> {
  const details = page.locator('details').filter({
    has: page.locator('summary .title', { hasText: new RegExp(`^${title}$`) }),
  });
  if (!(await details.evaluate((it: HTMLDetailsElement) => it.open))) {
    await details.locator('summary').first().click();
  }
  return details;
}

async function applied(page: Page): Promise<void> {
  const apply = page.getByRole('button', { name: 'Apply to the model' });
  await apply.click();
  await apply.waitFor({ state: 'detached' });
}

async function trained(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Start training' }).click();
  await progress(page).getByText('Done', { exact: true }).waitFor({ timeout: 240_000 });
}

/** What PyTorch reads in a download. */
async function loaded(page: Page, button: string): Promise<string> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: button }).click(),
  ]);
  const path = join(scratch, download.suggestedFilename());
  await download.saveAs(path);
  return path;
}

async function open(context?: BrowserContext): Promise<{ page: Page; end: () => Promise<void> }> {
  const own = context ?? (await app.browser.newContext({ serviceWorkers: 'block' }));
  const { page, complaints } = await openPage(own, app.server.url);
  const end = async () => {
    expect(complaints).toEqual([]);
    await own.close();
  };
  return { page, end };
}

test('a folder of pictures: a new head on frozen features', async () => {
  const folder = join(scratch, 'shapes');
  mkdirSync(folder);
  writePictures(folder, 4);
  const { page, end } = await open();
  await openSample(page, 'Handwritten digits');
  await step(page, 'Train');
  await dropPaths(page, [folder]);
  await page.getByText('12 to train, none held out').waitFor();
  const examples = page.getByRole('list', { name: 'Examples' });
  await examples
    .getByRole('img', { name: /bars|dashes|dots/ })
    .nth(11)
    .waitFor();
  await (await section(page, 'Augment')).getByLabel('Flip left and right').check();
  await page.locator('.chip', { hasText: 'flip' }).waitFor();

  await page.getByRole('button', { name: 'New head with 3 outputs' }).click();
  await (await section(page, 'Frozen')).getByLabel('Keep as they are').selectOption('body');
  await applied(page);
  await page.getByText('4,707 of', { exact: false }).first().waitFor();
  await section(page, 'Fresh');
  await shoot(page, 'train-transfer');
  await page.getByLabel('Epochs', { exact: true }).fill('1');
  await trained(page);
  await page.getByRole('img', { name: 'Confusion matrix of 3 classes' }).waitFor();
  await shoot(page, 'train-transfer-done');

  await step(page, 'Save');
  const group = page.getByRole('group', { name: 'Last' });
  await group.getByText('Weights only', { exact: true }).click();
  const path = await loaded(page, 'Download');
  const described = JSON.parse(await runPython('tests/judge/load.py', [path]));
  expect(described.error).toBeUndefined();
  const text = JSON.stringify(described.root);
  expect(text).toContain('conv1.weight');
  await end();
  expect(classes).toHaveLength(3);
});

test('a table: a run whose tab was closed goes on', async () => {
  const names = Array.from({ length: 10 }, (_, index) => `x${index}`);
  const rows = Array.from({ length: 120 }, (_, row) => {
    const x = names.map((_, column) => Math.sin(row * (column + 1)));
    return [...x, 3 * x[0]! - 2 * x[4]! + 1].map((it) => it.toFixed(5)).join();
  });
  const table = [[...names, 'price'].join(), ...rows].join('\n');
  const context = await app.browser.newContext({ serviceWorkers: 'block', acceptDownloads: true });
  const { page } = await open(context);
  await openSample(page, 'One linear layer');
  await step(page, 'Train');
  await drop(page, [{ name: 'houses.csv', bytes: new TextEncoder().encode(table) }]);
  await page.getByText('120 to train, none held out').waitFor();
  await page.getByRole('button', { name: 'New head with 1 output' }).click();
  await applied(page);
  await page.getByLabel('Epochs', { exact: true }).fill('400');
  await page.getByLabel('Learning rate', { exact: true }).fill('0.05');
  await (
    await section(page, 'Schedule')
  )
    .getByLabel('Scheduler', { exact: true })
    .selectOption('CosineAnnealingLR');
  await page.getByRole('region', { name: 'Learning rate over the run' }).first().waitFor();
  await page.getByRole('button', { name: 'Start training' }).click();
  await progress(page).getByText('Kept', { exact: false }).waitFor({ timeout: 120_000 });
  await page.close();

  const { page: next, end } = await open(context);
  const runs = next.getByRole('region', { name: 'Runs' });
  await runs.getByText('interrupted', { exact: false }).waitFor();
  await shoot(next, 'open-runs');
  await runs.getByRole('button', { name: /^Resume/ }).click();
  const go = next.getByRole('button', { name: /^Continue to epoch \d+/ });
  await go.waitFor({ timeout: 60_000 });
  expect(await next.getByText('start as PyTorch makes them').count()).toBe(0);
  await shoot(next, 'train-resume');
  await go.click();
  await progress(next).getByText('Training', { exact: true }).waitFor({ timeout: 60_000 });
  await next.getByRole('button', { name: 'Stop' }).click();
  await progress(next).getByText('Stopped', { exact: true }).waitFor({ timeout: 60_000 });
  await step(next, 'Open');
  const [download] = await Promise.all([
    next.waitForEvent('download'),
    runs.getByRole('button', { name: /^Export/ }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/\.zip$/);
  await runs.getByRole('button', { name: /^Remove/ }).click();
  await next.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await runs.waitFor({ state: 'detached' });
  await end();
});

test('LoRA: its own weights are trained, and saved as PEFT has them', async () => {
  const { page, end } = await open();
  await openSample(page, 'Multi-layer perceptron');
  await step(page, 'Train');
  await (await section(page, 'LoRA')).getByRole('checkbox', { name: /low-rank/ }).check();
  await applied(page);
  await page.getByText('by LoRA', { exact: false }).waitFor();
  await page.getByLabel('Epochs', { exact: true }).fill('1');
  await trained(page);
  await shoot(page, 'train-lora');
  await step(page, 'Save');
  expect(await loaded(page, 'Export the adapter')).toMatch(/\.zip$/);
  expect(await loaded(page, 'Export merged')).toMatch(/\.pt$/);
  expect(await loaded(page, 'Export as PyTorch project')).toMatch(/\.zip$/);
  await end();
});

test('a run from the palette alone: its buttons are commands', async () => {
  const { page, end } = await open();
  const choose = async (typed: string) => {
    await page.keyboard.press('Control+k');
    const palette = page.getByRole('dialog', { name: 'Commands' });
    await palette.getByRole('combobox').fill(typed);
    const active = palette.getByRole('option', { selected: true });
    await active.filter({ hasText: typed }).waitFor();
    await page.keyboard.press('Enter');
  };
  const is = (state: string) =>
    progress(page).getByText(state, { exact: true }).waitFor({ timeout: 60_000 });
  await openSample(page, 'One linear layer');
  await step(page, 'Train');
  await page.getByLabel('Epochs', { exact: true }).fill('5000');
  const optimizer = await section(page, 'Optimizer');
  await optimizer.getByLabel('Optimizer', { exact: true }).selectOption('SGD');
  await optimizer.locator('summary').first().click();
  await choose('Add a param_group');
  await page.getByRole('textbox', { name: 'Parameters, as globs' }).fill('*.bias');
  await choose('Start training');
  await choose('Pause training');
  await is('Paused');
  await choose('Resume training');
  await choose('Pause training');
  await is('Paused');
  await choose('Stop training');
  await is('Stopped');
  await choose('Continue training');
  await choose('Stop training');
  await is('Stopped');
  await end();
});
