/**
 * Every page in light and dark, narrow and wide: screenshots for eyes, axe for the rest. A page is
 * brought into each state once for each width; the theme is changed where it stands.
 */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { app } from './app.fixture.ts';
import { graveFindings, isTooWide } from './axe.ts';
import {
  drop,
  dropFewDigits,
  hostileFile,
  openPage,
  openSample,
  sampleFile,
  shoot,
  step,
} from './app.ts';

const schemes = ['light', 'dark'] as const;
const widths = [390, 1440] as const;
/** Of one width; a busy machine computes WebGPU slowly. */
const LONGEST = 600_000;

/** Serious and critical findings of axe; the dark theme has only colours of its own. */
async function grave(page: Page, name: string): Promise<string[]> {
  const found: string[] = [];
  const { width } = page.viewportSize()!;
  for (const scheme of schemes) {
    await page.emulateMedia({ colorScheme: scheme });
    await shoot(page, `${name}-${scheme}-${width}`);
    if (scheme === 'dark' && width === widths[0]) continue; // seen at the other width
    const rules = scheme === 'dark' ? ['color-contrast'] : undefined;
    found.push(...(await graveFindings(page, rules)).map((it) => `${name}, ${scheme}: ${it}`));
  }
  return found;
}

/** The digits sample with another bit among its numbers. */
function otherDigits(): { name: string; bytes: Uint8Array } {
  const { bytes } = sampleFile('digits/last.pth');
  bytes[bytes.length >> 1]! ^= 1;
  return { name: 'other.pth', bytes };
}

/** Opens all parts of the training form. */
async function openSections(page: Page): Promise<void> {
  const form = page.getByRole('form', { name: 'Training settings' });
  await form.evaluate((it) => {
    for (const details of it.querySelectorAll('details')) details.open = true;
  });
}

/** A page of a width, and what looking at its states has found. */
async function openAt(width: number) {
  const touch = width < 600;
  const context = await app.browser.newContext({
    viewport: { width, height: touch ? 844 : 900 },
    hasTouch: touch,
    isMobile: touch,
    reducedMotion: 'reduce',
    serviceWorkers: 'block',
  });
  const { page, complaints } = await openPage(context, app.server.url);
  const found: string[] = [];
  const look = async (name: string) => {
    found.push(...(await grave(page, name)));
    if (await isTooWide(page)) found.push(`${name}: wider than the window`);
  };
  const end = async () => {
    expect(found).toEqual([]);
    expect(complaints).toEqual([]);
    await context.close();
  };
  return { page, look, end };
}

test.each(widths)('the frame around the pages at %i px', async (width) => {
  const { page, look, end } = await openAt(width);
  await drop(page, [sampleFile('linear/linear.pth')]);
  await page.getByRole('heading', { level: 1, name: 'linear.pth' }).waitFor();
  await step(page, 'Open');
  await page.getByRole('button', { name: 'Keep linear.pth' }).click();
  const library = page.getByRole('region', { name: 'Library', exact: true });
  const entry = library.getByRole('listitem').filter({ hasText: 'linear.pth' });
  await entry.waitFor();
  await drop(page, [sampleFile('mlp/mlp.pt')]);
  await page.getByRole('heading', { level: 1, name: 'mlp.pt' }).waitFor();
  await step(page, 'Open');
  await page.getByRole('button', { name: 'Undo: Closed linear.pth' }).hover(); // time stands still
  await entry.scrollIntoViewIfNeeded();
  await look('library');
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog', { name: 'Commands' }).waitFor();
  await look('palette');
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
  await look('shortcuts');
  await end();
});

