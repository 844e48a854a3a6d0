/** Without WebGPU the app runs on WebGL, without both on plain JavaScript, and says so. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StaticServer } from './app.ts';
import { launch, openPage, openSample, serveBuild, step } from './app.ts';
import { expectEqual, predictions, rawOutputs } from './outputs.ts';

let server: StaticServer;
beforeAll(async () => {
  server = await serveBuild();
});
afterAll(() => server?.close());

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
  expect(complaints).toEqual([]);
  await browser.close();
});
