/** Without WebGPU the app runs on WebGL, without both on plain JavaScript, says so, and is right. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runPython } from '../python.ts';
import type { StaticServer } from './app.ts';
import { dropPaths, launch, openPage, openSample, serveBuild, step } from './app.ts';
import { expectEqual, predictions, rawOutputs } from './outputs.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightroom-backends-'));
let server: StaticServer;
beforeAll(async () => {
  server = await serveBuild();
  await runPython('tests/judge/few_of_each.py', [folder]);
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await server?.close();
});

test.each([
  { backend: 'WebGL', graphics: ['--use-angle=swiftshader', '--enable-unsafe-swiftshader'] },
  { backend: 'CPU', graphics: ['--disable-gpu', '--disable-software-rasterizer'] },
])('runs and trains on $backend', async ({ backend, graphics }) => {
  const browser = await launch(graphics);
  const context = await browser.newContext({ serviceWorkers: 'block' });
  const { page, complaints } = await openPage(context, server.url);
  for (const [id, title] of [
    ['digits', 'Handwritten digits'],
    ['linear', 'One linear layer'],
  ] as const) {
    await step(page, 'Open');
    await openSample(page, title);
    await step(page, 'Run');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('list', { name: 'Largest outputs' }).waitFor();
    expect(await page.locator('.backend').innerText()).toBe(backend);
    expectEqual(await rawOutputs(page), (await predictions())[id]!);
  }
  await step(page, 'Train');
  await page.getByLabel('Epochs', { exact: true }).fill('1');
  await page.getByRole('button', { name: 'Start training' }).click();
  const progress = page.getByRole('region', { name: 'Progress' });
  await progress.getByText('Done', { exact: true }).waitFor({ timeout: 120_000 });

  const source = join(import.meta.dirname, '../fixtures/models/few_of_each.py');
  await dropPaths(page, [join(folder, 'few_of_each.pt'), source]);
  await page.getByRole('heading', { level: 1, name: 'few_of_each.pt' }).waitFor();
  await step(page, 'Model');
  await page.getByText('All keys matched').waitFor();
  await step(page, 'Run');
  await dropPaths(page, [join(folder, 'check.pt')]);
  const verdict = page.locator('.verdict', { hasText: 'tensors of check.pt compared' });
  await verdict.waitFor();
  const said = await verdict.innerText();
  expect(said).toContain(`8 of 8 tensors of check.pt compared on ${backend.toLowerCase()}`);
  expect(Number(/error is ([\d.e-]+),/.exec(said)![1])).toBeLessThanOrEqual(1e-4);
  expect(complaints).toEqual([]);
  await browser.close();
});
