/** All tensors at a glance: the table, its filter and order, statistics, totals, and the tree beside it. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runPython } from '../python.ts';
import { app } from './app.fixture.ts';
import { dropPaths, openPage, type WatchedPage } from './app.ts';

const folder = join(import.meta.dirname, '../.made');
const path = join(folder, 'table_of_tensors.pt');
let watched: WatchedPage;
let page: Page;

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  if (!existsSync(path)) await runPython('tests/browser/table.py', [path]);
  const context = await app.browser.newContext({
    viewport: { width: 1440, height: 900 },
    permissions: ['clipboard-read', 'clipboard-write'],
    serviceWorkers: 'block',
  });
  watched = await openPage(context, app.server.url);
  ({ page } = watched);
  await dropPaths(page, [path]);
  await page.waitForFunction(() => document.title.startsWith('Checkpoint'));
});
afterAll(async () => {
  await page.context().close();
});

async function show(view: string): Promise<void> {
  const views = page.getByRole('radiogroup', { name: 'Contents as' });
  await views.getByText(view, { exact: true }).click();
}

const grid = () => page.getByRole('grid', { name: /^Tensors of/ });
const row = (name: string): Locator =>
  grid()
    .getByRole('row')
    .filter({ has: page.getByRole('gridcell', { name, exact: true }) });
const filter = () => page.getByLabel('Filter the tensors');

/** Names that are shown for a filter, in their order. */
async function fitting(text: string): Promise<string[]> {
  await filter().fill(text);
  return grid().locator('[aria-rowindex] [role=gridcell]:first-child').allInnerTexts();
}

test('lists every tensor, with how it lies in its storage', async () => {
  await show('Table');
  await row('model.conv.weight').waitFor();
  expect(await grid().getAttribute('aria-rowcount')).toBe(String(1 + 21 + 17 * 3 + 7));
  const marks = async (name: string) => {
    await filter().fill(name);
    return row(name).getByRole('gridcell').last().innerText();
  };
  expect(await marks('model.tokens.weight')).toBe('tied');
  expect(await marks('model.head.weight')).toBe('tied');
  expect(await marks('extra.slice')).toBe('view −200 kB');
  expect(await marks('extra.left')).toBe('overlaps');
  expect(await marks('extra.repeated')).toBe('expanded');
  expect(await marks('extra.nothing')).toBe('empty');
  expect(await marks('extra.shape')).toBe('meta');
  expect(await marks('exp_avg of conv.weight')).toBe('');
});

test('filters by name, dtype, size and marks, and says what it cannot understand', async () => {
  expect(await fitting('blocks.?.weight !is:optimizer')).toHaveLength(6);
  expect(await fitting('/blocks\\.[12]\\.bias$/ !optimizer')).toEqual([
    ...['model.blocks.1.bias', 'model.blocks.2.bias'],
  ]);
  expect(await fitting('dtype:int64')).toEqual(['model.norm.num_batches_tracked']);
  expect(await fitting('is:tied')).toEqual(['model.tokens.weight', 'model.head.weight']);
  expect(await fitting('is:overlapping >1kB')).toEqual([]);
  await page.getByText('No tensor fits').waitFor();
  await page.getByRole('button', { name: 'Show all' }).click();
  await filter().fill('is:odd');
  await page.getByRole('alert').filter({ hasText: 'is:odd is not known' }).waitFor();
  await filter().fill('');
});

test('sorts by a click and by keys, and copies what is shown', async () => {
  await filter().fill('model.');
  await page.getByRole('button', { name: 'Size' }).click();
  const size = page.getByRole('columnheader', { name: 'Size' });
  expect(await size.getAttribute('aria-sort')).toBe('descending');
  const names = grid().locator('[role=gridcell]:first-child');
  expect(await names.first().innerText()).toBe('model.tokens.weight');
  await page.keyboard.press('Enter');
  expect(await size.getAttribute('aria-sort')).toBe('ascending');
  expect(await names.first().innerText()).toBe('model.norm.num_batches_tracked');
  await page.getByRole('button', { name: 'Copy the names that are shown' }).click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied.split('\n')).toHaveLength(21);
  expect(copied.split('\n')[0]).toBe('model.norm.num_batches_tracked');
  await page.getByRole('button', { name: 'Size' }).click();
  expect(await size.getAttribute('aria-sort')).toBeNull();
  await filter().fill('');
});

