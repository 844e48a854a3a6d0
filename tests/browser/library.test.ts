/** The library on the browser's private disk, and the list of what was opened last. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { afterAll, expect, test } from 'vitest';
import { app } from './app.fixture.ts';
import { drop, dropPaths, hydrated, openPage, openSample, sampleFile, step } from './app.ts';

const scratch = mkdtempSync(join(tmpdir(), 'weightroom-library-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const opened = (page: Page, name: string) =>
  page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
const shelf = (page: Page, name: string) => page.getByRole('region', { name, exact: true });
const grave = async (page: Page) => {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
};

/** The folders of the library on the private disk. */
const keptFolders = (page: Page) =>
  page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const library = await root.getDirectoryHandle('library');
    const names: string[] = [];
    for await (const name of library.keys()) names.push(name);
    return names;
  });

test('a checkpoint is kept, renamed, opened after a reload, downloaded and deleted', async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  const { page, complaints } = await openPage(context, app.server.url);
  const library = shelf(page, 'Library');
  await library.getByText('Open a checkpoint and keep it here').waitFor();
  const { bytes } = sampleFile('linear/linear.pth');
  await drop(page, [{ name: 'mine.pth', bytes }]);
  await opened(page, 'mine.pth');
  await step(page, 'Open');
  await library.getByRole('button', { name: 'Keep mine.pth' }).click();
  await library.getByRole('listitem').filter({ hasText: 'mine.pth' }).waitFor();
  await library.getByText(/ used of .* that the browser grants/).waitFor();

  await library.getByRole('button', { name: 'Rename mine.pth' }).click();
  const name = library.getByRole('textbox', { name: 'New name of mine.pth' });
  await name.press('Escape');
  expect(await name.count()).toBe(0);
  await library.getByRole('button', { name: 'Rename mine.pth' }).click();
  await page.keyboard.type('best'); // the name is selected as far as its ending
  await page.keyboard.press('Enter');
  await library.getByRole('listitem').filter({ hasText: 'best.pth' }).waitFor();
  expect(await grave(page)).toEqual([]);

  await page.reload();
  await hydrated(page);
  await library.getByRole('button', { name: 'Open best.pth' }).click();
  await opened(page, 'best.pth');
  await page.getByRole('treeitem').filter({ hasText: 'weight' }).first().waitFor();
  await step(page, 'Open');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    library.getByRole('button', { name: 'Download best.pth' }).click(),
  ]);
  expect(download.suggestedFilename()).toBe('best.pth');

  await library.getByRole('button', { name: 'Delete best.pth' }).click();
  await library.getByText('Open a checkpoint and keep it here').waitFor();
  const undo = page.getByRole('button', { name: 'Undo: Deleted best.pth from the library' });
  await undo.click();
  await library.getByRole('button', { name: 'Open best.pth' }).waitFor();
  await library.getByRole('button', { name: 'Delete best.pth' }).click();
  await undo.waitFor();
  expect(await grave(page)).toEqual([]);
  expect(await keptFolders(page)).toHaveLength(1);
  await page.getByRole('button', { name: /^Dismiss: Deleted / }).click();
  await expect.poll(() => keptFolders(page)).toEqual([]);
  expect(complaints).toEqual([]);
  await context.close();
});

/** A page on which the linear sample is open, its model built. */
async function withModel() {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  const { page, complaints } = await openPage(context, app.server.url);
  await openSample(page, 'One linear layer');
  await step(page, 'Model');
  await page.getByText('All keys matched').waitFor();
  await step(page, 'Checkpoint');
  return { context, page, complaints };
}

test('a checkpoint that another one replaces can be had back', async () => {
  const { context, page, complaints } = await withModel();
  const { bytes } = sampleFile('mlp/mlp.pt');
  await drop(page, [{ name: 'other.pt', bytes }]);
  await opened(page, 'other.pt');
  await page.getByRole('button', { name: 'Undo: Closed linear.pth' }).click();
  await opened(page, 'linear.pth');
  await page.getByRole('button', { name: 'Undo: Closed other.pt' }).waitFor();
  await step(page, 'Model');
  await page.getByText('All keys matched').waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});

