/** One tensor: its values by keyboard and index, its statistics, what is copied and downloaded. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runPython } from '../python.ts';
import { app } from './app.fixture.ts';
import { drop, openPage, sampleFile, step } from './app.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightroom-tensor-'));
afterAll(() => rmSync(folder, { recursive: true }));

let expected: Expected;
beforeAll(async () => {
  expected = JSON.parse(await runPython('tests/browser/tensor.py', [folder])) as Expected;
}, 60_000);

interface Expected {
  last: string;
  median: number;
  distinct: number;
  largest: number;
  corner: string;
}

async function open(page: Page): Promise<void> {
  await drop(page, [{ name: 'tensors.pt', bytes: readFileSync(join(folder, 'tensors.pt')) }]);
  await page.waitForFunction(() => document.title.startsWith('Checkpoint'));
}

test('values, statistics, neighbours and singular values of tensors are PyTorch’s', async () => {
  const permissions = ['clipboard-read', 'clipboard-write'];
  const context = await app.browser.newContext({ serviceWorkers: 'block', permissions });
  const { page, complaints } = await openPage(context, app.server.url);
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  const tree = page.getByRole('tree');
  const grid = page.getByRole('grid', { name: /^Values of/ });
  const index = page.getByLabel('Index', { exact: true });
  const statistics = page.getByRole('region', { name: 'Statistics' });
  const cell = (row: number, column: number) =>
    grid.locator(`[aria-rowindex="${row + 1}"] [aria-colindex="${column + 1}"]`);
  const look = async (name: string) => {
    await tree.getByRole('treeitem', { name: new RegExp(`^${name}`) }).dblclick();
    await page.getByRole('heading', { name: `['${name}']` }).waitFor();
  };
  const tab = (name: string) => page.getByRole('radio', { name, exact: true }).check();

  await open(page);

  // The grid has the focus; only what is in view is drawn.
  await look('weight');
  await cell(7, 1).getByText('inf', { exact: true }).waitFor();
  expect(await grid.getByRole('gridcell').count()).toBeLessThan(3000);
  await grid.press('Control+End');
  await page.getByText(`[299, 199] = ${expected.last}`).waitFor();
  await grid.press('Control+c');
  expect(await copied()).toBe(`['weight'][299, 199] = ${expected.last}`);
  await grid.press('Home');
  await grid.press('PageUp');
  await grid.press('ArrowUp');
  await page.getByText(/^\[2\d\d, 0\] =/).waitFor();
  await statistics.getByText('1 NaN', { exact: true }).waitFor();
  const figures = (await statistics.innerText()).replaceAll(/\s+/g, ' ');
  expect(figures).toContain('1 infinite 1 denormal');
  expect(figures).toContain(`Distinct ${expected.distinct.toLocaleString('en-US')}`);
  expect(figures).toContain(`Median ${Number(expected.median.toPrecision(7))}`);

  // An index as in PyTorch; rows and columns keep the numbers that they have in the whole.
  await index.fill('[1:4, 5::2]');
  await page.getByText('→ [3, 98]').waitFor();
  await cell(2, 0).getByText('nan', { exact: true }).click();
  await page.getByText('[3, 5] = nan').waitFor();
  await index.fill('[300]');
  await page.getByText('index 300 is out of bounds for dimension 0 with size 300').waitFor();
  await index.fill('2, 1:3');
  await page.getByText('→ [2] 2 elements').waitFor();
  await page.getByRole('button', { name: 'Copy as Python' }).click();
  await page.getByText('Copied', { exact: true }).waitFor();
  expect(await copied()).toMatch(/^torch\.tensor\(\[-?[\d.]+, 1e-40\], dtype=torch\.float32\)$/);
  await index.press('Escape');
  await grid.waitFor({ state: 'detached' });
  await page.waitForFunction(() => document.activeElement?.closest('[role=tree]'));

  await look('steps');
  await page.getByText('[0] = 4611686018427387905').waitFor();
  await page.getByRole('button', { name: 'Contents', exact: true }).click();

  await look('conv');
  await page.getByRole('button', { name: 'The next one' }).click();
  await page.getByText('[0, 1, 0, 0] =').waitFor();
  await tab('Picture');
  await page.getByRole('img', { name: 'conv [3, 2]' }).waitFor();
  await index.fill('[2, 1:, 1:4]');
  await page.getByRole('img', { name: 'conv [2, 2, 1:4]' }).waitFor();
  await index.fill('');
  await tab('Colour');
  const filter = page.getByRole('img', { name: 'conv [3]', exact: true });
  await filter.hover({ position: { x: 1, y: 1 } });
  await page.getByText(expected.corner).waitFor();
  const png = page.waitForEvent('download');
  await page.getByRole('button', { name: 'PNG' }).click();
  expect(
    readFileSync(await (await png).path())
      .subarray(1, 4)
      .toString(),
  ).toBe('PNG');
  await page.keyboard.press('Escape');

  await look('half');
  await tab('Nearest rows');
  await page.getByLabel('Row', { exact: true }).fill('3');
  await page.getByRole('button', { name: 'Find the nearest' }).click();
  const nearest = page.getByRole('row').nth(1);
  expect(await nearest.innerText()).toMatch(/^7\s+(1|0\.9999999)\s/);
  await tab('Singular values');
  await page.getByRole('button', { name: 'Compute singular values' }).click();
  await page.getByText('8 of 8').waitFor();
  const largest = page.locator('dl', { hasText: 'Condition number' }).locator('dd').first();
  expect(Math.abs(Number(await largest.innerText()) / expected.largest - 1)).toBeLessThan(1e-5);
  await index.fill('::3, 2:');
  await page.getByText('→ [14, 6]').waitFor();
  const npy = page.waitForEvent('download');
  await page.getByRole('button', { name: '.npy', exact: true }).click();
  const bytes = readFileSync(await (await npy).path());
  expect(bytes.equals(readFileSync(join(folder, 'slice.npy')))).toBe(true);
  await page.getByText('NumPy has no bfloat16: the file holds float32').waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});

test('the browser’s Back closes a tensor, its Forward opens it, and other pages lead back to it', async () => {
  const viewport = { width: 390, height: 844 };
  const context = await app.browser.newContext({
    ...{ viewport, hasTouch: true, isMobile: true, serviceWorkers: 'block' },
  });
  const { page, complaints } = await openPage(context, app.server.url);
  const tensor = (name: string) => page.getByRole('heading', { name: `['${name}']`, exact: true });
  const contents = page.getByRole('tree');
  await open(page);
  const before = await page.evaluate(() => history.length);
  const look = async (name: string) => {
    await contents.getByRole('treeitem', { name: new RegExp(`^${name}`) }).tap();
    await page.getByRole('button', { name: 'Look at the tensor' }).tap();
    await tensor(name).waitFor();
  };

  await look('steps');
  await page.goBack();
  await tensor('steps').waitFor({ state: 'detached' });
  await contents.waitFor();
  await page.goForward();
  await tensor('steps').waitFor();
  await page.getByLabel('Index', { exact: true }).fill('[1:]');
  await page.getByText('→ [').waitFor();
  await step(page, 'Edit');
  await page.goBack();
  await tensor('steps').waitFor();
  expect(await page.getByLabel('Index', { exact: true }).inputValue()).toBe('[1:]');
  // The button is the same step back: the history does not grow, and no step is taken twice.
  await page.getByRole('button', { name: 'Contents', exact: true }).tap();
  await contents.waitFor();
  await look('conv');
  expect(await page.evaluate(() => history.length)).toBe(before + 1);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await contents.waitFor();
  expect(await page.title()).toMatch(/^Checkpoint/);

  // Another checkpoint has no such tensor: its contents are shown in that place.
  await look('conv');
  await drop(page, [sampleFile('digits/last.pth')]);
  await tensor('conv').waitFor({ state: 'detached' });
  await page.getByRole('tree', { name: 'Contents of last.pth' }).waitFor();
  await page.goBack();
  await contents.waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});
