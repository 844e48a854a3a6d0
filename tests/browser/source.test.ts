/** The model's source: a folder or a zip of files, the editor, and errors at their lines. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { memorySink } from '#lib/file/sink.ts';
import { ZipWriter } from '#lib/file/zip.write.ts';
import { app } from './app.fixture.ts';
import { drop, dropPaths, openPage, sampleFile } from './app.ts';

const scratch = mkdtempSync(join(tmpdir(), 'weightroom-source-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** The sample's network in a package, beside more classes than anybody reads. */
const project = {
  'digits/__init__.py': 'from .model import DigitsCNN\n',
  'digits/model.py': new TextDecoder()
    .decode(sampleFile('digits/model.py').bytes)
    .replace('import torch.nn as nn', 'import torch.nn as nn\nfrom digits.parts import Last')
    .replace('nn.Linear(2 * width * 7 * 7, classes)', 'Last(2 * width * 7 * 7, classes)'),
  'digits/parts.py':
    'import torch.nn as nn\n\n\nclass Last(nn.Linear):\n    pass\n\n\n' +
    Array.from({ length: 20 }, (_, at) => `class Part${at}(nn.Module):\n    pass\n`).join('\n'),
  'train.py': 'import wandb\nwandb.init()\n',
};

let page: Page;
let complaints: string[];
beforeAll(async () => {
  for (const [name, text] of Object.entries(project)) {
    mkdirSync(dirname(join(scratch, 'project', name)), { recursive: true });
    writeFileSync(join(scratch, 'project', name), text);
  }
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  ({ page, complaints } = await openPage(context, app.server.url));
  await drop(page, [sampleFile('digits/last.pth')]);
  await page.getByRole('tree').waitFor();
});

const editor = () => page.getByRole('textbox', { name: 'Python source of the model' });
const chosen = () => page.getByLabel('Model', { exact: true });

test('a folder is read, and the class whose keys fit is built', async () => {
  await dropPaths(page, [join(scratch, 'project')]);
  await page.getByText('All keys matched').waitFor();
  const option = chosen().locator('option:checked');
  expect(await option.innerText()).toMatch(
    /^DigitsCNN · class, project\/digits\/model\.py line \d+ · all keys fit$/,
  );
  await page.getByRole('searchbox', { name: 'Filter the models' }).fill('part1');
  expect(await chosen().getByRole('option').count()).toBe(12);
  expect(await page.getByLabel('Source file').locator('option:checked').innerText()).toBe(
    'project/digits/model.py',
  );
});

test('an error is shown at its line, in the file where it is', async () => {
  await editor().waitFor();
  const parts = project['digits/parts.py'].replace(
    '(nn.Linear):\n    pass',
    '(nn.Linear):\n    def __init__(self, *size):\n        super().__init__(*size, width=1)',
  );
  await editor().waitFor();
  const path = join(scratch, 'project.zip');
  writeFileSync(path, await zipped({ ...project, 'digits/parts.py': parts }));
  await dropPaths(page, [path]); // onto the editor, which must not take its text
  const shown = page.getByLabel('Source file').locator('option:checked');
  await shown.filter({ hasText: /^digits/ }).waitFor({ state: 'attached' });
  const problem = page.getByRole('region', { name: 'What went wrong' });
  await page.getByRole('button', { name: 'Build' }).click();
  await problem.getByText('digits/parts.py line 6').waitFor();
  await editor().locator('.cm-lintRange-error').waitFor();
  expect(await editor().locator('.cm-lintRange-error').innerText()).toBe(
    'super().__init__(*size, width=1)',
  );
  expect(await shown.innerText()).toBe('digits/parts.py');
  await page.locator('.cm-lint-marker-error').waitFor();
});

test('the keyboard gets into the editor and out again', async () => {
  await editor().locator('.cm-lintRange-error').click();
  await page.keyboard.press('End');
  for (let count = 0; count < 'width=1)'.length + 2; count++)
    await page.keyboard.press('Backspace');
  await page.keyboard.type(')');
  await page.keyboard.press('Tab');
  await page.getByText('edited', { exact: true }).waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('state-dict');
  await page.getByRole('button', { name: 'Build' }).click();
  await page.getByText('All keys matched').waitFor();
  expect(complaints).toEqual([]);
});

async function zipped(files: Record<string, string>): Promise<Uint8Array> {
  const sink = memorySink();
  const writer = new ZipWriter(sink);
  for (const [name, text] of Object.entries(files)) {
    const bytes = new TextEncoder().encode(text);
    await writer.add(`project-main/${name}`, bytes.length, [bytes]);
  }
  await writer.finish();
  return sink.bytes();
}
