/** What tests of the Edit page do there, as a person does. */
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { app } from './app.fixture.ts';
import { drop, openPage, step } from './app.ts';

export const edits = (page: Page): Locator =>
  page.getByRole('list', { name: 'Edits' }).getByRole('listitem');
export const preview = (page: Page): Locator => page.getByRole('region', { name: 'Preview' });

/** The Edit page with a checkpoint. */
export async function openEditor(file: {
  name: string;
  bytes: Uint8Array;
}): Promise<{ page: Page; complaints: string[]; close(): Promise<void> }> {
  const context = await app.browser.newContext({ serviceWorkers: 'block', acceptDownloads: true });
  const { page, complaints } = await openPage(context, app.server.url);
  await step(page, 'Edit');
  await drop(page, [file]);
  await preview(page).waitFor();
  return { page, complaints, close: () => context.close() };
}

/** Adds an edit by its button in the menu. */
export async function add(page: Page, name: string | RegExp): Promise<void> {
  const menu = page.locator('details', { has: page.getByText('Add an edit', { exact: true }) });
  if ((await menu.getAttribute('open')) === null) await menu.locator('summary').click();
  await page.getByRole('button', { name }).click();
}

/** Downloads the result into a folder; gives its path there. */
export async function downloadResult(page: Page, folder: string, as?: string): Promise<string> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: /^Download( as \.zip)?$/ }).click(),
  ]);
  await page.getByText('read back and verified').waitFor();
  const path = join(folder, as ?? download.suggestedFilename());
  await download.saveAs(path);
  return path;
}
