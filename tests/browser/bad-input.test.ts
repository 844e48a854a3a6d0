/** Bad files get a sentence that says what is wrong, and what was open stays open. */
import { deflateRawSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, test } from 'vitest';
import { app } from './app.fixture.ts';
import { drop, hostileFile, openPage, openSample, sampleFile, step } from './app.ts';

let page: Page;
beforeEach(async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  ({ page } = await openPage(context, app.server.url));
  await openSample(page, 'Handwritten digits');
  await step(page, 'Model');
  await page.getByText('All keys matched').waitFor();
  return () => context.close();
});

const text = (content: string) => new TextEncoder().encode(content);

/** A zip with one deflated text in it, as anyone might drop by mistake. */
function plainZip(): Uint8Array {
  const name = text('notes.txt');
  const content = text('not a checkpoint');
  const packed = deflateRawSync(content);
  const crc = 0x2d3a2a5b; // wrong on purpose: nobody should come as far as checking it
  const head = (central: boolean) => {
    const view = new DataView(new ArrayBuffer(central ? 46 : 30));
    view.setUint32(0, central ? 0x02014b50 : 0x04034b50, true);
    const at = central ? 2 : 0;
    view.setUint16(4 + at, 20, true);
    view.setUint16(8 + at, 8, true);
    view.setUint32(14 + at, crc, true);
    view.setUint32(18 + at, packed.length, true);
    view.setUint32(22 + at, content.length, true);
    view.setUint16(26 + at, name.length, true);
    return new Uint8Array(view.buffer);
  };
  const local = Buffer.concat([head(false), name, packed]);
  const central = Buffer.concat([head(true), name]);
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, 1, true);
  end.setUint16(10, 1, true);
  end.setUint32(12, central.length, true);
  end.setUint32(16, local.length, true);
  return Buffer.concat([local, central, new Uint8Array(end.buffer)]);
}

/** `os.system('echo')` as a bare pickle of protocol 2. */
const shellPickle = Buffer.from('\x80\x02cposix\nsystem\nX\x04\x00\x00\x00echo\x85R.', 'latin1');

async function stillThere(): Promise<void> {
  await step(page, 'Checkpoint');
  expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('last.pth');
  await page.getByRole('treeitem').filter({ hasText: 'conv1.weight' }).first().waitFor();
  await step(page, 'Model');
  await page.getByText('All keys matched').waitFor();
  await step(page, 'Run');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByRole('list', { name: 'Largest outputs' }).waitFor();
}

describe('files that are no checkpoints', () => {
  test.each([
    ['an empty file', 'empty.pt', () => new Uint8Array()],
    ['a text file', 'notes.pt', () => text('weights are stored elsewhere\n'.repeat(20))],
    ['a zip that is no checkpoint', 'archive.pt', plainZip],
    ['a truncated checkpoint', 'cut.pt', () => sampleFile('digits/last.pth').bytes.slice(0, 9000)],
  ])('%s', async (_, name, bytes) => {
    await drop(page, [{ name, bytes: bytes() }]);
    const problem = page.locator('.problem').filter({ hasText: `Could not open ${name}` });
    await problem.waitFor();
    const said = await problem.getByRole('listitem').first().innerText();
    expect(said.length).toBeGreaterThan(20);
    // What is wrong, and what to do about it.
    expect(await problem.getByRole('listitem').first().locator('p').count()).toBe(2);
    await problem.getByRole('button', { name: /^Dismiss/ }).click();
    await problem.waitFor({ state: 'detached' });
    await stillThere();
  });
});

test('a source with a syntax error names the line, and the model before stays', async () => {
  const bytes = text('import torch.nn as nn\n\nclass Net(nn.Module)\n    pass\n');
  await drop(page, [{ name: 'broken.py', bytes }]);
  const failed = page.getByRole('region', { name: 'What went wrong' });
  await failed.waitFor();
  expect(await failed.innerText()).toContain('line 3');
  await page.locator('.cm-lintRange-error').waitFor();
  await failed.getByText('is still in place').waitFor();
  await step(page, 'Run');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByRole('list', { name: 'Largest outputs' }).waitFor();
});

test('a model whose shapes disagree is reported key by key', async () => {
  await page.getByLabel('width').fill('8');
  await page.getByRole('button', { name: 'Build again' }).click();
  const mismatch = page.getByText('Size mismatch').or(page.getByText(/size mismatch/));
  await mismatch.first().waitFor();
  await page
    .getByText(/conv1\.weight/)
    .last()
    .waitFor();
  // With the right width it is whole again.
  await page.getByLabel('width').fill('');
  await page.getByRole('button', { name: 'Build again' }).click();
  await page.getByText('All keys matched').waitFor();
});

// Last, as such a file opens in the place of the one before, to be looked into.
describe('a pickle that names os.system opens as data and is never run', () => {
  test.each([
    ['bare', 'shell.pkl', () => shellPickle],
    ['beside tensors in a checkpoint', 'hostile.pt', async () => (await hostileFile()).bytes],
  ])('%s', async (_, name, bytes) => {
    await drop(page, [{ name, bytes: await bytes() }]);
    await step(page, 'Checkpoint');
    await page.getByRole('heading', { level: 1, name }).waitFor();
    const said = await page.getByRole('region', { name: 'Safety' }).innerText();
    expect(said).toMatch(/would call (posix|os)\.system/);
    expect(said).toContain('nothing of it was executed');
  });
});
