/** What parity tests do with the lab: open a file, build its model, put both on a backend. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { bind, findStateDicts } from '#lib/architecture/binding.ts';
import { readSource, type ModuleTree } from '#lib/architecture/source.ts';
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import type { Result } from '#lib/checkpoint/finding.ts';
import { toFloat32 } from '#lib/checkpoint/elements.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { isDict, isTensor, type Value } from '#lib/checkpoint/value.ts';
import { bytesSource } from '#lib/file/source.ts';
import type { FolderFile } from '#lib/formats/folder.files.ts';
import { openFolder } from '#lib/formats/folder.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import { startBackend, type Backend, type BackendName } from '#lib/runtime/backend.ts';
import { Model } from '#lib/runtime/model.ts';
import type { BoundModel } from '#lib/worker/trained.ts';
import { installWebGPU } from '../dawn.ts';

/** The backends that numbers are compared on: WebGPU (Dawn in Node), and the fallback. */
export const backends: readonly BackendName[] = ['cpu', 'webgpu'];

/** Makes a backend the current one. */
export async function useBackend(name: BackendName): Promise<Backend> {
  if (name === 'webgpu') {
    const problem = await installWebGPU();
    if (problem) throw new Error(problem);
  }
  return startBackend([name]);
}

/** Opens a file, or the checkpoint in a folder. */
export async function open(path: string): Promise<Checkpoint> {
  const name = basename(path);
  const result = statSync(path).isDirectory()
    ? openFolder(name, filesOf(path))
    : openCheckpoint(bytesSource(new Uint8Array(readFileSync(path)), name));
  return unwrap(await result).checkpoint;
}

/** The files of a folder. */
export function filesOf(path: string): FolderFile[] {
  return readdirSync(path).map((name) => ({
    path: name,
    source: bytesSource(readFileSync(join(path, name)), name),
  }));
}

export function unwrap<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.findings[0]!.message);
  return result;
}

/** Builds `candidate` of a source file and binds it to the checkpoint's likeliest state_dict. */
export function buildModel(
  checkpoint: Checkpoint,
  source: string,
  candidate: string,
  args: Record<string, Value> = {},
): BoundModel {
  const files = [{ name: basename(source), text: readFileSync(source, 'utf8') }];
  const built = unwrap(readSource(files)).source.build(candidate, new Map(Object.entries(args)));
  const module: ModuleTree = unwrap(built).module;
  const stateDict = findStateDicts(checkpoint.root)[0]!;
  return { module, stateDict, binding: bind(module.state, stateDict.dict) };
}

export function upload({ module, binding }: BoundModel): Promise<Model> {
  const tensors = new Map([...binding.matched].map(([key, { tensor }]) => [key, tensor]));
  return Model.load(module.state, tensors);
}

/** A tensor of a dict as float32 numbers with its shape. */
export async function numbers(root: Value, key: string) {
  const tensor = isDict(root) ? root.get(key) : undefined;
  if (!isTensor(tensor)) throw new Error(`no tensor ${key}`);
  return { shape: [...tensor.shape], values: toFloat32(await readTensor(tensor), tensor.dtype) };
}

/** max |difference| over max |reference|; 0 where both are all zero. */
export function relativeError(values: ArrayLike<number>, reference: ArrayLike<number>): number {
  if (values.length !== reference.length) {
    throw new Error(`${values.length} numbers against ${reference.length}`);
  }
  let difference = 0;
  let largest = 0;
  for (let at = 0; at < reference.length; at++) {
    const distance = Math.abs(values[at]! - reference[at]!);
    difference = distance > difference || Number.isNaN(distance) ? distance : difference;
    largest = Math.max(largest, Math.abs(reference[at]!));
  }
  return difference === 0 ? 0 : difference / largest;
}
