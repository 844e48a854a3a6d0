/** What goes into a forward pass and what is shown of what comes out. */
import type { ModuleTree } from '#lib/architecture/source.ts';
import type { Finding } from '#lib/checkpoint/finding.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import { imageInput, plainRecipe } from '#lib/inputs/image.ts';
import { normal } from '#lib/inputs/random.ts';
import type { Example, RunInput, RunResult } from './protocol.ts';

/**
 * The size of one input that the first layer suggests: a vector for Linear, a picture for Conv2d;
 * and what of forward is not supported, where a trial of it says so.
 */
export function suggestShape(module: ModuleTree): { shape: number[] | null; findings: Finding[] } {
  const first = module.state.find(({ shape }) => shape.length === 2 || shape.length === 4);
  if (!first || module.inputs.length !== 1) return { shape: null, findings: [] };
  const [, size] = first.shape as [number, number];
  // A picture's channels are known, its size is not: the usual ones are tried.
  const shapes = first.shape.length === 2 ? [[size]] : SIDES.map((side) => [size, side, side]);
  const refused: Finding[] = [];
  for (const shape of shapes) {
    const traced = module.trace([{ shape: [1, ...shape], dtype: 'float32' }], { training: false });
    if (traced.ok) return { shape, findings: [] };
    refused.push(...traced.findings);
  }
  // A size that does not fit says nothing; an op that is missing would be for every size.
  const unsupported = refused.find(({ code }) => code === 'python-unsupported');
  return {
    shape: first.shape.length === 2 ? [size] : null,
    findings: unsupported ? [{ ...unsupported, severity: 'warning' }] : [],
  };
}

/** Sides of pictures that published models take. */
const SIDES = [28, 32, 64, 96, 128, 224, 256, 299];

/** One input of a kind that needs no data set. */
export async function makeExample(input: RunInput): Promise<Example> {
  switch (input.kind) {
    case 'random':
      return { label: null, shape: input.shape, values: normal(numel(input.shape), input.seed) };
    case 'image': {
      const { image, shape, invert } = input;
      return { label: null, ...(await imageInput(image, { ...plainRecipe(shape), invert })) };
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
