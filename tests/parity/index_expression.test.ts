/** Indexes written as text, against what PyTorch's own brackets give. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { contiguousStrides, span, tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { indexTensor } from '#lib/inspect/index_expression.ts';
import { numbersOf } from '#lib/inspect/numbers.ts';
import { runPython } from '../python.ts';

interface Case {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
  readonly text: string;
}
type View = { error: string } | (Omit<Case, 'text'> & { elements: number[] });

const integer = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: -7, max: 7 }) },
  fc.constantFrom(1e9, -1e9),
);
const part = fc.oneof(
  { weight: 3, arbitrary: integer.map(String) },
  {
    weight: 5,
    arbitrary: fc
      .tuple(
        ...[integer, integer].map((it) => fc.oneof(fc.constantFrom('', 'None'), it.map(String))),
        fc.constantFrom('', ':', ':1', ':2', ': 3', ':None', ':100', ':0', ':-1'),
      )
      .map(([start, stop, step]) => `${start}:${stop}${step}`),
  },
  { weight: 1, arbitrary: fc.constant('None') },
);
const text = fc
  .tuple(fc.array(part, { maxLength: 4 }), fc.option(fc.nat(4)), fc.boolean())
  .filter(([parts, ellipsis]) => parts.length > 0 || ellipsis !== null)
  .map(([parts, ellipsis, trailing]) => {
    const all = ellipsis === null ? parts : parts.toSpliced(ellipsis, 0, '...');
    return all.join(', ') + (trailing ? ',' : '');
  });
/** Views whose axes are turned round and spread, from somewhere within a storage. */
const layout = fc
  .tuple(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 }), fc.nat(), fc.nat(3))
  .map(([shape, seed, offset]) => {
    const order = shape
      .map((_, axis) => axis)
      .sort((a, b) => ((a * 7 + seed) % 5) - ((b * 7 + seed) % 5));
    const turned = contiguousStrides(order.map((axis) => shape[axis]!));
    const spread = 1 + (seed % 3);
    const strides = shape.map((_, axis) => turned[order.indexOf(axis)]! * spread);
    return { shape, strides, offset };
  });
const cases: Case[] = [
  ...fc
    .sample(fc.record({ layout, text }), { seed: 11, numRuns: 1500 })
    .map(({ layout, text }) => ({ ...layout, text })),
  ...['0', ':', '...', 'None', '0, 0'].map((text) => ({ shape: [], strides: [], offset: 2, text })),
];

const tooMany = 'too many indices for tensor of dimension 0';

const tensorOf = ({ shape, strides, offset }: Case): Tensor => {
  const size = Math.max(1, span({ shape, strides, offset })[1]);
  const numbers = Int32Array.from({ length: size }, (_, at) => at);
  const whole = tensorFromBytes(new Uint8Array(numbers.buffer), 'int32', [size]);
  return { ...whole, shape, strides, offset };
};

const judged = JSON.parse(
  await runPython('tests/judge/index_expression.py', [], { input: JSON.stringify(cases) }),
) as View[];

async function ownView(one: Case, text: string): Promise<View> {
  try {
    const view = indexTensor(tensorOf(one), text);
    const chunks = await Array.fromAsync(numbersOf(view));
    const { shape, strides, offset } = view;
    return { shape, strides, offset, elements: chunks.flatMap((chunk) => [...chunk]) };
  } catch (error) {
    if (!(error instanceof FindingError)) throw error;
    return { error: error.message };
  }
}

it('views and refuses as PyTorch does', async () => {
  for (const [index, one] of cases.entries()) {
    const expected = judged[index]!;
    for (const text of [one.text, ` [ ${one.text} ] `]) {
      const own = await ownView(one, text);
      const where = JSON.stringify(one);
      if ('error' in expected) {
        // PyTorch has several sentences for a 0-dim tensor. Its dimension is the number of the item,
        // which `...` and None shift.
        const sentence = one.shape.length === 0 ? tooMany : expected.error;
        const isShifted = /\.\.\.|None/.test(one.text);
        const plain = (it: string) => (isShifted ? it.replace(/dimension \d+ with/, '') : it);
        expect('error' in own && plain(own.error), where).toBe(plain(`index: ${sentence}`));
      } else if (expected.elements.length === 0) {
        expect(own, where).toMatchObject({ shape: expected.shape, elements: [] });
      } else expect(own, where).toEqual(expected);
    }
  }
  const refused = judged.filter((view) => 'error' in view).length;
  expect(refused).toBeGreaterThan(200);
  expect(judged.length - refused).toBeGreaterThan(500);
});

it('takes no text as the whole', () => {
  const tensor = tensorOf({ shape: [2, 3], strides: [3, 1], offset: 0, text: '' });
  for (const text of ['', ' ', '[]', '[ ]']) {
    expect(indexTensor(tensor, text)).toMatchObject({ shape: [2, 3], strides: [3, 1] });
  }
});

it.each([
  ['..., 0, ...', "index: an index can only have a single ellipsis ('...')"],
  ['1.5', 'index: "1.5" is no integer, slice, ... or None'],
  ['[[0, 1]]', 'index: "[0" is no integer, slice, ... or None'],
  ['0,, 1', 'index: "" is no integer, slice, ... or None'],
  ['1:2:3:4', 'index: "1:2:3:4" is no integer, slice, ... or None'],
  ['mask', 'index: "mask" is no integer, slice, ... or None'],
  ['True', 'index: "True" is no integer, slice, ... or None'],
])('refuses %s', (text, message) => {
  const tensor = tensorOf({ shape: [2, 3], strides: [3, 1], offset: 0, text });
  expect(() => indexTensor(tensor, text)).toThrow(message);
});

it('takes the channels of a quantizer with their axis', () => {
  const scales = tensorFromBytes(new Uint8Array(24), 'float64', [3]);
  const zeroPoints = tensorFromBytes(new Uint8Array(24), 'int64', [3]);
  const quantization = { scheme: 'per_channel_affine', scales, zeroPoints, axis: 0 } as const;
  const tensor = { ...tensorFromBytes(new Uint8Array(12), 'qint8', [3, 4]), quantization };
  expect(indexTensor(tensor, 'None, 1:, 2')).toMatchObject({
    shape: [1, 2],
    quantization: { axis: 1, scales: { shape: [2], offset: 1 }, zeroPoints: { offset: 1 } },
  });
  expect(indexTensor(tensor, '0')).not.toHaveProperty('quantization');
});
