/**
 * Keeps the whole app, its samples included, so that it works without a network from the first
 * visit on. Each version has a cache of its own; a page is served from one version only. A new
 * version waits until no page needs the old one, or until the person asks for it.
 */
import { version } from '$app/env';
import { assets, immutable, prerendered } from '$app/manifest';
import { self } from '$app/service-worker';

const prefix = 'weightroom-';
const cacheName = `${prefix}${version}`;
/** The folder that the app is served from, with its closing slash. */
const scope = new URL(self.registration.scope);
const files = [...immutable, ...assets, ...prerendered].map(({ path }) =>
  new URL(path.replace(/^\//, ''), scope).href.replace(/#.*$/, ''),
);
const kept = new Set(files);

self.addEventListener('install', (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(cacheName);
      // Past the browser's own cache, so that one version's files belong together.
      await cache.addAll(files.map((file) => new Request(file, { cache: 'reload' })));
    })(),
  );
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) {
        if (name.startsWith(prefix) && name !== cacheName) await caches.delete(name);
      }
      await self.clients.claim();
    })(),
  );
});

self.addEventListener('message', (event) => {
  if (event.data === 'take over') void self.skipWaiting();
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const file = request.method === 'GET' ? keptFile(request) : undefined;
  if (file === undefined) return;
  event.respondWith(
    (async () => (await (await caches.open(cacheName)).match(file)) ?? fetch(request))(),
  );
});

/** The kept file that answers a request: pages with or without their slash, query and `.html`. */
function keptFile(request: Request): string | undefined {
  const url = new URL(request.url);
  url.search = '';
  url.hash = '';
  if (kept.has(url.href)) return url.href;
  if (request.mode !== 'navigate' || url.origin !== scope.origin) return undefined;
  const page = url.href.replace(/index\.html$/, '').replace(/\/?$/, '/');
  return kept.has(page) ? page : undefined;
}
