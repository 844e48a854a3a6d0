/** The whole way, for every sample: open, tree, model, run, train, save, and PyTorch loads it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { runPython } from '../python.ts';
import { expectEqual, predictions, rawOutputs } from './outputs.ts';
import { app } from './app.fixture.ts';
import { dropFewDigits, openPage, openSample, resultsFolder, step } from './app.ts';

const samples = [
  { id: 'digits', title: 'Handwritten digits', file: 'last.pth', key: 'conv1.weight', outputs: 10 },
  { id: 'mlp', title: 'Multi-layer perceptron', file: 'mlp.pt', key: '0.weight', outputs: 10 },
  { id: 'linear', title: 'One linear layer', file: 'linear.pth', key: 'fc.weight', outputs: 2 },
];

const expected = predictions();

/** Chooses what to save, downloads it and gives the path. */
async function save(page: Page, group: string, kind: string): Promise<string> {
  const choice = page.getByRole('group', { name: group }).getByText(kind, { exact: true });
  await choice.click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download' }).click(),
  ]);
  await page.getByText(`Downloaded ${download.suggestedFilename()}`).waitFor();
  const folder = join(resultsFolder, 'downloads');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, download.suggestedFilename());
  await download.saveAs(path);
  return path;
}

describe.each(samples)('$title', ({ id, title, file, key, outputs }) => {
  test('opens, runs, trains, and PyTorch loads what it saves', async () => {
    const context = await app.browser.newContext({
      serviceWorkers: 'block',
      acceptDownloads: true,
    });
    const { page, complaints } = await openPage(context, app.server.url);

    await openSample(page, title);
    await page.getByRole('heading', { level: 1, name: file }).waitFor();
    await page.getByText('Nothing in this file was executed.').waitFor();
    const row = page.getByRole('treeitem').filter({ hasText: key }).first();
    await row.click();
    await page.getByRole('list', { name: 'First values' }).getByRole('listitem').first().waitFor();

    await step(page, 'Model');
    await page.getByText('All keys matched').waitFor();

    await step(page, 'Run');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    const top = page.getByRole('list', { name: 'Largest outputs' }).getByRole('listitem');
    await top.first().waitFor();
    expect(await top.count()).toBe(outputs);
    expect(await page.locator('.backend').innerText()).toBe('WebGPU');
    expectEqual(await rawOutputs(page), (await expected)[id]!);

    if (file === 'last.pth') await dropFewDigits(page);
    await step(page, 'Train');
    await page.getByLabel('Epochs', { exact: true }).fill('2');
    await page.getByLabel('Batch size').fill(file === 'last.pth' ? '16' : '100');
    await page.getByRole('button', { name: 'Start training' }).click();
    // It goes on while another page is shown.
    await step(page, 'Checkpoint');
    await step(page, 'Train');
    const progress = page.getByRole('region', { name: 'Progress' });
    await progress.getByText('Done', { exact: true }).waitFor({ timeout: 240_000 });
    expect(
      await page.getByRole('region', { name: 'Epoch by epoch' }).getByRole('row').count(),
    ).toBe(3);

    await step(page, 'Save');
    const saved = [
      await save(page, 'Best', 'Weights only'),
      await save(page, 'Best', 'Weights, safetensors'),
      await save(page, 'Best', 'Weights, npz'),
      await save(page, 'Last', 'Full checkpoint'),
    ];
    expect(complaints).toEqual([]);
    await context.close();

    const lines = (await runPython('tests/judge/load.py', saved)).trim().split('\n');
    const loaded = lines.map((line) => JSON.parse(line));
    expect(loaded).toHaveLength(saved.length);
    for (const entry of loaded) {
      expect(entry.error).toBeUndefined();
      expect(JSON.stringify(entry.root)).toContain(key);
    }
  });
});

/** A PNG of 100 × 80 pixels with a black vertical stroke on white. */
async function pictureOfOne(page: Page): Promise<Buffer> {
  const base64 = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(100, 80);
    const context = canvas.getContext('2d')!;
    context.fillStyle = 'white';
    context.fillRect(0, 0, 100, 80);
    context.fillStyle = 'black';
    context.fillRect(46, 12, 8, 56);
    const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
    return btoa(String.fromCharCode(...bytes));
  });
  return Buffer.from(base64, 'base64');
}

