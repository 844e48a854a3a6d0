/** Models in the app against PyTorch: a file's own forward pass, pictures, and the check. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { fixturesOf } from '../fixtures/made.ts';
import { numbers, open } from '../parity/lab.ts';
import type { Program } from '../programs/compare.ts';
import { oldPython, runPython } from '../python.ts';
import { torchvisionRoot } from '../sources/torchvision.ts';
import { app } from './app.fixture.ts';
import { drop, dropPaths, openPage, openSample, shoot, step } from './app.ts';
import { expectEqual, rawOutputs } from './outputs.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightroom-models-'));
afterAll(() => rmSync(folder, { recursive: true }));

let page: Page;
beforeEach(async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  const watched = await openPage(context, app.server.url);
  ({ page } = watched);
  page.setDefaultTimeout(60_000); // a busy machine computes WebGPU slowly
  onTestFinished(async () => {
    expect(watched.complaints).toEqual([]);
    await context.close();
  });
});

/** Drops a checkpoint, with its source if there is one, and goes to the Model page. */
async function openModel(...paths: string[]): Promise<void> {
  await dropPaths(page, paths);
  await page.getByRole('tree').waitFor();
  await step(page, 'Model');
}

async function choose(button: string, path: string): Promise<void> {
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: button }).click();
  await (await chooser).setFiles(path);
}

test.each(['control_scripted', 'control_dynamic'])(
  'a file that carries its forward pass needs no source: %s',
  async (name) => {
    const programs = await fixturesOf<Program>('tests/fixtures/programs.py');
    const { path } = programs.find((program) => program.name === name)!;
    const io = path.replace(/\.\w+$/, '.io.pt');
    await openModel(path);
    await page.getByRole('button', { name: 'Use the model of the file' }).click();
    await page.getByText('All keys matched').waitFor();
    await shoot(page, `carried-${name}`);
    await step(page, 'Run');
    await page.getByRole('radio', { name: 'Tensors' }).check({ force: true });
    await choose('Choose tensors', io);
    await page.getByLabel('Numbers').selectOption('input');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByText('[2, 4]', { exact: true }).waitFor();
    expectEqual(await rawOutputs(page), [
      ...(await numbers((await open(io)).root, 'output')).values,
    ]);
  },
);

test.skipIf(!oldPython || !torchvisionRoot())(
  'pictures reach a ResNet and PNet as torchvision prepares them',
  async () => {
    const weights = join(process.env.WEIGHTROOM_CORPUS ?? '', 'facenet/pnet.pt');
    const args = existsSync(weights) ? [folder, weights] : [folder];
    const judged = await runPython('tests/judge/pictures.py', args, { python: oldPython! });
    const expected = JSON.parse(judged) as { resnet: number[]; pnet: number[][] };
    const models = join(import.meta.dirname, '../fixtures/models');

    await openModel(join(folder, 'resnet.pt'), join(models, 'resnet.py'));
    const made = page.getByRole('option', { name: /^tiny_resnet / });
    await made.waitFor({ state: 'attached' });
    const label = (await made.textContent())!.trim();
    await page.getByLabel('Model', { exact: true }).selectOption({ label });
    await page.getByLabel('num_classes').fill('1000');
    await page.getByRole('button', { name: 'Build' }).click();
    await page.getByText('All keys matched').waitFor();
    await step(page, 'Run');
    await page.getByLabel('Preparation').selectOption('ImageNet, 256 and 224');
    await page.getByText('Steps', { exact: true }).click();
    await page.getByLabel('Size of the side').fill('72');
    await page.getByLabel('Centre crop').fill('64');
    await choose('Choose an image', join(folder, 'photo.png'));
    const top = page.getByRole('list', { name: 'Largest outputs' }).getByRole('listitem');
    await top.first().waitFor();
    await page.getByText('Class names are a guess from 1,000 outputs').waitFor();
    const shown = await rawOutputs(page);
    expectEqual(shown, expected.resnet.slice(0, shown.length));
    await shoot(page, 'picture-resnet');

    await openModel(join(folder, 'pnet.pt'), join(models, 'pnet.py'));
    await page.getByText('All keys matched').waitFor();
    await step(page, 'Run');
    await choose('Choose an image', join(folder, 'small.png'));
    await page.getByText('Raw output 0', { exact: true }).click();
    await page.getByText('Raw output 1', { exact: true }).click();
    for (const [index, values] of expected.pnet.entries()) {
      const region = page.getByRole('region', { name: `Raw output ${index}` });
      const cells = await region.locator('td.mono').allInnerTexts();
      expectEqual(cells.map(Number), values);
    }
    await shoot(page, 'picture-pnet');
  },
);

test('the lines of Python that the page gives make files that it compares with', async () => {
  await openSample(page, 'Handwritten digits');
  await step(page, 'Run');
  const lines = await page.getByRole('region', { name: 'Python' }).innerText();
  expect(lines.split('\n')).toHaveLength(6);
  await runPython('tests/judge/check.py', [folder], { input: lines });

  const panel = page.getByRole('region', { name: 'Check against PyTorch' });
  const rows = panel.getByRole('region', { name: 'Compared tensors' }).getByRole('row');
  const compare = async (name: string) => {
    await drop(page, [{ name, bytes: readFileSync(join(folder, name)) }]);
    const verdict = panel.locator('.verdict', { hasText: `tensors of ${name} compared` });
    await verdict.waitFor();
    await shoot(page, `check-${name}`);
    return verdict.innerText();
  };
  for (const [name, count] of [
    ['check.pt', 8],
    ['check.npz', 7],
  ] as const) {
    const verdict = await compare(name);
    expect(verdict).toContain(`${count} of ${count} tensors`);
    expect(Number(/error is ([\d.e-]+),/.exec(verdict)![1])).toBeLessThanOrEqual(1e-5);
    expect(await rows.count()).toBe(count + 1);
  }
  const [head, output, first] = await rows.allInnerTexts();
  expect([head, output, first].map((row) => row!.split('\t')[0])).toEqual([
    'Tensor',
    'output',
    'conv1',
  ]);
  expect(await compare('check_input.pt')).toContain('first module that differs is conv1');
  expect(await compare('check_layer.pt')).toContain('first module that differs is fc');
});
