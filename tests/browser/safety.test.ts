/** The Safety page: what is said of files that mean harm, that do not open, that are only looked into. */
import { readFileSync } from 'node:fs';
import type { Locator, Page } from 'playwright-core';
import { beforeEach, expect, test } from 'vitest';
import { app } from './app.fixture.ts';
import { fixturesOf } from '../fixtures/made.ts';
import { drop, hostileFile, openPage, openSample, sampleFile, shoot, step } from './app.ts';

interface Twin {
  kind: string;
  sources?: { name: string; text: string }[];
}

const looks = [
  ['light', 390],
  ['dark', 390],
  ['light', 1440],
  ['dark', 1440],
] as const;

let page: Page;
beforeEach(async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  const watched = await openPage(context, app.server.url);
  ({ page } = watched);
  return async () => {
    expect(watched.complaints).toEqual([]);
    await context.close();
  };
});

const verdict = () => page.getByRole('region', { name: 'Verdict' });
const background = () =>
  verdict().evaluate((element) => getComputedStyle(element).getPropertyValue('--tone'));

test('a hostile file: verdict, calls with their arguments, opcodes, the report as JSON', async () => {
  await drop(page, [await hostileFile()]);
  await page.getByRole('heading', { level: 1, name: 'hostile.pt' }).waitFor();
  await page.getByRole('link', { name: 'Safety report' }).click();
  await verdict().getByText('Loading this file can run code').waitFor();
  const red = await background();
  const pickle = page.getByRole('region', { name: /^Pickle .*data\.pkl$/ });
  const names = await pickle.getByRole('region', { name: 'Names' }).innerText();
  expect(names).toMatch(/posix\.system\s+runs code\s+1/);
  const call = pickle.getByRole('option').filter({ hasText: 'posix.system' });
  expect(await call.innerText()).toContain("('echo a file ran a command',)");
  await pickle.getByRole('button', { name: 'Opcodes' }).click();
  await pickle.getByRole('listbox').focus();
  await page.keyboard.press('End');
  await pickle.getByRole('option', { selected: true }).filter({ hasText: 'STOP' }).waitFor();
  await page.getByRole('region', { name: 'Records' }).getByText('archive/version').waitFor();

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save report (JSON)' }).click(),
  ]);
  const report = JSON.parse(readFileSync(await download.path(), 'utf8')) as {
    verdict: string;
    pickles: { made: { name: string; arguments: string }[] }[];
  };
  expect(report.verdict).toBe('refused');
  expect(report.pickles[0]!.made).toContainEqual(
    expect.objectContaining({ name: 'posix.system', arguments: "('echo a file ran a command',)" }),
  );

  await page.getByRole('button', { name: 'Rewrite as a file that PyTorch accepts' }).click();
  await page.waitForFunction(() => document.title.startsWith('Save'));
  await page.getByRole('radio', { name: /plain/, checked: true }).waitFor();
  await step(page, 'Safety');

  await drop(page, [sampleFile('mlp/mlp.pt')]);
  await verdict().getByText('PyTorch loads this file').waitFor();
  expect(await background()).not.toBe(red);
});

test('a model from before 1.6 shows the sources that it carries, as text', async () => {
  const parts = ['tests/judge/describe.py'];
  const twins = await fixturesOf<Twin>('tests/fixtures/containers.py', { parts });
  const { path, sources } = twins.find(({ kind }) => kind === 'module-legacy')!;
  const { name, text } = sources!.find(({ text }) => text.includes('def __init__'))!;
  await step(page, 'Safety');
  await drop(page, [{ name: 'model.pth', bytes: readFileSync(path) }]);
  await verdict().getByText('PyTorch refuses this file').waitFor();
  const list = page.getByRole('region', { name: 'Python sources' });
  expect(await list.getByRole('listitem').count()).toBe(sources!.length);
  const row = list.getByRole('listitem').filter({ hasText: name });
  expect(await row.innerText()).toContain(`${text.trimEnd().split('\n').length} lines`);
  await row.getByText(name, { exact: true }).click();
  expect(await sourceText(row, name)).toBe(text);
  expect(await row.getByRole('button', { name: 'Copy the source' }).count()).toBe(1);
  await list.scrollIntoViewIfNeeded();
  for (const [scheme, width] of looks) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 900 });
    await list.scrollIntoViewIfNeeded();
    await shoot(page, `safety-sources-${scheme}-${width}`);
  }
});

/** What the read-only editor of a class shows. */
async function sourceText(within: Locator, name: string): Promise<string> {
  const shown = within.getByRole('textbox', { name: `Source of ${name}` });
  await shown.getByText(/./).first().waitFor();
  expect(await shown.getAttribute('aria-readonly')).toBe('true');
  return (await shown.locator('.cm-line').allTextContents()).join('\n');
}

test('a source that would be markup is text', async () => {
  const markup = '<img src=x onerror="document.title = 1">\u202e';
  const texts = ['module', 'net.py', markup].map((it) => {
    const bytes = Buffer.from(it);
    return Buffer.concat([Buffer.of(0x58, bytes.length, 0, 0, 0), bytes]);
  });
  const [head, name, tail] = ['\x80\x02(', 'c__main__\nNet\n', 'tQ.'].map((it) =>
    Buffer.from(it, 'latin1'),
  );
  const bytes = Buffer.concat([head!, texts[0]!, name!, texts[1]!, texts[2]!, tail!]);
  await step(page, 'Safety');
  await drop(page, [{ name: 'net.pkl', bytes }]);
  const list = page.getByRole('region', { name: 'Python sources' });
  await list.getByText('__main__.Net').click();
  expect(await sourceText(list, '__main__.Net')).toBe(
    '<img src=x onerror="document.title = 1">\\u202e',
  );
  expect(await list.locator('img').count()).toBe(0);
});

test('a file that does not open is looked into from its problem, and is never green', async () => {
  const bytes = sampleFile('digits/last.pth').bytes.slice(0, 9000);
  await drop(page, [{ name: 'cut.pt', bytes }]);
  const problem = page.locator('.problem').filter({ hasText: 'Could not open cut.pt' });
  await problem.getByRole('button', { name: 'Look into the file' }).click();
  await page.getByRole('heading', { level: 1, name: 'cut.pt' }).waitFor();
  await verdict().getByText('nothing can be promised', { exact: false }).first().waitFor();
  expect(await verdict().getAttribute('class')).toContain('tone-doubt');
});

test('what is dropped on the page is looked into, and what is open stays open', async () => {
  await openSample(page, 'One linear layer');
  await step(page, 'Safety');
  await verdict().getByText('PyTorch loads this file').waitFor();
  expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('linear.pth');
  const bytes = Buffer.concat([Buffer.of(0x80, 2), Buffer.from('cev\u202eil\nrun\n)R.')]);
  await drop(page, [{ name: 'other.pkl', bytes }]);
  await verdict().getByText('PyTorch refuses this file').waitFor();
  const names = page.getByRole('region', { name: 'Names' });
  expect(await names.innerText()).toContain('ev\\u202eil.run');
  await page.getByRole('button', { name: 'linear.pth' }).click();
  await verdict().getByText('PyTorch loads this file').waitFor();
  await step(page, 'Checkpoint');
  expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('linear.pth');
});
