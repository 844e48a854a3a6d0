/** What people drop, dragged from the disk: folders, several files, every kind of container. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { fixturesOf } from '../fixtures/made.ts';
import { app } from './app.fixture.ts';
import { dropPaths, openPage, samplesFolder, step } from './app.ts';
import { writeSparse } from './sparse.ts';

const scratch = mkdtempSync(join(tmpdir(), 'weightroom-drops-'));
afterAll(() => rmSync(scratch, { recursive: true }));

let page: Page;
beforeEach(async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  const watched = await openPage(context, app.server.url);
  ({ page } = watched);
  return async () => {
    expect(watched.complaints).toEqual([]);
    await context.close();
  };
});

async function folderFixture(name: string): Promise<string> {
  const folders = await fixturesOf('tests/fixtures/folders.py', {
    parts: ['tests/judge/describe.py'],
  });
  return folders.find((fixture) => fixture.name === name)!.path;
}

const fact = (name: string) =>
  page
    .locator('.facts > div')
    .filter({ has: page.getByText(name, { exact: true }) })
    .locator('dd')
    .first()
    .innerText();

async function opened(name: string): Promise<void> {
  await page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
  await page.getByRole('tree').waitFor();
}

test('a folder of shards opens as one checkpoint', async () => {
  await dropPaths(page, [await folderFixture('shards_safetensors')]);
  await opened('shards_safetensors');
  expect(await fact('Format')).toBe('Sharded checkpoint');
  expect(await fact('Tensors')).toBe('7');
  await page.getByRole('treeitem').filter({ hasText: 'layers.1.weight' }).first().click();
  await page.getByRole('list', { name: 'First values' }).waitFor();
});

test('shards that are dropped as files, with their index, are the same checkpoint', async () => {
  const folder = await folderFixture('shards_safetensors');
  await dropPaths(
    page,
    readdirSync(folder).map((file) => join(folder, file)),
  );
  await page.getByRole('tree').waitFor();
  expect(await fact('Format')).toBe('Sharded checkpoint');
  expect(await fact('Tensors')).toBe('7');
});

test('a distributed checkpoint opens from its folder', async () => {
  await dropPaths(page, [await folderFixture('dcp_single')]);
  await opened('dcp_single');
  expect(await fact('Format')).toBe('PyTorch distributed checkpoint');
});

test('of a folder with several checkpoints one is chosen, beside its source and its data', async () => {
  const run = join(scratch, 'run');
  mkdirSync(join(run, 'epoch_2'), { recursive: true });
  copyFileSync(join(samplesFolder, 'linear/linear.pth'), join(run, 'linear.pth'));
  copyFileSync(join(samplesFolder, 'mlp/mlp.pt'), join(run, 'epoch_2', 'mlp.pt'));
  await dropPaths(page, [
    run,
    ...['model.py', 'data.npz'].map((it) => join(samplesFolder, 'mlp', it)),
  ]);
  const problem = page.locator('.problem').filter({ hasText: 'Could not open run' });
  await problem.getByText('it holds 2 checkpoints').waitFor();
  await problem.getByRole('button', { name: 'epoch_2/mlp.pt' }).click();
  await page.getByRole('heading', { level: 1, name: 'mlp.pt' }).waitFor();
  expect(await page.locator('.problem').count()).toBe(0);
  await step(page, 'Model');
  await page.getByRole('button', { name: 'Build' }).click();
  await page.getByText('All keys matched').waitFor();
});

test('a gigabyte is verified with progress, and that can be cancelled', async () => {
  const path = join(scratch, 'large.pt');
  await writeSparse(path, 200, 5_242_880);
  await dropPaths(page, [path]);
  await opened('large.pt');
  const strip = page.locator('.task').filter({ hasText: 'Verifying large.pt' });
  const halfway = () =>
    page.waitForFunction(() => {
      const value = document.querySelector<HTMLProgressElement>('.task progress')?.value ?? 0;
      return value > 0.05 && value < 1;
    });
  await page.getByRole('button', { name: 'Verify file' }).click();
  await halfway();
  expect(await strip.innerText()).toMatch(
    /[\d.]+ [MG]B of 1\.05 GB · [\d.]+ [MG]B\/s · [\d.]+ s left/,
  );
  await strip.getByRole('button', { name: 'Cancel' }).click();
  await strip.waitFor({ state: 'detached' });
  expect(await page.getByText('match their CRC-32').count()).toBe(0);

  await page.getByRole('button', { name: 'Verify file' }).click();
  await page.getByText(/^1\.05 GB read in [\d.]+ s/).waitFor();
  await page.getByText(/200 storages|200 of 200 storages match their CRC-32/).waitFor();
});
