/** An embedding model in a folder, as it is downloaded: recognised, and its cosines are PyTorch's. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runPython } from '../python.ts';
import { app } from './app.fixture.ts';
import { dropPaths, openPage, step } from './app.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightroom-embedding-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a folder with weights, configuration and tokenizer compares texts as PyTorch does', async () => {
  const printed = await runPython('tests/browser/embedding.py', [folder]);
  const { texts, cosines } = JSON.parse(printed) as { texts: string[]; cosines: number[][] };
  const permissions = ['clipboard-read', 'clipboard-write'];
  const context = await app.browser.newContext({ serviceWorkers: 'block', permissions });
  const { page, complaints } = await openPage(context, app.server.url);

  const recognised = page.getByRole('region', { name: 'Recognised model' });
  const heads = page.getByLabel('heads');
  const use = async (paths: string[]) => {
    await dropPaths(page, paths);
    await page.waitForFunction(() => document.title.startsWith('Checkpoint'));
    await step(page, 'Model');
    await recognised.getByText('This is BERT, 2 layers of 32').waitFor();
    await recognised.getByRole('button', { name: 'Use this source' }).click();
    await page.getByText('All keys matched').waitFor();
  };

  // The weights alone do not tell the number of heads; the folder's config.json does.
  await use([join(folder, 'model.safetensors')]);
  await recognised.getByText('by custom: 1 attention head of 32 numbers').waitFor();
  expect(await heads.inputValue()).toBe('1');
  // A tokenizer that is dropped belongs to the model that is open.
  await dropPaths(page, [join(folder, 'tokenizer.json')]);
  await page.waitForFunction(() => document.title.startsWith('Run'));
  await page.getByTitle(/tokenizer\.json/).waitFor();
  await use([folder]);
  expect(await recognised.innerText()).not.toContain('by custom');
  expect(await heads.inputValue()).toBe('4');

  await step(page, 'Run');
  await page.getByTitle(/tokenizer\.json/).waitFor();
  await page.getByLabel('Texts, one on each line').fill(texts.join('\n'));
  await page.getByRole('button', { name: 'Compare' }).click();
  await page.getByRole('region', { name: 'Cosine matrix' }).waitFor();
  expect(await page.locator('.backend').innerText()).toBe('WebGPU');
  await page.getByRole('button', { name: 'Copy the matrix' }).click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  const rows = copied
    .split('\n')
    .slice(1)
    .map((row) => row.split('\t').slice(1).map(Number));
  expect(rows.map((row) => row.length)).toEqual(texts.map(() => texts.length));
  const differences = rows.flatMap((row, at) =>
    row.map((it, to) => Math.abs(it - cosines[at]![to]!)),
  );
  expect(Math.max(...differences)).toBeLessThanOrEqual(1e-4);
  expect(complaints).toEqual([]);
  await context.close();
});
