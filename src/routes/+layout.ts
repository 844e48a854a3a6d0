import { asset } from '$app/paths';
import type { Sample } from '#lib/ui/samples.ts';

export const prerender = true;
/** `checkpoint/index.html` is found by every static host; `checkpoint.html` is not. */
export const trailingSlash = 'always';

/** The index of the samples, fetched when a page is rendered and kept in it. */
export async function load({ fetch }): Promise<{ samples: Sample[] }> {
  const response = await fetch(asset('samples/samples.json'));
  return { samples: await response.json() };
}