test('a drawing, a picture and a random input run, training pauses, resumes and stops', async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  const { page, complaints } = await openPage(context, app.server.url);
  await openSample(page, 'Handwritten digits');
  await step(page, 'Run');

  await page.getByRole('radio', { name: 'Draw' }).check({ force: true });
  const canvas = page.getByRole('img', { name: /^Drawing area/ });
  const box = await canvas.boundingBox();
  if (!box) throw new Error('the canvas has no box');
  await page.mouse.move(box.x + 140, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + 140, box.y + 220, { steps: 8 });
  await page.mouse.up();
  // Lifting the pen runs it.
  const top = page.getByRole('list', { name: 'Largest outputs' }).getByRole('listitem');
  await top.first().waitFor();
  expect(await top.first().innerText()).toMatch(/^1\b/);

  // A picture file of another size, dark on light: inverted, it is a one as well.
  await page.getByRole('radio', { name: 'Image' }).check({ force: true });
  await page.getByRole('checkbox', { name: /Invert/ }).check();
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Choose an image' }).click();
  const picture = { name: 'one.png', mimeType: 'image/png', buffer: await pictureOfOne(page) };
  await (await chooser).setFiles(picture);
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await expect.poll(() => top.first().innerText()).toMatch(/^1\b/);

  await page.getByRole('radio', { name: 'Tensors' }).check({ force: true });
  await page.getByLabel('Seed').fill('7');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByText('-', { exact: false }).first().waitFor();

  await step(page, 'Open');
  await openSample(page, 'One linear layer');
  await step(page, 'Train');
  await page.getByLabel('Epochs', { exact: true }).fill('500');
  await page.getByRole('button', { name: 'Start training' }).click();
  const progress = page.getByRole('region', { name: 'Progress' });
  await progress.getByText('Training', { exact: true }).waitFor({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Pause' }).click();
  await progress.getByText('Paused', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Resume' }).click();
  await progress.getByText('Training', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Stop' }).click();
  await progress.getByText('Stopped', { exact: true }).waitFor({ timeout: 60_000 });

  // It goes on from where it stopped.
  const epochs = page.getByRole('region', { name: 'Epoch by epoch' }).getByRole('row');
  const before = await epochs.count();
  await page.getByLabel('Epochs', { exact: true }).fill('2');
  await page.getByRole('button', { name: 'Continue' }).click();
  await progress.getByText('Done', { exact: true }).waitFor({ timeout: 60_000 });
  expect(await epochs.count()).toBe(before + 2);

  // Starting over loses nothing: the run before is kept.
  await page.getByRole('button', { name: 'Start over' }).click();
  await progress.getByText('Done', { exact: true }).waitFor({ timeout: 60_000 });
  expect(await epochs.count()).toBe(1 + 2);
  await step(page, 'Open');
  const runs = page.getByRole('region', { name: 'Runs' });
  await expect.poll(() => runs.getByRole('listitem').count()).toBeGreaterThan(1);
  expect(complaints).toEqual([]);
  await context.close();
});

test('a language model writes what PyTorch writes, longer than its window', async () => {
  const [prompt, count] = ['A fox fell into a well and could not climb out again', 16];
  const written = await runPython('tests/judge/write.py', ['fables', prompt, String(count)]);
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  const { page, complaints } = await openPage(context, app.server.url);
  await openSample(page, 'Fables, letter by letter');
  await step(page, 'Run');
  await page.getByLabel('Prompt').fill(prompt);
  await page.getByLabel('Tokens', { exact: true }).fill(String(count));
  await page.getByLabel('Temperature').fill('0');
  await page.getByRole('button', { name: 'Write', exact: true }).click();
  await page.getByText(`${count} tokens`, { exact: true }).waitFor({ timeout: 120_000 });
  const text = page.getByRole('region', { name: 'Text' });
  await expect.poll(() => text.textContent()).toBe(written);
  expect(complaints).toEqual([]);
  await context.close();
});
