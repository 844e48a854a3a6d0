/** A person edits a checkpoint and writes it: strips a prefix, drops the optimizer, casts, undoes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runPython } from '../python.ts';
import { sampleFile, step } from './app.ts';
import { add, downloadResult, edits, openEditor, preview } from './editor.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightroom-edit-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('edits are listed, previewed, undone and written', async () => {
  const { page, complaints, close } = await openEditor(sampleFile('digits/last.pth'));
  await add(page, /^Drop the optimizer/);
  await add(page, 'Rename by rules…');
  await page.getByLabel('Kind of rule 1').selectOption('add');
  await page.getByLabel('Prefix of rule 1').fill('module.');
  await add(page, 'To float16');
  await preview(page).getByText('float32 → float16').first().waitFor();
  await preview(page).getByText('38 → 14').waitFor();
  expect(await edits(page).count()).toBe(3);
  await page.getByRole('button', { name: 'Count overflows' }).click();
  await preview(page).getByText('nothing overflows').waitFor();

  await page.getByRole('button', { name: 'Move edit 3 up' }).click();
  await page.locator('h1, h2').first().click();
  await page.keyboard.press('Control+z');
  await page.keyboard.press('Control+z');
  await preview(page).getByText('float32 → float16').first().waitFor({ state: 'detached' });
  expect(await edits(page).count()).toBe(2);
  await page.getByRole('button', { name: 'Redo' }).click();
  await preview(page).getByText('float32 → float16').first().waitFor();

  // Where there is little room, heads are those of the columns that are left.
  await page.setViewportSize({ width: 390, height: 800 });
  const heads = preview(page).locator('[aria-hidden] > span:visible');
  await expect.poll(() => heads.allInnerTexts()).toEqual(['Before', 'After']);
  await page.setViewportSize({ width: 1280, height: 720 });

  // Another page in between changes nothing.
  await step(page, 'Checkpoint');
  await step(page, 'Edit');
  expect(await edits(page).count()).toBe(3);
  const path = await downloadResult(page, folder);
  expect(path).toMatch(/last_edited\.safetensors$/);
  const script = join(folder, 'check.py');
  writeFileSync(script, check);
  const sample = 'public/samples/digits/last.pth';
  expect(JSON.parse(await runPython(script, [path, sample]))).toEqual({
    ...{ tensors: 14, equal: true, epoch: 2, format: 'pt' },
  });
  expect(complaints).toEqual([]);
  await close();
});

const check = `
import json, sys, torch
from safetensors import safe_open
path, original = sys.argv[1:]
model = torch.load(original, weights_only=True)["model"]
with safe_open(path, framework="pt") as file:
    names, texts = list(file.keys()), file.metadata()
    want = {f"model.module.{key}": it.half() if it.is_floating_point() else it for key, it in model.items()}
    equal = set(names) == set(want) and all(torch.equal(file.get_tensor(name), want[name]) for name in names)
epoch = dict(json.loads(texts["weightroom.tree"])["tree"]["dict"])["epoch"]
print(json.dumps({"tensors": len(names), "equal": equal, "epoch": epoch, "format": texts["format"]}))
`;

test('what is wrong is said at its edit, and a full disk loses nothing', async () => {
  const { page, complaints, close } = await openEditor(sampleFile('digits/last.pth'));
  await add(page, 'Rename by rules…');
  await page.getByLabel('Prefix of rule 1').fill('nothing.');
  await edits(page).getByText('rename: "nothing." taken off changes no key').waitFor();
  await page.getByLabel('Kind of rule 1').selectOption('replace');
  await page.getByLabel(/^Pattern of rule 1/).fill('.*');
  await edits(page)
    .getByText(/both become/)
    .waitFor();
  await page.getByText('An edit failed').waitFor();
  expect(await page.getByRole('button', { name: 'Download', exact: true }).isDisabled()).toBe(true);
  await page.getByRole('button', { name: 'Remove edit 1' }).click();

  // A table of names is typed letter by letter, and stays as it is typed.
  await add(page, 'Rename by a table…');
  const table = page.getByLabel('Old and new name, a pair in each line');
  await table.pressSequentially('bn1.bias first.bias\nbn1');
  await page.getByText('Not taken yet: a line is no pair of names.').waitFor();
  await preview(page).getByText('renamed 1').waitFor();
  await table.pressSequentially('.weight first.weight');
  await preview(page).getByText('renamed 2').waitFor();
  expect(await table.inputValue()).toBe('bn1.bias first.bias\nbn1.weight first.weight');
  await page.getByRole('button', { name: 'Remove edit 1' }).click();
  const adding = page.getByText('Add an edit', { exact: true });
  await expect.poll(() => adding.evaluate((it) => it === document.activeElement)).toBe(true);
  await add(page, 'Delete an entry…');
  await page.getByRole('textbox', { name: 'Entry' }).fill("['epoch'");
  await page.getByText('Not taken yet: this is no path.').waitFor();
  await page.getByRole('button', { name: 'Remove edit 1' }).click();

  // A place that is full after some bytes: the old file stands, nothing half written is left.
  const kept = await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const handle = await root.getFileHandle('target.pt', { create: true });
    const stream = await handle.createWritable();
    await stream.write('old');
    await stream.close();
    Object.assign(globalThis, { showSaveFilePicker: () => Promise.resolve(handle) });
    return (await handle.getFile()).size;
  });
  expect(kept).toBe(3);
  const session = await page.context().newCDPSession(page);
  const { origin } = new URL(page.url());
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 4096 });
  await page.getByRole('button', { name: 'Save as…' }).click();
  const problem = page.getByRole('region', { name: 'Problems' });
  await problem.getByRole('heading', { name: 'Could not write target.pt' }).waitFor();
  await problem.getByText('target.pt was not written, the disk is full').waitFor();
  await session.send('Storage.overrideQuotaForOrigin', { origin });
  const left = await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const names = (await Array.fromAsync(root.keys())).filter((name) => name.startsWith('target'));
    return [names, await (await (await root.getFileHandle('target.pt')).getFile()).text()];
  });
  expect(left).toEqual([['target.pt'], 'old']);
  await page.getByRole('button', { name: 'Save as…' }).click();
  await page.getByText('read back and verified').waitFor();
  expect(complaints).toEqual([]);
  await close();
});
