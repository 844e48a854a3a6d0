/** Two checkpoints side by side, and several in a row, as a person compares them. */
import { readFileSync } from 'node:fs';
import type { BrowserContext, Page } from 'playwright-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { entry, safetensorsOf } from '../fixtures/safetensors.ts';
import { app } from './app.fixture.ts';
import { graveFindings } from './axe.ts';
import { drop, openPage, step } from './app.ts';

let context: BrowserContext;
let page: Page;
let complaints: string[];
beforeEach(async () => {
  context = await app.browser.newContext({ serviceWorkers: 'block', acceptDownloads: true });
  ({ page, complaints } = await openPage(context, app.server.url));
});
afterEach(async () => {
  expect(complaints).toEqual([]);
  await context.close();
});

/** A safetensors file of float32 tensors. */
function file(name: string, tensors: Record<string, readonly number[]>) {
  let end = 0;
  const entries = Object.entries(tensors).map(([key, { length }]) => {
    const start = end;
    end += 4 * length;
    return `"${key}":${entry('F32', [length], [start, end])}`;
  });
  const header = `{${entries.join()}}`;
  const bytes = safetensorsOf(header, end);
  bytes.set(
    new Uint8Array(Float32Array.from(Object.values(tensors).flat()).buffer),
    bytes.length - end,
  );
  return { name, bytes };
}

const base = { 'fc.weight': [1, 2, 3, 4], 'fc.bias': [0, 1], 'old.weight': [5, 6, 7] };
const tuned = { 'module.fc.weight': [1, 2.5, 3, NaN], 'module.fc.bias': [0, 1], new: [5, 6, 7] };
const summary = (text: string) => page.getByRole('status').filter({ hasText: text });
const row = (name: string) => page.getByRole('row').filter({ hasText: name });

test('two files that are dropped at once are compared, tensor by tensor', async () => {
  await drop(page, [file('base.safetensors', base), file('tuned.safetensors', tuned)]);
  await summary(
    '1 of 2 tensors is equal; 1 differs: fc.weight. 1 is only in A, 1 only in B.',
  ).waitFor();
  expect(await page.getByText('“module.” taken off, found by itself').count()).toBe(1);
  await row('fc.weight').click();
  const largest = page.getByRole('region', { name: 'Largest changes' }).getByRole('row');
  await largest.nth(2).waitFor();
  expect(await largest.nth(1).innerText()).toMatch(/^\[3\]\s+4\.0\s+nan\s+–$/);
  expect(await largest.nth(2).innerText()).toMatch(/^\[1\]\s+2\.0\s+2\.5\s+0\.5$/);

  // Pairs for what is left, by values; they stay while another page is shown.
  await page.getByRole('button', { name: 'Find pairs by shape and values' }).click();
  await page.getByRole('button', { name: 'Pair old.weight with new' }).click();
  await summary('2 of 3 tensors are equal; 1 differs: fc.weight.').waitFor();
  await step(page, 'Checkpoint');
  await step(page, 'Compare');
  await summary('2 of 3 tensors are equal').waitFor();
  await row('old.weight').getByText('= new').waitFor();
  expect(await graveFindings(page)).toEqual([]);

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'CSV' }).click(),
  ]);
  const lines = readFileSync(await download.path(), 'utf8').split('\r\n');
  expect(lines.find((line) => line.startsWith('fc.weight,'))).toMatch(
    /^fc\.weight,module\.fc\.weight,changed,float32,float32,\[4\],\[4\],4,2,1,0\.5,/,
  );
  await page.getByRole('button', { name: 'Swap A and B' }).click();
  await summary('1 differs: module.fc.weight').waitFor();
});

test('rules for names are added by hand, turned around, and pairs taken apart', async () => {
  const other = { kernel: [1, 2, 3, 4], 'y_fc.bias': [0, 1], zz: [5, 6, 7] };
  await drop(page, [file('base.safetensors', base), file('other.safetensors', other)]);
  await summary('No tensor has a partner. 3 are only in A, 3 only in B.').waitFor();
  await page.getByRole('button', { name: 'Add a rule' }).click();
  await page.getByLabel('Prefix of rule 1').fill('y_');
  await summary('The tensor is equal, bit for bit. 2 are only in A, 2 only in B.').waitFor();
  await page.getByRole('button', { name: 'Swap A and B' }).click();
  await page.getByText('“y_” put before').waitFor();
  await summary('The tensor is equal, bit for bit. 2 are only in A, 2 only in B.').waitFor();

  await page.getByRole('button', { name: 'Find pairs by shape and values' }).click();
  await page.getByRole('button', { name: 'Pair the 2 with like values' }).click();
  await summary('All 3 tensors are equal').waitFor();
  await page.getByRole('button', { name: 'Take 2 pairs apart' }).click();
  await summary('The tensor is equal, bit for bit. 2 are only in A, 2 only in B.').waitFor();

  await page.getByLabel('Kind of rule 1').selectOption('replace');
  await page.getByLabel('Pattern of rule 1, a regular expression').fill('(');
  await page.getByText('is no regular expression').waitFor();
  expect(await graveFindings(page)).toEqual([]);
});

test('a rule that leaves nothing to pair stays in sight', async () => {
  const { 'old.weight': weight, ...rest } = base;
  const other = { ...rest, zz: weight };
  await drop(page, [file('base.safetensors', base), file('other.safetensors', other)]);
  await page.getByRole('button', { name: 'Find pairs by shape and values' }).waitFor();
  await page.getByRole('button', { name: 'Add a rule' }).click();
  await page.getByLabel('Kind of rule 1').selectOption('replace');
  await page.getByLabel('Pattern of rule 1, a regular expression').fill('^zz$');
  const field = page.getByLabel('What rule 1 puts there');
  await field.fill('old.weight');
  await summary('All 3 tensors are equal').waitFor();
  expect(await field.evaluate((input) => input === document.activeElement)).toBe(true);
  expect(await field.isVisible()).toBe(true);
});

test('the other one is chosen on the page; several are a series', async () => {
  await step(page, 'Compare');
  await page.getByRole('heading', { name: 'Nothing to compare yet' }).waitFor();
  await drop(page, [file('base.safetensors', base)]);
  await page.getByRole('heading', { name: 'Compare base.safetensors with' }).waitFor();
  await drop(page, [file('other.safetensors', base)]);
  await summary('All 3 tensors are equal, bit for bit.').waitFor();
  await page.getByText('every other value is equal').waitFor();

  const moved = (by: number) => ({ ...base, 'fc.bias': [0, by] });
  await drop(
    page,
    [10, 2, 1].map((by) => file(`step_${by}.safetensors`, moved(by))),
  );
  const series = page.getByRole('grid', { name: 'Tensors over the series' });
  await series.waitFor();
  const members = page.getByRole('region', { name: 'Series' }).getByRole('listitem');
  expect(await members.allInnerTexts()).toEqual([
    '1: step_1.safetensors, step 1, by its name',
    '2: step_2.safetensors, step 2, by its name',
    '3: step_10.safetensors, step 10, by its name',
  ]);
  expect(await series.getByRole('row').filter({ hasText: 'fc.bias' }).innerText()).toMatch(
    /1, 2, 10\s+1, 4\s+4$/,
  );
  expect(await graveFindings(page)).toEqual([]);
  await page.getByRole('button', { name: 'Close the series' }).click();
  await summary('All 3 tensors are equal').waitFor();
});
