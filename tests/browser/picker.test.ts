/** Save as…: headless Chromium refuses pickers, so one that gives a file in OPFS takes its place. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runPython } from '../python.ts';
import { app } from './app.fixture.ts';
import {
  openPage,
  openSample,
  resultsFolder,
  sampleFile,
  samplesFolder,
  shoot,
  step,
} from './app.ts';

test('writes to the picked file, verifies it, and PyTorch loads it', async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  await context.addInitScript(() => {
    Object.assign(window, {
      showSaveFilePicker: async ({ suggestedName }: { suggestedName: string }) => {
        const folder = await navigator.storage.getDirectory();
        return folder.getFileHandle(suggestedName, { create: true });
      },
    });
  });
  const { page, complaints } = await openPage(context, app.server.url);
  await openSample(page, 'Handwritten digits');
  await step(page, 'Save');
  const group = page.getByRole('group', { name: 'As opened' });
  await group.getByText('Full checkpoint', { exact: true }).click();
  await page.getByLabel('File name').fill('picked.pt');
  await page.getByRole('button', { name: 'Save as…' }).click();
  await page.getByText('Saved picked.pt').waitFor();
  await page.getByText('read back and verified').waitFor();

  const base64 = await page.evaluate(async () => {
    const folder = await navigator.storage.getDirectory();
    const file = await (await folder.getFileHandle('picked.pt')).getFile();
    const bytes = new Uint8Array(await file.arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  });
  expect(complaints).toEqual([]);
  await context.close();

  const folder = join(resultsFolder, 'downloads');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'picked.pt');
  writeFileSync(path, Buffer.from(base64, 'base64'));
  const described = JSON.parse(await runPython('tests/judge/load.py', [path]));
  expect(described.error).toBeUndefined();
  expect(JSON.stringify(described.root)).toContain('conv1.weight');
});

test('writes shards into the picked folder, or into a zip, and never over what is there', async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block', acceptDownloads: true });
  await context.addInitScript(() => {
    Object.assign(window, { showDirectoryPicker: () => navigator.storage.getDirectory() });
  });
  const { page, complaints } = await openPage(context, app.server.url);
  await openSample(page, 'Handwritten digits');
  await step(page, 'Save');
  const group = page.getByRole('group', { name: 'As opened' });
  await group.getByText('More formats').click();
  await group.getByText('Weights, safetensors shards', { exact: true }).click();
  await page.getByLabel('Folder name').fill('digits');
  await page.getByLabel('Largest shard').fill('20 pounds');
  expect(await page.getByRole('button', { name: 'Save as…' }).isDisabled()).toBe(true);
  await page.getByLabel('Largest shard').fill('20 kB');
  await shoot(page, 'save-shards');
  await page.getByRole('button', { name: 'Save as…' }).click();
  await page.getByText('Saved digits/').waitFor();
  await page.getByText('read back and verified').waitFor();
  const names = await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    return Array.fromAsync((await root.getDirectoryHandle('digits')).keys());
  });
  expect(names.filter((name) => name.endsWith('.safetensors')).length).toBeGreaterThan(1);
  expect(names).toContain('model.safetensors.index.json');

  await page.getByRole('button', { name: 'Save as…' }).click();
  await page.getByText('the folder digits is there already').waitFor();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download as .zip' }).click(),
  ]);
  expect(download.suggestedFilename()).toBe('digits.zip');
  await page.getByText('Downloaded digits.zip').waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});

test('opens the picked folder, and asks for reading alone', async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  await context.addInitScript(() => {
    Object.assign(window, {
      showDirectoryPicker: async (options: { mode: string }) => {
        if (options.mode !== 'read') throw new Error(`asked for ${options.mode}`);
        return (await navigator.storage.getDirectory()).getDirectoryHandle('run');
      },
    });
  });
  const { page, complaints } = await openPage(context, app.server.url);
  await page.evaluate(
    async (base64) => {
      const root = await navigator.storage.getDirectory();
      const run = await root.getDirectoryHandle('run', { create: true });
      const epoch = await run.getDirectoryHandle('epoch_1', { create: true });
      const file = await (await epoch.getFileHandle('last.pt', { create: true })).createWritable();
      await file.write(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
      await file.close();
    },
    Buffer.from(sampleFile('linear/linear.pth').bytes).toString('base64'),
  );
  await page.getByRole('button', { name: 'Choose folder' }).click();
  await page.getByRole('heading', { level: 1, name: 'last.pt' }).waitFor();
  await page.getByRole('treeitem').filter({ hasText: 'weight' }).first().waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});

test('without a folder picker the browser asks for the files of one', async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  await context.addInitScript(() => {
    Reflect.deleteProperty(window, 'showDirectoryPicker');
  });
  const { page } = await openPage(context, app.server.url);
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    page.getByRole('button', { name: 'Choose folder' }).click(),
  ]);
  await chooser.setFiles(join(samplesFolder, 'linear'));
  await page.getByRole('heading', { level: 1, name: 'linear' }).waitFor();
  await context.close();
});

test('cancelling the picker saves nothing and complains about nothing', async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  await context.addInitScript(() => {
    Object.assign(window, {
      showSaveFilePicker: () => Promise.reject(new DOMException('cancelled', 'AbortError')),
    });
  });
  const { page, complaints } = await openPage(context, app.server.url);
  await openSample(page, 'One linear layer');
  await step(page, 'Save');
  await page.getByRole('button', { name: 'Save as…' }).click();
  await page.waitForTimeout(300);
  expect(await page.locator('.problem').count()).toBe(0);
  expect(complaints).toEqual([]);
  await context.close();
});

test('without a picker the page says so and downloads', async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  await context.addInitScript(() => {
    Reflect.deleteProperty(window, 'showSaveFilePicker');
  });
  const { page } = await openPage(context, app.server.url);
  await openSample(page, 'One linear layer');
  await step(page, 'Save');
  await page.getByText('This browser cannot write to a place you choose').waitFor();
  expect(await page.getByRole('button', { name: 'Save as…' }).count()).toBe(0);
  await context.close();
});
