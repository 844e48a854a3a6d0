/** The app, up before a file's tests and down after them. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { launch, serveBuild, type StaticServer } from './app.ts';

/** Set once the tests run, not while the file is read. */
export const app = {} as { server: StaticServer; browser: Browser };

beforeAll(async () => {
  app.server = await serveBuild();
  app.browser = await launch();
});
afterAll(async () => {
  await app.browser?.close();
  await app.server?.close();
});
