/** What people drop, dragged from the disk: folders, several files, every kind of container. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { fixturesOf, newFixtures } from '../fixtures/made.ts';
import { app } from './app.fixture.ts';
import { dropPaths, openPage, samplesFolder, shoot, step } from './app.ts';
import { writeSparse } from './sparse.ts';

const scratch = mkdtempSync(join(tmpdir(), 'weightroom-drops-'));
afterAll(() => rmSync(scratch, { recursive: true }));

let page: Page;
/** Opens the app for a test, which fails where the page complains. */
async function start(options: BrowserContextOptions = {}): Promise<() => Promise<void>> {
  const context = await app.browser.newContext({ serviceWorkers: 'block', ...options });
  const watched = await openPage(context, app.server.url);
  ({ page } = watched);
  return async () => {
    expect(watched.complaints).toEqual([]);
    await context.close();
  };
}
beforeEach(() => start());

async function folderFixture(name: string): Promise<string> {
  const folders = await fixturesOf('tests/fixtures/folders.py', {
    parts: ['tests/judge/describe.py'],
  });
  return folders.find((fixture) => fixture.name === name)!.path;
}

async function ggufFixture(name: string): Promise<string> {
  const files = await fixturesOf('tests/fixtures/gguf.py', {
    parts: ['tests/judge/describe_gguf.py'],
  });
  return files.find((fixture) => fixture.name === name)!.path;
}

async function torchFixture(name: string): Promise<string> {
  return (await newFixtures()).find((fixture) => fixture.name === name)!.path;
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
  await problem.getByRole('button', { name: 'Compare them' }).waitFor();
  await problem.getByRole('button', { name: 'epoch_2/mlp.pt' }).click();
  await page.getByRole('heading', { level: 1, name: 'mlp.pt' }).waitFor();
  expect(await page.locator('.problem').count()).toBe(0);
  await step(page, 'Model');
  await page.getByRole('button', { name: 'Build' }).click();
  await page.getByText('All keys matched').waitFor();
  await step(page, 'Open');
  const recent = page.getByRole('region', { name: 'Recent', exact: true });
  await recent.getByRole('listitem').filter({ hasText: 'mlp.pt' }).first().waitFor();
});

/** Verifying has come some way and is not done. */
function halfway(page: Page): Promise<unknown> {
  return page.waitForFunction(() => {
    const value = document.querySelector<HTMLProgressElement>('.task progress')?.value ?? 0;
    return value > 0.05 && value < 1;
  });
}

test('a gigabyte is verified with progress, and that can be cancelled', async () => {
  const path = join(scratch, 'large.pt');
  await writeSparse(path, 200, 5_242_880);
  await dropPaths(page, [path]);
  await opened('large.pt');
  const strip = page.locator('.task').filter({ hasText: 'Verifying large.pt' });
  await page.getByRole('button', { name: 'Verify file' }).click();
  await halfway(page);
  expect(await strip.innerText()).toMatch(
    /[\d.]+ [MG]B of 1\.05 GB · [\d.]+ [MG]B\/s · [\d.]+ s left/,
  );
  await strip.getByRole('button', { name: 'Cancel' }).click();
  await strip.waitFor({ state: 'detached' });
  expect(await page.getByText('match their CRC-32').count()).toBe(0);

  await page.getByRole('button', { name: 'Verify file' }).click();
  await page.getByText(/^1\.05 GB read in [\d.]+ s/).waitFor();
  await page.getByText('200 of 200 storages match their CRC-32').waitFor();
});

test('verifying a damaged file names the storage', async () => {
  const bytes = readFileSync(join(samplesFolder, 'digits/last.pth'));
  const middle = bytes.length >> 1; // among the weights, which fill most of the file
  bytes[middle] = bytes[middle]! ^ 1;
  const path = join(scratch, 'damaged.pth');
  writeFileSync(path, bytes);
  await dropPaths(page, [path]);
  await opened('damaged.pth');
  await page.getByRole('button', { name: 'Verify file' }).click();
  const outcome = page.locator('.verification').getByRole('listitem');
  await outcome.waitFor();
  expect(await outcome.innerText()).toMatch(/data\/\d+.*CRC-32/s);
});

const looks = (['light', 'dark'] as const).flatMap((scheme) =>
  [390, 1440].map((width) => ({ scheme, width })),
);

test.each(looks)('each kind looks right: $scheme at $width px', async ({ scheme, width }) => {
  const touch = width < 600;
  const end = await start({
    colorScheme: scheme,
    viewport: { width, height: touch ? 844 : 900 },
    hasTouch: touch,
    isMobile: touch,
  });
  const large = join(scratch, 'gigabyte.pt');
  if (!existsSync(large)) await writeSparse(large, 200, 5_242_880);
  const kinds = [
    ['sharded', await folderFixture('shards_safetensors')],
    ['gguf', await ggufFixture('blocks_v3')],
    ['legacy', await torchFixture('legacy_adamw')],
    ['hostile', await torchFixture('hostile_os_system')],
    ['large', large],
  ] as const;
  for (const [kind, path] of kinds) {
    await dropPaths(page, [path]);
    await opened(basename(path));
    await shoot(page, `drop-${kind}-${scheme}-${width}`);
  }
  await page.getByRole('button', { name: 'Verify file' }).click();
  await halfway(page);
  await shoot(page, `verifying-${scheme}-${width}`);
  await page.getByText('200 of 200 storages match').waitFor();
  await shoot(page, `verified-${scheme}-${width}`);
  await end();
});
