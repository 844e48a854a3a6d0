/** The graph view: a tree of what was measured, the numbers of a node as figures and pictures. */
import { expect, test } from 'vitest';
import { app } from './app.fixture.ts';
import { openPage, openSample, step } from './app.ts';

test('shows feature maps of a convolution and attention maps of a GPT, by keyboard too', async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  const { page, complaints } = await openPage(context, app.server.url);
  const graph = page.getByRole('region', { name: 'Graph' });
  const tree = graph.getByRole('tree', { name: 'Graph' });
  const row = (name: RegExp) => tree.getByRole('treeitem', { name });
  const selected = () => tree.locator('[aria-selected=true]').innerText();
  const details = graph.getByRole('complementary', { name: 'Part of the graph' });

  await openSample(page, 'Handwritten digits');
  await step(page, 'Run');
  await graph.getByRole('button', { name: 'Measure', exact: true }).click();
  await row(/^conv2/).click();
  expect(await row(/^conv2/).innerText()).toMatch(
    /Conv2d\(16, 32, 3, padding=1, bias=False\)\s+4,608\s+\[1, 32, 14, 14\]\s+[\d.]+ ms/,
  );
  await details.getByRole('img', { name: 'Output [0, 15]' }).waitFor();
  await details.getByRole('button', { name: 'More maps' }).click();
  await details.getByRole('img', { name: 'Output [0, 31]' }).waitFor();
  expect(await details.innerText()).toContain('17–32 of 32');
  await details.getByRole('img', { name: /^Histogram/ }).waitFor();
  await tree.focus();
  await tree.press('f');
  expect(await selected()).toMatch(/^fc/);
  await details.getByRole('img', { name: 'Output: 10 numbers as bars' }).waitFor();

  await step(page, 'Open');
  await openSample(page, 'Fables, letter by letter');
  await step(page, 'Run');
  await page.getByLabel('Prompt').fill('A fox fell');
  await graph.getByRole('button', { name: 'Measure', exact: true }).click();
  await tree.focus();
  await tree.press('0');
  expect(await selected()).toMatch(/^0\s*Block/);
  await tree.press('ArrowRight');
  await tree.press('s');
  await tree.press('c');
  expect(await selected()).toMatch(/^scaled_dot_product_attention/);
  // The first letter sees itself alone; later ones are hidden from it.
  await details.getByRole('img', { name: 'Attention [0, 3]' }).waitFor();
  const map = details.getByRole('img', { name: 'Attention [0, 0]' });
  const box = (await map.boundingBox())!;
  await map.hover({ position: { x: 3, y: 3 } });
  await details.getByText('[0, 0, 0, 0] = 1.0000, “A” looks at “A”').waitFor();
  await map.hover({ position: { x: box.width - 3, y: 3 } });
  await details.getByText('[0, 0, 0, 9] = 0.0000, “A” looks at “l”').waitFor();
  await details.getByText('Output', { exact: true }).last().click();
  await details.getByRole('img', { name: 'Output [0, 3]' }).waitFor();
  await tree.focus();
  await tree.press('ArrowLeft');
  await tree.press('ArrowLeft');
  expect(await row(/^0 /).getAttribute('aria-expanded')).toBe('false');
  await graph.getByPlaceholder('Filter').fill('head');
  expect(await tree.getByRole('treeitem').count()).toBe(2);
  expect(complaints).toEqual([]);
  await context.close();
});
