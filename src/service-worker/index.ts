/**
 * Keeps the whole app, its samples included, so that it works without a network from the first
 * visit on. Each version has a cache of its own; a page is served from one version only. A new
 * version waits until no page needs the old one, or until the person asks for it.
 */
import { version } from '$app/env';
import { assets, immutable, prerendered } from '$app/manifest';
import { self } from '$app/service-worker';
import workerFiles from 'virtual:worker-files';

const prefix = 'weightroom-';
const cacheName = `${prefix}${version}`;
/** The folder that the app is served from, with its closing slash. */
const scope = new URL(self.registration.scope);

/** Where the system posts files that another app shares: see manifest.webmanifest. */
const shareTarget = new URL('share', scope).href;
/** Also named in src/lib/storage/shared.ts. */
const sharedFiles = 'shared-files';

/** A set: what a page fetched while it was rendered is listed twice, and `addAll` takes it once. */
const kept = new Set(
  [...[...immutable, ...assets, ...prerendered].map(({ path }) => path), ...workerFiles]
    .filter((path) => !path.includes('screenshots/')) // for a store's page, not for ours
    .map((path) => new URL(path.replace(/^\//, ''), scope).href),
);

self.addEventListener('install', (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(cacheName);
      // Past the browser's own cache, so that one version's files belong together.
      await cache.addAll(Array.from(kept, (file) => new Request(file, { cache: 'reload' })));
    })(),
  );
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      // Other tabs still show the version before, and load parts of it when they need them.
      const tabs = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
      const before = (await caches.keys()).filter(
        (name) => name.startsWith(prefix) && name !== cacheName,
      );
      const gone = tabs.length > 1 ? before.slice(0, -1) : before;
      await Promise.all(gone.map((name) => caches.delete(name)));
      await self.clients.claim();
    })(),
  );
});

self.addEventListener('message', (event) => {
  if (event.data === 'take over') void self.skipWaiting();
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method === 'POST' && request.url === shareTarget) {
    event.respondWith(takeShared(request));
    return;
  }
  if (request.method !== 'GET') return;
  const url = new URL(request.url);
  url.search = '';
  url.hash = '';
  if (kept.has(url.href)) event.respondWith(answer(url.href, request));
  else if (request.mode === 'navigate') {
    // Pages refer to their files relatively, so they are shown at their own address only.
    const page = url.href.replace(/index\.html$/, '').replace(/\/?$/, '/');
    if (kept.has(page)) event.respondWith(Response.redirect(page));
  } else if (url.href.startsWith(scope.href)) {
    event.respondWith(answerBefore(url.href, request));
  }
});

/** Keeps what another app shares until the page takes it; it never leaves the device. */
async function takeShared(request: Request): Promise<Response> {
  const shared = await request.formData();
  await caches.delete(sharedFiles);
  const cache = await caches.open(sharedFiles);
  for (const [index, file] of shared.getAll('files').entries()) {
    if (!(file instanceof File)) continue;
    const name = encodeURIComponent(file.name);
    await cache.put(new URL(`shared/${index}?name=${name}`, scope), new Response(file));
  }
  return Response.redirect(new URL('./?shared', scope), 303);
}

async function answer(file: string, request: Request): Promise<Response> {
  const cache = await caches.open(cacheName);
  return (await cache.match(file)) ?? fetch(request);
}

/** A part of the version before, for a tab that still shows it. */
async function answerBefore(file: string, request: Request): Promise<Response> {
  return (await caches.match(file)) ?? fetch(request);
}
