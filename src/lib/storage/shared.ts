/** Files that another app shared with this one: the service worker has put them into a cache. */

/** Also named in src/service-worker/index.ts, which imports nothing of the app. */
const SHARED = 'shared-files';

/** Takes them out; none where nothing was shared. */
export async function takeShared(): Promise<File[]> {
  if (!(await caches.has(SHARED))) return [];
  const cache = await caches.open(SHARED);
  const files = await Promise.all(
    (await cache.keys()).map(async (request) => {
      const response = await cache.match(request);
      const name = new URL(request.url).searchParams.get('name') ?? 'shared';
      return new File([await response!.blob()], name);
    }),
  );
  await caches.delete(SHARED);
  return files;
}
