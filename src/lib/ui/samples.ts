import { asset } from '$app/paths';
import type { AssetPath } from '$app/types';
import { words } from './words.ts';

/** One entry of public/samples/samples.json. */
export interface Sample {
  id: string;
  title: string;
  description: string;
  /** Text models need no data: their vocabulary lies in the checkpoint. */
  files: { checkpoint: string; source: string; data?: string };
  sizes: { checkpoint: number; source: number; data?: number };
  candidate: string;
  input:
    | { kind: 'image' | 'vector'; shape: number[]; scale?: string }
    | { kind: 'text'; prompt: string };
  classes?: string[];
  origin: string;
  licence: string;
}

/** A file of public/samples/ by its path there. */
export async function fetchSampleFile(path: string, signal?: AbortSignal): Promise<File> {
  const response = await fetch(asset(`samples/${path}` as AssetPath), { signal });
  if (!response.ok) {
    throw new Error(words.sample.unfetched(path, response.status));
  }
  return new File([await response.blob()], path.split('/').at(-1) ?? path);
}
