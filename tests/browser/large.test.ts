/** Files beyond what a download holds in memory: read ahead, summed and written by other threads. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runPython } from '../python.ts';
import { app } from './app.fixture.ts';
import { dropPaths, openPage, resultsFolder, step } from './app.ts';

test('74 MB are written to the private disk, verified, and hold the same for PyTorch', async () => {
  const folder = join(import.meta.dirname, '../.made');
  const path = join(folder, 'large_14.pt');
  mkdirSync(folder, { recursive: true });
  if (!existsSync(path)) {
    await runPython('tests/bench/files.py', ['make', path, '14', '1024', '1282']);
  }
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  const { page, complaints } = await openPage(context, app.server.url);
  await dropPaths(page, [path]);
  await page.waitForFunction(() => document.title.startsWith('Checkpoint'));
  await step(page, 'Save');
  const group = page.getByRole('group', { name: 'As opened' });
  await group.getByText('Full checkpoint', { exact: true }).click();
  const downloading = page.waitForEvent('download', { timeout: 120_000 });
  await page.getByRole('button', { name: 'Download' }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe('large_14.pt');
  const saved = join(resultsFolder, 'downloads', 'large_14.pt');
  await download.saveAs(saved);
  await page.getByText('read back and verified').waitFor();

  const left = await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const outbox = await root.getDirectoryHandle('outbox');
    return Array.fromAsync(outbox.keys());
  });
  // The open file's own name is not taken: it might lie there, too.
  expect(left).toEqual(['large_14 (2).pt']);
  expect(complaints).toEqual([]);
  await context.close();

  const lines = (await runPython('tests/judge/load.py', [path, saved])).trim().split('\n');
  const [before, after] = lines.map((line) => JSON.parse(line) as { root?: unknown });
  expect(before!.root).toBeDefined();
  expect(after!.root).toEqual(before!.root);
});
