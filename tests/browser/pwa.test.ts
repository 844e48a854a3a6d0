/** The installed app: its manifest, files that the system opens or shares with it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { app } from './app.fixture.ts';
import { buildFolder, openPage, sampleFile } from './app.ts';

const linear = Buffer.from(sampleFile('linear/linear.pth').bytes).toString('base64');

test('the manifest names the files that it opens', () => {
  const manifest = JSON.parse(readFileSync(join(buildFolder, 'manifest.webmanifest'), 'utf8'));
  const [handler] = manifest.file_handlers;
  expect(Object.values(handler.accept).flat()).toEqual(
    expect.arrayContaining(['.pt', '.pth', '.bin', '.ckpt', '.safetensors', '.npz', '.gguf']),
  );
  for (const { url } of manifest.shortcuts) {
    expect(() => readFileSync(join(buildFolder, url, 'index.html'))).not.toThrow();
  }
});

test('the manifest shows the app wide and narrow, in pictures of the sizes that it says', () => {
  const manifest = JSON.parse(readFileSync(join(buildFolder, 'manifest.webmanifest'), 'utf8'));
  const shown = manifest.screenshots.map(({ form_factor: form }: { form_factor: string }) => form);
  expect(shown).toEqual(['wide', 'narrow']);
  for (const { src, sizes } of manifest.screenshots) {
    const jpeg = readFileSync(join(buildFolder, src));
    const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0])); // SOF0: length, precision, height, width
    expect(`${jpeg.readUInt16BE(frame + 7)}x${jpeg.readUInt16BE(frame + 5)}`).toBe(sizes);
  }
});

test('a file that the system starts the app with is opened', async () => {
  const context = await app.browser.newContext({ serviceWorkers: 'block' });
  await context.addInitScript((base64) => {
    const launchQueue = {
      async setConsumer(take: (launch: { files: FileSystemHandle[] }) => void) {
        const root = await navigator.storage.getDirectory();
        const handle = await root.getFileHandle('launched.pth', { create: true });
        const file = await handle.createWritable();
        await file.write(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
        await file.close();
        take({ files: [handle] });
      },
    };
    Object.defineProperty(window, 'launchQueue', { value: launchQueue });
  }, linear);
  const { page, complaints } = await openPage(context, app.server.url);
  await page.getByRole('heading', { level: 1, name: 'launched.pth' }).waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});

test('a file that another app shares is opened, and posted to nobody', async () => {
  const context = await app.browser.newContext();
  const { page } = await openPage(context, app.server.url);
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    while (!navigator.serviceWorker.controller) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  const status = await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const body = new FormData();
    body.append('files', new File([bytes], 'shared file.pth'));
    return (await fetch('share', { method: 'POST', body })).status;
  }, linear);
  // The server knows no such address, and would have answered 404.
  expect(status).toBe(200);
  await page.goto(`${app.server.url}?shared`);
  await page.getByRole('heading', { level: 1, name: 'shared file.pth' }).waitFor();
  expect(await page.evaluate(() => caches.has('shared-files'))).toBe(false);
  await context.close();
});