test('a checkpoint is closed, and can be had back with its model', async () => {
  const { context, page, complaints } = await withModel();
  await page.getByRole('button', { name: 'Close linear.pth' }).click();
  await page.getByRole('heading', { name: 'Open a PyTorch checkpoint' }).waitFor();
  for (const name of ['Checkpoint', 'Compare', 'Edit', 'Model', 'Run', 'Train', 'Save']) {
    await step(page, name);
    await page.getByRole('main').getByRole('link', { name: 'Open a checkpoint' }).waitFor();
  }
  await page.getByRole('button', { name: 'Undo: Closed linear.pth' }).click();
  await step(page, 'Checkpoint');
  await opened(page, 'linear.pth');
  await step(page, 'Model');
  await page.getByText('All keys matched').waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});

test('what is left of downloads and of a copy that was cut off goes', async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  const { page } = await openPage(context, app.server.url);
  await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const put = async (folder: string[], name: string) => {
      let at = root;
      for (const part of folder) at = await at.getDirectoryHandle(part, { create: true });
      const file = await (await at.getFileHandle(name, { create: true })).createWritable();
      await file.write('half of it');
      await file.close();
    };
    await put(['outbox'], 'large.pt');
    await put(['library', 'cut-off'], '0');
  });
  await page.reload();
  await hydrated(page);
  const library = shelf(page, 'Library');
  await library.getByText('Left of downloads: 1 file, 10 B.').waitFor();
  await library.getByRole('button', { name: 'Clear' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Clear' }).click();
  await expect.poll(() => library.getByText('Left of downloads').count()).toBe(0);
  expect(await keptFolders(page)).toEqual([]);
  await context.close();
});

test('recent files open again by their handles, and say when they are gone', async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  await context.addInitScript(() => {
    Object.assign(window, {
      showOpenFilePicker: async () => {
        const root = await navigator.storage.getDirectory();
        return Promise.all(['mine.pth', 'model.py'].map((name) => root.getFileHandle(name)));
      },
    });
  });
  const { page, complaints } = await openPage(context, app.server.url);
  const files = ['linear/linear.pth', 'linear/model.py'].map((path) => ({
    name: path.endsWith('.py') ? 'model.py' : 'mine.pth',
    base64: Buffer.from(sampleFile(path).bytes).toString('base64'),
  }));
  await page.evaluate(async (list) => {
    const root = await navigator.storage.getDirectory();
    for (const { name, base64 } of list) {
      const file = await (await root.getFileHandle(name, { create: true })).createWritable();
      await file.write(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
      await file.close();
    }
  }, files);
  const recent = shelf(page, 'Recent');
  expect(await recent.count()).toBe(0);
  await page.getByRole('button', { name: 'Choose files' }).click();
  await opened(page, 'mine.pth');

  await page.reload();
  await hydrated(page);
  await page.keyboard.press('g');
  await page.keyboard.press('o');
  await recent.getByText('with model.py').waitFor();
  await recent.getByRole('button', { name: 'Open mine.pth' }).click();
  await opened(page, 'mine.pth');
  await step(page, 'Model');
  await page.getByText('All keys matched').waitFor(); // the source came with it
  await step(page, 'Open');
  expect(await recent.getByRole('listitem').count()).toBe(1);

  await page.evaluate(async () => {
    await (await navigator.storage.getDirectory()).removeEntry('mine.pth');
  });
  await recent.getByRole('button', { name: 'Open mine.pth' }).click();
  await page.getByText('recent: mine.pth is not where it was').waitFor();
  await expect.poll(() => recent.count()).toBe(0);
  expect(complaints).toEqual([]);
  await context.close();
});

test('what is dropped from the disk is remembered', async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  const { page, complaints } = await openPage(context, app.server.url);
  const path = join(scratch, 'dropped.pth');
  writeFileSync(path, sampleFile('linear/linear.pth').bytes);
  await dropPaths(page, [path]);
  await opened(page, 'dropped.pth');
  await step(page, 'Open');
  const recent = shelf(page, 'Recent');
  await recent.getByText('dropped.pth').waitFor();
  await recent.getByRole('button', { name: 'Forget dropped.pth' }).click();
  await expect.poll(() => recent.count()).toBe(0);
  expect(complaints).toEqual([]);
  await context.close();
});