test('goes through the rows by keys, and to the same tensor in the tree and back', async () => {
  await grid().focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowDown');
  await page.getByRole('complementary').getByText("['model']['conv.bias']").waitFor();
  await page.keyboard.press('End');
  await page.getByRole('complementary').getByText("['extra']['shape']").waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('exp_avg_sq of blocks.4.bias');
  await row('exp_avg_sq of blocks.4.bias').click();
  await page.getByRole('complementary').getByText('exp_avg_sq', { exact: true }).first().waitFor();
  await show('Tree');
  const chosen = page.getByRole('treeitem', { selected: true });
  await chosen.filter({ hasText: 'exp_avg_sq' }).waitFor();
  await page.getByRole('treeitem').filter({ hasText: 'blocks.3.bias' }).last().waitFor();
  await page.getByRole('tree').focus();
  await page.keyboard.press('ArrowUp');
  await page
    .getByRole('complementary')
    .getByText(/\['exp_avg'\]$/)
    .waitFor();
  await show('Table');
  await filter().fill('');
  const selected = grid().getByRole('row', { selected: true });
  await selected.filter({ hasText: 'exp_avg of blocks.4.bias' }).waitFor();
});

test('opens the tensor of the row that is clicked twice, and says how to filter in full', async () => {
  await filter().fill('');
  await grid().focus();
  await page.keyboard.press('Home');
  await row('model.blocks.0.bias').dblclick();
  await page.getByRole('heading', { name: "['model']['blocks.0.bias']" }).waitFor();
  // However small the window is, the view begins with its head.
  await page.keyboard.press('Escape');
  await page.setViewportSize({ width: 360, height: 300 });
  await row('model.blocks.0.bias').dblclick();
  await page
    .getByRole('grid', { name: /^Values of/ })
    .and(page.locator(':focus'))
    .waitFor();
  expect(await page.locator('main').evaluate((main) => main.scrollTop)).toBe(0);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.keyboard.press('Escape');
  await grid().waitFor();
  const [text, room] = await filter().evaluate((input: HTMLInputElement) => {
    const { font, paddingLeft, paddingRight } = getComputedStyle(input);
    const context = document.createElement('canvas').getContext('2d')!;
    context.font = font;
    const padding = parseFloat(paddingLeft) + parseFloat(paddingRight);
    return [context.measureText(input.placeholder).width, input.clientWidth - padding] as const;
  });
  expect(text).toBeLessThan(room);
});

test('reads the statistics of all, and names what stands out', async () => {
  await show('Statistics');
  const list = page.getByRole('list', { name: 'What stands out' });
  const item = (name: string) => list.getByRole('listitem').filter({ hasText: name });
  await page.getByRole('status').filter({ hasText: 'Pause' }).waitFor({ state: 'detached' });
  expect(await item('model.blocks.1.weight').innerText()).toMatch(/1 of 1,024 elements is NaN/);
  expect(await item('model.conv.weight').innerText()).toMatch(/1 of 8 filters is all zeros/);
  expect(await item('model.blocks.2.weight').innerText()).toMatch(/its std .* is \d+ times that/);
  expect(await item('exp_avg_sq of conv.bias').innerText()).toMatch(/no gradient has reached/);
  expect(await list.getByRole('listitem').count()).toBe(4);
  await page.getByRole('button', { name: 'NaN', exact: true }).click();
  const names = grid().locator('[role=gridcell]:first-child');
  await expect.poll(() => names.first().innerText()).toBe('model.blocks.1.weight');
  expect(await fitting('is:duplicate')).toEqual(['extra.copy']);
  expect(await fitting('std>2')).toContain('model.blocks.2.weight');
  await item('model.conv.weight').getByRole('button').click();
  await grid().getByRole('row', { selected: true }).filter({ hasText: 'conv.weight' }).waitFor();
  expect(await filter().inputValue()).toBe('');
});

test('adds up by module, kind and dtype, and leads to the rows', async () => {
  await show('Totals');
  const totals = page.getByRole('tree', { name: 'Totals' });
  await totals.focus();
  await totals.getByRole('treeitem').filter({ hasText: 'model' }).click();
  await page.keyboard.press('ArrowRight');
  const blocks = totals.getByRole('treeitem').filter({ hasText: 'blocks' });
  expect(await blocks.innerText()).toMatch(/12\s+6,336\s+25\.3 kB/);
  await page.getByText('By kind', { exact: true }).click();
  await totals.getByRole('treeitem').filter({ hasText: 'Optimizer state' }).waitFor();
  await page.getByText('By dtype', { exact: true }).click();
  await page.getByRole('button', { name: 'Show the tensors of int64' }).click();
  await row('model.norm.num_batches_tracked').waitFor();
  expect(await filter().inputValue()).toBe('dtype:int64');
  expect(watched.complaints).toEqual([]);
});
