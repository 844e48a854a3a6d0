/** What PyTorch made of a case, and by how much the lab's outputs differ from it. */
import { join, resolve } from 'node:path';
import { bind } from '#lib/architecture/binding.ts';
import type { ModuleTree } from '#lib/architecture/source.ts';
import type { Result } from '#lib/checkpoint/finding.ts';
import { toFloat32 } from '#lib/checkpoint/elements.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { isDict, isTensor, type Dict, type Value } from '#lib/checkpoint/value.ts';
import { Model } from '#lib/runtime/model.ts';
import * as tf from '#lib/runtime/tf.ts';
import type { InputSpec } from '#lib/worker/protocol.ts';
import { relativeError } from '../parity/lab.ts';
import { runPython } from '../python.ts';
import type { SourceCase } from './case.ts';

/** A file of the folder of files from elsewhere; empty where no folder is named. */
export function corpusFile(path: string): string {
  const corpus = process.env.WEIGHTROOM_CORPUS;
  return corpus ? resolve(corpus, path) : '';
}

/** The state_dict's entries of PyTorch's model. */
export type Entries = readonly (readonly [key: string, shape: readonly number[], dtype: string])[];

/**
 * Has PyTorch build and run a case; `file` gets its weights, inputs and outputs. `root` holds the
 * folder of the source; without it, what is installed is imported. Throws what PyTorch says.
 */
export async function judge(
  item: SourceCase,
  root: string | null,
  python: string,
  file: string,
): Promise<Entries> {
  const input = JSON.stringify({
    ...item,
    ...(item.weights && { weights: corpusFile(item.weights) }),
    file,
    root: root === null ? '' : join(root, item.folder),
  });
  const answer = await runPython('tests/judge/sources.py', [], { python, input });
  const { state, error } = JSON.parse(answer) as { state?: Entries; error?: string };
  if (!state) throw new Error(`PyTorch: ${error}`);
  return state;
}

/** The inputs of a case, as a trace takes them. */
export function inputSpecs({ inputs }: SourceCase): Omit<InputSpec, 'name'>[] {
  return inputs.map(({ shape, below }) => ({
    shape: [...shape],
    dtype: below === undefined ? 'float32' : 'int64',
  }));
}

export function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result;
  const { where, message } = result.findings[0]!;
  throw new Error(where ? `${where}: ${message}` : message);
}

/** The largest relative error of an output; `root` is what `judge` wrote. */
export async function largestError(
  module: ModuleTree,
  graph: Parameters<Model['forward']>[0],
  root: Value,
): Promise<number> {
  const state = (root as Dict).get('state') as Dict;
  const { matched } = bind(module.state, state);
  const model = await Model.load(
    module.state,
    new Map([...matched].map(([key, { tensor }]) => [key, tensor])),
  );
  const inputs: tf.Tensor[] = [];
  let outputs: tf.Tensor[] = [];
  try {
    for (const tensor of list(root, 'inputs')) inputs.push(await upload(tensor));
    outputs = model.forward(graph, inputs);
    const expected = list(root, 'outputs');
    if (outputs.length !== expected.length) {
      throw new Error(`${outputs.length} outputs, PyTorch gives ${expected.length}`);
    }
    let worst = 0;
    for (const [at, tensor] of expected.entries()) {
      const output = outputs[at]!;
      if (output.shape.join() !== tensor.shape.join()) {
        throw new Error(`output ${at} is [${output.shape}], PyTorch gives [${tensor.shape}]`);
      }
      const error = relativeError(
        await output.data(),
        toFloat32(await readTensor(tensor), tensor.dtype),
      );
      worst = Number.isNaN(error) ? error : Math.max(worst, error);
    }
    return worst;
  } finally {
    tf.dispose([...inputs, ...outputs]);
    model.dispose();
  }
}

function list(root: Value, key: string): Tensor[] {
  const value = isDict(root) ? root.get(key) : undefined;
  const isList = typeof value === 'object' && value?.kind === 'list';
  return isList ? value.items.filter(isTensor) : [];
}

async function upload(tensor: Tensor): Promise<tf.Tensor> {
  const values = toFloat32(await readTensor(tensor), tensor.dtype);
  const dtype = tensor.dtype === 'int64' ? 'int32' : 'float32';
  return tf.tensor(dtype === 'int32' ? Int32Array.from(values) : values, [...tensor.shape], dtype);
}
