/** The app, up before a file's tests and down after them; of a test that fails, what its pages show. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { launch, serveBuild, shoot, type StaticServer } from './app.ts';

/** Set once the tests run, not while the file is read. */
export const app = {} as { server: StaticServer; browser: Browser };

beforeAll(async () => {
  app.server = await serveBuild();
  app.browser = await launch();
});
afterEach(async ({ task }) => {
  if (task.result?.state !== 'fail') return;
  const pages = app.browser?.contexts().flatMap((context) => context.pages()) ?? [];
  for (const [at, page] of pages.entries()) await tell(page, `failed-${task.id}-${at}`);
});
afterAll(async () => {
  await app.browser?.close();
  await app.server?.close();
});

/** A log is often all there is of a failure elsewhere, and a page may not answer any more. */
async function tell(page: Page, name: string): Promise<void> {
  try {
    const text = await page.locator('body').innerText({ timeout: 5000 });
    console.error(`${page.url()} shows:\n${text.slice(0, 4000)}`);
    await shoot(page, name);
  } catch (error) {
    console.error(`${page.url()} shows nothing: ${String(error)}`);
  }
}
