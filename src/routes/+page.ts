import { asset } from '$app/paths';
import type { Sample } from '#lib/ui/samples.ts';

/** The index of the samples, fetched when the page is rendered and kept in it. */
export async function load({ fetch }): Promise<{ samples: Sample[] }> {
  const response = await fetch(asset('samples/samples.json'));
  return { samples: await response.json() };
}
