/** Tensors of a file that a person brings for its numbers: inputs, targets, outputs to compare. */
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { isDict, isTensor, type Value } from '#lib/checkpoint/value.ts';
import { blobSource } from '#lib/file/source.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import { DANGEROUS } from '#lib/formats/torch.safety.ts';

/** A file from a disk, or bytes with a name. */
export type NamedBlob = Blob & { readonly name: string };

/** Opens a file for its tensors. Throws where it means harm: data is for use. */
export async function openForUse(file: NamedBlob, signal?: AbortSignal): Promise<Value> {
  const result = await openCheckpoint(blobSource(file, file.name), signal);
  if (!result.ok) throw new FindingError(result.findings[0]!);
  const harm = result.checkpoint.findings.find(({ code }) => code === DANGEROUS);
  if (harm) throw new FindingError(harm);
  return result.checkpoint.root;
}

/** Every tensor at the top of a file, or one dict or list below, by how it is reached. */
export function namedTensors(root: Value): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  const add = (value: Value, name: string, depth: number) => {
    if (isTensor(value)) found.set(name || 'tensor', value);
    else if (depth < 2) {
      for (const [key, item] of entriesOf(value))
        add(item, name ? `${name}.${key}` : key, depth + 1);
    }
  };
  add(root, '', 0);
  return found;
}

/** Items of a dict or list with their names; nothing for any other value. */
export function entriesOf(value: Value | undefined): [string, Value][] {
  if (isDict(value)) return [...value.entries()].map(([key, item]) => [String(key), item]);
  if (typeof value !== 'object' || value === null) return [];
  if (value.kind !== 'list' && value.kind !== 'tuple') return [];
  return value.items.map((item, at) => [String(at), item]);
}
