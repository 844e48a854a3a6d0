/** Everything by the keyboard: the palette, the list of shortcuts, the keys of pages. */
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { app } from './app.fixture.ts';
import { openPage, type WatchedPage } from './app.ts';

let watched: WatchedPage;
let page: Page;
beforeAll(async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  watched = await openPage(context, app.server.url);
  ({ page } = watched);
});

const palette = () => page.getByRole('dialog', { name: 'Commands' });
const title = (start: string) =>
  page.waitForFunction((text) => document.title.startsWith(text), start);
const grave = async () => {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
};

test('a sample is opened and the theme is changed without a mouse', async () => {
  await page.keyboard.press('Control+k');
  await palette().waitFor();
  expect(await grave()).toEqual([]);
  await page.keyboard.type('layer linear');
  const active = palette().getByRole('option', { selected: true });
  expect(await active.innerText()).toContain('Open sample: One linear layer');
  await page.keyboard.press('Enter');
  await title('Checkpoint');
  expect(await palette().count()).toBe(0);

  await page.keyboard.press('Control+k');
  await page.keyboard.type('dark');
  await page.keyboard.press('Enter');
  expect(await page.locator('html').getAttribute('data-theme')).toBe('dark');

  // The recent ones come first, the last one on top.
  await page.keyboard.press('Control+k');
  const first = palette().getByRole('group').first();
  expect((await first.innerText()).split('\n').slice(0, 3)).toEqual([
    'Recent',
    'Dark theme',
    'Open sample: One linear layer',
  ]);
  await page.keyboard.press('ArrowDown');
  expect(await active.innerText()).toContain('Open sample');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp'); // around to the end
  expect(await active.innerText()).toContain('All commands');
  await page.keyboard.type('no such thing');
  await palette().getByText('No command for “no such thing”').first().waitFor();
  await page.keyboard.press('Escape');
  expect(await palette().count()).toBe(0);
});

test('one key after the other goes to a page, and never out of a field', async () => {
  await page.keyboard.press('g');
  await page.keyboard.press('s');
  await title('Save');
  const name = page.getByRole('textbox').first();
  const before = await name.inputValue();
  await name.focus();
  await page.keyboard.type('gc?');
  expect(await name.inputValue()).toContain('gc?');
  expect(await name.inputValue()).not.toBe(before);
  await title('Save');
  // What types nothing works there, too, and the focus comes back.
  await page.keyboard.press('Control+k');
  await palette().waitFor();
  await page.keyboard.press('Escape');
  expect(await name.evaluate((it) => it === document.activeElement)).toBe(true);
  await name.blur();
  await page.keyboard.press('g');
  await page.keyboard.press('c');
  await title('Checkpoint');
});

test('the list of shortcuts shows them, each once, and switches single keys off', async () => {
  await page.keyboard.press('?');
  const list = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await list.waitFor();
  expect(await grave()).toEqual([]);
  const shown = await list.locator('.keys').allInnerTexts();
  expect(shown.length).toBeGreaterThan(12);
  expect(new Set(shown).size).toBe(shown.length);
  const switched = list.getByRole('checkbox', { name: /single keys/ });
  await switched.uncheck();
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  expect(await list.count()).toBe(0);
  await page.keyboard.press('Control+k');
  await page.keyboard.type('shortcuts');
  await page.keyboard.press('Enter');
  await switched.check();
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await list.waitFor();
  await page.keyboard.press('Escape');
});

test('what a page can do is in the palette while that page is shown', async () => {
  const options = async (typed: string) => {
    await page.keyboard.press('Control+k');
    await page.keyboard.type(typed);
    return (await palette().getByRole('option').allInnerTexts()).join('\n');
  };
  expect(await options('opcodes')).not.toContain('Show the opcodes');
  await page.keyboard.press('Escape');
  await page.keyboard.press('g');
  await page.keyboard.press('f');
  await page.getByRole('region', { name: 'Verdict' }).waitFor();
  expect(await options('opcodes')).toContain('Show the opcodes of the pickle');
  await page.keyboard.press('Enter');
  await page.getByRole('listbox', { name: /^Opcodes of/ }).waitFor();

  await page.keyboard.press('g');
  await page.keyboard.press('r');
  const index = page.getByRole('spinbutton', { name: 'Example' });
  await index.waitFor();
  expect(await options('next example')).toContain('Next example');
  await page.keyboard.press('Enter');
  expect(await index.inputValue()).toBe('1');
  // Where a file is to be chosen, the browser asks for it.
  const asked = page.waitForEvent('filechooser');
  expect(await options('check against')).toContain('Check against PyTorch…');
  await page.keyboard.press('Enter');
  expect((await asked).isMultiple()).toBe(false);
  await page.keyboard.press('g');
  await page.keyboard.press('c');
  await title('Checkpoint');
});

test('the steps are in view at every width', async () => {
  const nav = page.getByRole('navigation', { name: 'Steps' });
  for (const width of [360, 820, 1440, 3840]) {
    await page.setViewportSize({ width, height: 800 });
    for (const name of ['Save', 'Open', 'Train']) {
      await nav.getByRole('link', { name }).click();
      await title(name === 'Open' ? 'Weightroom' : name);
      const current = nav.locator('[aria-current]');
      await expect
        .poll(async () => {
          const [link, bar] = [(await current.boundingBox())!, (await nav.boundingBox())!];
          return link.x >= bar.x - 1 && link.x + link.width <= bar.x + bar.width + 1;
        })
        .toBe(true);
    }
    const { scroll, client, height } = await page.evaluate(() => ({
      scroll: document.documentElement.scrollWidth,
      client: document.documentElement.clientWidth,
      height: document.querySelector('header')!.getBoundingClientRect().height,
    }));
    expect(scroll).toBe(client);
    expect(height).toBeLessThan(82);
  }
  expect(watched.complaints).toEqual([]);
});
