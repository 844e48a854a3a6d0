/**
 * The guide's chapters, gone through as a person would: on a wide window by the keyboard alone, on a
 * narrow one by touch. axe looks at each page in both themes, eyes at the pictures.
 */
import { readFileSync } from 'node:fs';
import type { Download, Locator, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { bytesSource } from '../../src/lib/file/source.ts';
import { openCheckpoint } from '../../src/lib/formats/index.ts';
import { tensorsIn } from '../../src/lib/inspect/walk.ts';
import { newFixtures } from '../fixtures/made.ts';
import { app } from './app.fixture.ts';
import { dropFewDigits, hostileFile, openPage, sampleFile, shoot, step } from './app.ts';
import { graveFindings, isTooWide } from './axe.ts';

/** A busy machine computes WebGPU slowly. */
const LONGEST = 300_000;
/** No page has as many things to go through. */
const MOST_TABS = 250;

/** How a person gets at things. */
interface Hand {
  go(page: string): Promise<void>;
  use(target: Locator): Promise<void>;
  write(field: Locator, text: string): Promise<void>;
  /** Chooses one of several. */
  pick(radio: Locator): Promise<void>;
  /** Chooses a row of a tree by its key. */
  row(tree: Locator, key: string): Promise<void>;
}

function touching(page: Page): Hand {
  return {
    go: (name) => (name === 'Guide' ? page.getByRole('link', { name }).tap() : step(page, name)),
    use: (target) => target.tap(),
    write: (field, text) => field.fill(text),
    pick: (radio) => radio.locator('..').tap(),
    row: (tree, key) => tree.getByRole('treeitem').filter({ hasText: key }).first().tap(),
  };
}

function typing(page: Page): Hand {
  const { keyboard } = page;
  const tabTo = async (target: Locator) => {
    await target.waitFor();
    for (let tabs = 0; tabs < MOST_TABS; tabs++) {
      if (await target.evaluate((it) => it === document.activeElement)) return;
      await keyboard.press('Tab');
    }
    throw new Error(`no Tab leads to ${target.toString()}`);
  };
  return {
    async go(name) {
      await keyboard.press('Control+k');
      await page.getByRole('dialog', { name: 'Commands' }).waitFor();
      await keyboard.type(`Go to ${name}`);
      await page.keyboard.press('Enter');
      const title = name === 'Open' ? 'Weightroom' : name;
      await page.waitForFunction((start) => document.title.startsWith(start), title);
    },
    async use(target) {
      await tabTo(target);
      await keyboard.press('Enter');
    },
    async write(field, text) {
      await tabTo(field);
      await keyboard.press('Control+a');
      await keyboard.type(text);
    },
    async pick(radio) {
      // Tab leads to the one that is chosen, arrows to the others.
      const group = page.getByRole('radiogroup').filter({ has: radio });
      await tabTo(group.getByRole('radio', { checked: true }));
      for (let arrows = 0; !(await radio.isChecked()) && arrows < MOST_TABS; arrows++) {
        await keyboard.press('ArrowRight');
      }
    },
    async row(tree, key) {
      await tree.getByRole('treeitem').filter({ hasText: key }).first().waitFor();
      await tabTo(tree);
      await keyboard.type(key);
    },
  };
}

/** Gives a file to a button that asks for one. */
async function choose(
  page: Page,
  work: () => Promise<void>,
  { name, bytes }: { name: string; bytes: Uint8Array },
): Promise<void> {
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), work()]);
  const mimeType = 'application/octet-stream';
  await chooser.setFiles([{ name, mimeType, buffer: Buffer.from(bytes) }]);
}

/** A checkpoint of a model in DataParallel. */
async function wrappedFile(): Promise<{ name: string; bytes: Uint8Array }> {
  const fixture = (await newFixtures()).find(({ name }) => name === 'data_parallel')!;
  return { name: 'wrapped.pt', bytes: readFileSync(fixture.path) };
}

/** The tensors of a file as `name dtype [shape]`. */
async function tensorsOf(bytes: Uint8Array, name: string): Promise<string[]> {
  const opened = await openCheckpoint(bytesSource(bytes, name));
  if (!opened.ok) throw new Error(opened.findings[0]!.message);
  return [...tensorsIn(opened.checkpoint.root)].map(
    ({ path, tensor }) => `${path} ${tensor.dtype} [${tensor.shape.join(', ')}]`,
  );
}

async function downloaded(page: Page, work: () => Promise<void>): Promise<Uint8Array> {
  const [download] = await Promise.all([page.waitForEvent('download'), work()]);
  return readFileSync(await (download as Download).path());
}

