import { expect, it } from 'vitest';
import { tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { pairFacts, type Described } from './pair_facts.ts';

const tensor = (more: Partial<Tensor> = {}): Tensor => ({
  ...tensorFromBytes(new Uint8Array(4 * 24), 'float32', [1, 2, 3, 4]),
  ...more,
});
const described = (more: Partial<Tensor> = {}, about: Partial<Described> = {}): Described => ({
  ...{ tensor: tensor(more), tiedWith: null, hasAttributes: true },
  ...about,
});

it('names what differs beside the numbers', () => {
  expect(pairFacts(described(), described())).toEqual([]);
  const affine = { scheme: 'per_tensor_affine', scale: 0.5, zeroPoint: 0n } as const;
  expect(
    pairFacts(
      described({ quantization: affine, requiresGrad: true, parameter: true }),
      described(
        { quantization: { ...affine, scale: 0.25, zeroPoint: 3n }, strides: [24, 1, 8, 2] },
        { tiedWith: 'head.weight' },
      ),
    ),
  ).toEqual([
    { label: 'scale', a: '0.5', b: '0.25' },
    { label: 'zero_point', a: '0', b: '3' },
    { label: 'requires_grad', a: 'True', b: 'False' },
    { label: 'nn.Parameter', a: 'True', b: 'False' },
    { label: 'memory format', a: 'contiguous', b: 'channels_last' },
    { label: 'tied with', a: 'none', b: 'head.weight' },
  ]);
});

it('says nothing of what a file cannot hold', () => {
  const bare = described({}, { hasAttributes: false });
  expect(pairFacts(described({ requiresGrad: true, parameter: true }), bare)).toEqual([]);
});

it('shows strides that are no format of torch', () => {
  expect(pairFacts(described(), described({ strides: [24, 12, 1, 3] }))).toEqual([
    { label: 'memory format', a: 'contiguous', b: 'strides (24, 12, 1, 3)' },
  ]);
});
