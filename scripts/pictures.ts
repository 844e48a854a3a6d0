/**
 * Takes the README's pictures of each page, in light and dark: the digits sample with its statistics,
 * one of its tensors, a list of edits and what they change, its model, what a hostile file would run,
 * the GPT sample's graph, the MLP sample in training and saved, the guide; and two for the manifest. Needs a build below /weightroom (`BASE_PATH=/weightroom npm run build`) and Chromium.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import {
  drop,
  hostileFile,
  launch,
  openPage,
  openSample,
  serveBuild,
  step,
} from '../tests/browser/app.ts';

/** For pictures that are drawn piece by piece. */
const SETTLING = 3000;
const docs = join(import.meta.dirname, '../docs');
const screenshots = join(import.meta.dirname, '../public/screenshots');
const server = await serveBuild();
const browser = await launch();
for (const colorScheme of ['light', 'dark'] as const) {
  const context = await browser.newContext({
    colorScheme,
    viewport: { width: 1280, height: 720 },
    serviceWorkers: 'block',
  });
  const { page } = await openPage(context, server.url);
  /** What the step before has closed is of no interest. */
  const closed = page.getByRole('button', { name: /^Dismiss: Closed/ });
  const shoot = async (name: string) => {
    while ((await closed.count()) > 0) await closed.first().click();
    await page.screenshot({ path: join(docs, `${name}-${colorScheme}.png`) });
  };
  await shoot('open');
  await openSample(page, 'Handwritten digits');
  await page.setViewportSize({ width: 1520, height: 855 }); // all columns
  await page.getByRole('radio', { name: 'Statistics' }).check({ force: true });
  await page.getByRole('row').filter({ hasText: 'model.conv2.weight' }).first().click();
  await page.getByRole('progressbar', { name: 'Statistics' }).waitFor({ state: 'detached' });
  await shoot('checkpoint');
  await page.setViewportSize({ width: 1280, height: 720 });
  if (colorScheme === 'light') await shootForInstalling(page, 'wide');
  await page.getByRole('button', { name: 'Look at the tensor' }).click();
  await page.getByRole('radio', { name: 'Picture' }).check({ force: true });
  await page.waitForTimeout(SETTLING);
  await shoot('tensor');
  if (colorScheme === 'light') {
    await page.setViewportSize({ width: 390, height: 800 });
    await page.waitForTimeout(SETTLING);
    await shootForInstalling(page, 'narrow');
    await page.setViewportSize({ width: 1280, height: 720 });
  }
  await page.keyboard.press('Escape');
  await step(page, 'Edit');
  await page.getByRole('button', { name: /^Weights only / }).click();
  await page.getByRole('button', { name: 'To bfloat16', exact: true }).click();
  await page.getByRole('option').filter({ hasText: 'bfloat16' }).first().waitFor();
  await shoot('edit');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download', exact: true }).click(),
  ]);
  await step(page, 'Compare');
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    page.getByRole('button', { name: 'Choose file', exact: true }).click(),
  ]);
  await chooser.setFiles([
    {
      ...{ name: download.suggestedFilename(), mimeType: 'application/octet-stream' },
      buffer: readFileSync(await download.path()),
    },
  ]);
  await page.getByRole('status').filter({ hasText: 'differ' }).waitFor();
  await shoot('compare');
  await step(page, 'Model');
  await page.getByText('All keys matched').waitFor();
  await shoot('model');
  await step(page, 'Safety');
  // The open checkpoint is looked into first; what is dropped after that is another file.
  await page.getByRole('heading', { name: 'PyTorch loads this file' }).waitFor();
  await drop(page, [await hostileFile()]);
  await page.getByRole('option').filter({ hasText: 'posix.system' }).waitFor();
  await shoot('safety');
  await step(page, 'Open');
  await openSample(page, 'Fables, letter by letter');
  await step(page, 'Run');
  await page.getByRole('button', { name: 'Measure', exact: true }).click();
  await page.getByRole('treeitem', { name: /^0 / }).dblclick();
  await page.getByRole('treeitem', { name: /^scaled_dot/ }).click();
  await page.getByRole('img', { name: 'Attention [0, 3]' }).waitFor();
  await page.getByRole('region', { name: 'Graph' }).evaluate((it) => it.scrollIntoView());
  await shoot('graph');
  await step(page, 'Open');
  await openSample(page, 'Multi-layer perceptron');
  await step(page, 'Train');
  await page.getByLabel('Epochs', { exact: true }).fill('12');
  await page.getByRole('button', { name: 'Start training' }).click();
  const progress = page.getByRole('region', { name: 'Progress' });
  await progress.getByText('Done', { exact: true }).waitFor({ timeout: 240_000 });
  await page.mouse.move(0, 0);
  await shoot('train');
  await step(page, 'Save');
  await page.getByText('What to save').waitFor();
  await shoot('save');
  await page.getByRole('link', { name: 'Guide' }).click();
  await page.getByRole('heading', { name: 'Look at a file' }).waitFor();
  await shoot('guide');
  await context.close();
}
await browser.close();
await server.close();

/** What a browser shows of the app before it installs it: see `public/manifest.webmanifest`. */
async function shootForInstalling(page: Page, name: 'wide' | 'narrow'): Promise<void> {
  const path = join(screenshots, `${name}.jpg`);
  await page.screenshot({ path, type: 'jpeg', quality: 60 });
}