test.each(widths)('light and dark at %i px', { timeout: LONGEST }, async (width) => {
  const { page, look, end } = await openAt(width);
  await look('open-empty');
  for (const name of ['Checkpoint', 'Safety', 'Compare', 'Edit', 'Model', 'Run', 'Train', 'Save']) {
    await step(page, name);
    await look(`${name.toLowerCase()}-empty`);
  }
  await step(page, 'Open');
  await openSample(page, 'Handwritten digits');
  await page.getByRole('treeitem').filter({ hasText: 'conv1.weight' }).first().click();
  await page.getByRole('list', { name: 'First values' }).waitFor();
  await look('checkpoint');
  await page.getByRole('button', { name: 'Look at the tensor' }).click();
  await page.getByRole('img', { name: /^Histogram/ }).waitFor();
  await look('tensor');
  await page.getByRole('radio', { name: 'Picture' }).check();
  await page.getByRole('img', { name: 'conv1.weight [15, 0]' }).waitFor();
  await look('tensor-picture');
  await page.getByRole('radio', { name: 'Singular values' }).check();
  await page.getByRole('button', { name: 'Compute singular values' }).click();
  await page.getByText('Effective rank', { exact: true }).waitFor();
  await look('tensor-spectrum');
  await page.keyboard.press('Escape');
  const views = page.getByRole('radiogroup', { name: 'Contents as' });
  for (const view of ['Table', 'Statistics', 'Totals']) {
    await views.getByText(view, { exact: true }).click();
    const told = page.getByText(/stands? out/).first();
    if (view === 'Statistics') await told.waitFor();
    await look(`checkpoint-${view.toLowerCase()}`);
  }
  await views.getByText('Tree', { exact: true }).click();
  await step(page, 'Compare');
  await look('compare-choose');
  await drop(page, [otherDigits()]);
  for (const side of ['A', 'B']) {
    await page.getByLabel(`Tensors of ${side}`).selectOption({ label: 'every tensor of the file' });
  }
  await page.getByText('37 of 38 tensors are equal').waitFor(); // until then rows change places
  await page.getByRole('row').filter({ hasText: 'state.6.exp_avg' }).first().click();
  await page.getByRole('region', { name: 'Largest changes' }).waitFor();
  await look('compare');
  await drop(
    page,
    [1, 2, 3].map((at) => ({ ...otherDigits(), name: `digits_${at}.pth` })),
  );
  await page.getByRole('grid', { name: 'Tensors over the series' }).waitFor();
  await look('compare-series');
  await page.getByRole('button', { name: 'Close the series' }).click();
  await step(page, 'Safety');
  await page.getByRole('heading', { name: 'PyTorch loads this file' }).waitFor();
  await page.getByRole('option').first().waitFor();
  await look('safety');
  await drop(page, [await hostileFile()]);
  await page.getByRole('heading', { name: 'Loading this file can run code' }).waitFor();
  await page.getByRole('button', { name: 'Opcodes' }).first().click();
  await page.getByRole('option').first().click();
  await look('safety-hostile');
  await step(page, 'Edit');
  await page.getByRole('button', { name: /^Drop the optimizer/ }).click();
  await page.getByRole('button', { name: 'Cast…' }).click();
  const cast = page.getByRole('listbox').getByText('float32 → float8_e4m3fn').first();
  await cast.waitFor({ state: 'attached' }); // narrow lists leave the column out
  await look('edit');
  await page.getByRole('button', { name: 'Download', exact: true }).click();
  await page.getByText('read back and verified').waitFor();
  await look('edit-written');
  await step(page, 'Model');
  await page.getByText('All keys matched').waitFor();
  await look('model');
  await step(page, 'Run');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByRole('list', { name: 'Largest outputs' }).waitFor();
  await look('run');
  await page.getByRole('button', { name: 'Measure', exact: true }).click();
  await page.getByRole('treeitem').filter({ hasText: 'conv1' }).click();
  await page.getByRole('img', { name: 'Output [0, 15]' }).waitFor();
  await page.getByRole('region', { name: 'Graph' }).scrollIntoViewIfNeeded();
  await look('graph');
  await dropFewDigits(page);
  await step(page, 'Train');
  await look('train-before');
  await openSections(page);
  await page.getByLabel('Scheduler', { exact: true }).selectOption('SequentialLR');
  await page.getByLabel('Keep as they are').selectOption('chosen');
  await page.getByLabel('Optimizer', { exact: true }).selectOption('AdamW');
  await page.getByRole('button', { name: 'Head × 10' }).click();
  await page.getByRole('region', { name: 'Learning rate over the run' }).first().waitFor();
  await look('train-settings');
  await page.getByRole('heading', { name: 'Run', exact: true }).scrollIntoViewIfNeeded();
  await look('train-settings-run');
  await page.getByLabel('Epochs', { exact: true }).fill('2');
  await page.getByLabel('Batch size').fill('16');
  await page.getByRole('button', { name: 'Start training' }).click();
  const progress = page.getByRole('region', { name: 'Progress' });
  await progress.getByText('Done', { exact: true }).waitFor({ timeout: 240_000 });
  await look('train');
  await step(page, 'Save');
  await page.getByRole('button', { name: 'Download' }).click();
  await page.getByText('Load it in PyTorch').waitFor();
  await look('save');
  await step(page, 'Open');
  await look('open');
  await end();
});

test('the theme is remembered', async () => {
  const context = await app.browser.newContext({ colorScheme: 'light', serviceWorkers: 'block' });
  const { page } = await openPage(context, app.server.url);
  const background = () => page.evaluate(() => getComputedStyle(document.body).color);
  const light = await background();
  await page.getByRole('button', { name: /^Theme/ }).click();
  await page.getByRole('button', { name: /^Theme: light/ }).click();
  const dark = await background();
  expect(dark).not.toBe(light);
  await page.reload();
  await page.getByRole('button', { name: /^Theme: dark/ }).waitFor();
  expect(await background()).toBe(dark);
  await context.close();
});
