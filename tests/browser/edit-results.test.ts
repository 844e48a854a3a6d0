/** What the Edit page writes, and the lab opens again: shards, merges, an adapter, an array. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { runPython } from '../python.ts';
import { step } from './app.ts';
import { add, downloadResult, edits, openEditor, preview } from './editor.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightroom-results-'));
afterAll(() => rmSync(folder, { recursive: true }));
const script = 'tests/judge/edited_pages.py';

async function openBeside(page: Page, name: string): Promise<void> {
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    page.getByRole('button', { name: 'Open another…' }).click(),
  ]);
  await chooser.setFiles(join(folder, name));
  await page.getByRole('list', { name: 'Open beside' }).getByText(name).waitFor();
}

/** The result takes the place of the checkpoint, and the list begins anew. */
async function openResult(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Open the result' }).click();
  await page.waitForFunction(() => document.title.startsWith('Checkpoint'));
  await step(page, 'Edit');
  await preview(page).waitFor();
  expect(await edits(page).count()).toBe(0);
}

test('results open in the lab, and Python finds in them what it makes itself', async () => {
  await runPython(script, ['make', folder]);
  const bytes = readFileSync(join(folder, 'a.pt'));
  const { page, complaints, close } = await openEditor({ name: 'a.pt', bytes });

  // Shards with an index in a zip, which opens as it is; nested again by what the index keeps.
  await page.getByLabel('In shards, with an index').check();
  await page.getByLabel('Largest shard').fill('2 kB');
  await page.getByText('kept as text in the metadata').first().waitFor();
  expect(await downloadResult(page, folder)).toMatch(/a_edited\.zip$/);
  await page.getByText(/a_edited\.zip, .* read back and verified/).waitFor();
  await openResult(page);
  await page.getByLabel('In shards, with an index').uncheck();
  await add(page, /^Restore the nested checkpoint/);
  await page.getByRole('radio', { name: 'PyTorch .pt' }).check({ force: true });
  await downloadResult(page, folder, 'joined.pt');
  await openResult(page);

  await add(page, 'Average with others…');
  await openBeside(page, 'b.safetensors');
  await page.getByRole('button', { name: 'Add b.safetensors' }).click();
  await preview(page).getByText('changed 4').waitFor();
  await downloadResult(page, folder, 'merged.pt');
  await page.getByRole('button', { name: 'Clear', exact: true }).click();

  await add(page, 'Merge LoRA…');
  await openBeside(page, 'adapter.safetensors');
  await page.getByLabel('Adapter', { exact: true }).selectOption({ label: 'adapter.safetensors' });
  await page.getByLabel('Scaling, alpha / rank').fill('2');
  await preview(page)
    .getByText(/^changed \d/)
    .waitFor();
  await downloadResult(page, folder, 'lora.pt');
  await page.getByRole('button', { name: 'Clear', exact: true }).click();

  await add(page, /^Add or replace a tensor/);
  await openBeside(page, 'array.npy');
  await page.getByLabel('Where', { exact: true }).fill('extra');
  await page.getByLabel('From', { exact: true }).selectOption({ label: 'array.npy' });
  await preview(page).getByText('new 1').waitFor();
  await downloadResult(page, folder, 'put.pt');

  expect(JSON.parse(await runPython(script, ['check', folder]))).toEqual({
    ...{ joined: true, merged: true, lora: true, put: true },
  });
  expect(complaints).toEqual([]);
  await close();
});
