/**
 * Takes the README's pictures, in light and dark: what a hostile file would run, the GPT sample's
 * graph, and the MLP sample in training. Needs a build below /weightroom (`BASE_PATH=/weightroom npm run build`) and Chromium.
 */
import { join } from 'node:path';
import {
  drop,
  hostileFile,
  launch,
  openPage,
  openSample,
  serveBuild,
  step,
} from '../tests/browser/app.ts';

const docs = join(import.meta.dirname, '../docs');
const server = await serveBuild();
const browser = await launch();
for (const colorScheme of ['light', 'dark'] as const) {
  const context = await browser.newContext({
    colorScheme,
    viewport: { width: 1280, height: 720 },
    serviceWorkers: 'block',
  });
  const { page } = await openPage(context, server.url);
  await step(page, 'Safety');
  await drop(page, [await hostileFile()]);
  await page.getByRole('option').filter({ hasText: 'posix.system' }).waitFor();
  await page.screenshot({ path: join(docs, `safety-${colorScheme}.png`) });
  await step(page, 'Open');
  await openSample(page, 'Fables, letter by letter');
  await step(page, 'Run');
  await page.getByRole('button', { name: 'Measure', exact: true }).click();
  await page.getByRole('treeitem', { name: /^0 / }).dblclick();
  await page.getByRole('treeitem', { name: /^scaled_dot/ }).click();
  await page.getByRole('img', { name: 'Attention [0, 3]' }).waitFor();
  await page.getByRole('region', { name: 'Graph' }).evaluate((it) => it.scrollIntoView());
  await page.screenshot({ path: join(docs, `graph-${colorScheme}.png`) });
  await step(page, 'Open');
  await openSample(page, 'Multi-layer perceptron');
  await step(page, 'Train');
  await page.getByLabel('Epochs', { exact: true }).fill('12');
  await page.getByRole('button', { name: 'Start training' }).click();
  const progress = page.getByRole('region', { name: 'Progress' });
  await progress.getByText('Done', { exact: true }).waitFor({ timeout: 240_000 });
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(docs, `train-${colorScheme}.png`) });
  await context.close();
}
await browser.close();
await server.close();
