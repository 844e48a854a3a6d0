/** What goes into a forward pass and what is shown of what comes out. */
import type { ModuleTree } from '#lib/architecture/source.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import { imageInput } from '#lib/inputs/image.ts';
import { normal } from '#lib/inputs/random.ts';
import type { Example, RunInput, RunResult } from './protocol.ts';

/** Input sizes that the first layer suggests: a vector for Linear, a picture for Conv2d. */
export function suggestShape(module: ModuleTree): number[] | null {
  const first = module.state.find(({ shape }) => shape.length === 2 || shape.length === 4);
  if (!first || module.inputs.length !== 1) return null;
  const [, size] = first.shape as [number, number];
  if (first.shape.length === 2) return [size];
  // The channels are known, the picture's size is not: the usual ones are tried.
  for (const side of [28, 32, 64, 96, 128, 224, 256, 299]) {
    const traced = module.trace([{ shape: [1, size, side, side], dtype: 'float32' }], {
      training: false,
    });
    if (traced.ok) return [size, side, side];
  }
  return null;
}

/** One input of a kind that needs no data set. */
export async function makeExample(input: RunInput): Promise<Example> {
  switch (input.kind) {
    case 'random':
      return { label: null, shape: input.shape, values: normal(numel(input.shape), input.seed) };
    case 'image': {
      const { image, shape, invert } = input;
      return { label: null, shape, values: await imageInput(image, shape, { invert }) };
    }
    case 'example':
      throw new Error('run: no such example');
    default:
      return input satisfies never;
  }
}

/** The largest outputs, with a softmax over all of them. */
export function largest(values: Float32Array, top: number): RunResult['top'] {
  const highest = values.reduce((most, value) => Math.max(most, value), -Infinity);
  const total = values.reduce((sum, value) => sum + Math.exp(value - highest), 0);
  return [...values]
    .map((value, index) => ({ index, value, probability: Math.exp(value - highest) / total }))
    .sort((a, b) => b.value - a.value)
    .slice(0, top);
}