test.each([1440, 390])('the guide at %i px', { timeout: LONGEST }, async (width) => {
  const touch = width < 600;
  const context = await app.browser.newContext({
    ...{ reducedMotion: 'reduce', serviceWorkers: 'block' },
    viewport: { width, height: touch ? 844 : 900 },
    ...(touch && { hasTouch: true, isMobile: true }),
  });
  // The browser's own picker cannot be answered here; without it, pages ask by an input.
  await context.addInitScript(() => Reflect.deleteProperty(globalThis, 'showOpenFilePicker'));
  const { page, complaints } = await openPage(context, `${app.server.url}guide/#look-at-a-file`);
  const hand = touch ? touching(page) : typing(page);
  const found: string[] = [];
  const look = async (name: string) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await shoot(page, `story-${name}-${colorScheme}-${width}`);
      // The dark theme has only colours of its own.
      const rules = colorScheme === 'dark' ? ['color-contrast'] : undefined;
      found.push(...(await graveFindings(page, rules)).map((it) => `${name}: ${it}`));
    }
    if (await isTooWide(page)) found.push(`${name}: wider than the window`);
  };
  const button = (name: string | RegExp) => page.getByRole('button', { name, exact: true });

  // Look at a file.
  expect(await page.getByRole('heading', { name: 'Look at a file' }).isVisible()).toBe(true);
  await look('guide');
  await hand.use(button('Open the sample').first());
  await page.waitForFunction(() => document.title.startsWith('Checkpoint'));
  await hand.row(page.getByRole('tree'), 'conv1.weight');
  await page.getByRole('list', { name: 'First values' }).waitFor();
  await look('checkpoint');

  // Is it safe?
  await hand.go('Safety');
  await choose(page, () => hand.use(button('Scan another file')), await hostileFile());
  await page.getByRole('heading', { name: 'Loading this file can run code' }).waitFor();
  await page.getByRole('option').filter({ hasText: 'posix.system' }).waitFor();
  await look('safety');

  // Strip a prefix.
  await hand.go('Open');
  await choose(page, () => hand.use(button('Choose files')), await wrappedFile());
  await page.waitForFunction(() => document.title.startsWith('Checkpoint'));
  await hand.go('Edit');
  await hand.use(page.getByRole('button', { name: /^Strip module\. / }).first());
  await page.getByRole('option').filter({ hasText: 'module.' }).first().waitFor();
  await look('edit');
  await hand.pick(page.getByRole('radio', { name: 'PyTorch .pt' }));
  const stripped = await downloaded(page, () => hand.use(button('Download')));
  const wrapped = await tensorsOf((await wrappedFile()).bytes, 'wrapped.pt');
  expect(wrapped.length).toBeGreaterThan(0);
  expect(await tensorsOf(stripped, 'stripped.pt')).toEqual(
    wrapped.map((line) => line.replace('module.', '')),
  );
  await page.getByText('read back and verified').waitFor();
  await look('edit-written');

  // Convert to safetensors.
  await hand.pick(page.getByRole('radio', { name: 'safetensors' }));
  const converted = await downloaded(page, () => hand.use(button('Download')));
  expect((await tensorsOf(converted, 'a.safetensors')).length).toBe(wrapped.length);

  // Compare two.
  await hand.go('Compare');
  await choose(page, () => hand.use(button('Choose file')), {
    ...{ name: 'stripped.pt', bytes: stripped },
  });
  await page.getByText(`All ${wrapped.length} tensors are equal, bit for bit.`).waitFor();
  await look('compare');

  // Run it.
  await hand.go('Guide');
  await hand.use(button('Open the sample').first());
  await page.waitForFunction(() => document.title.startsWith('Checkpoint'));
  await hand.go('Model');
  await page.getByText('All keys matched').waitFor();
  await hand.go('Run');
  await hand.use(button('Run'));
  await page.getByRole('list', { name: 'Largest outputs' }).waitFor();
  await look('run');

  // Fine-tune it.
  await dropFewDigits(page);
  await hand.go('Train');
  await hand.write(page.getByLabel('Epochs', { exact: true }), '1');
  await hand.write(page.getByLabel('Batch size'), '16');
  await hand.use(button('Start training'));
  const progress = page.getByRole('region', { name: 'Progress' });
  await progress.getByText('Done', { exact: true }).waitFor({ timeout: LONGEST });
  await look('train');

  // Go back to PyTorch.
  await hand.go('Save');
  const saved = await downloaded(page, () => hand.use(button('Download')));
  await page.getByText('Load it in PyTorch').waitFor();
  await look('save');
  const { name, bytes } = sampleFile('digits/last.pth');
  expect(await tensorsOf(saved, 'saved.pt')).toEqual(await tensorsOf(bytes, name));

  expect(found).toEqual([]);
  expect(complaints).toEqual([]);
  await context.close();
});
