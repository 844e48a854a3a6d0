import { expect, test } from 'vitest';
import { mergeLora } from './merge_lora.ts';

const floats = () =>
  new Map([
    ['a.base_layer.weight', Float32Array.of(1, 2, 3, 4, 5, 6)],
    ['a.base_layer.bias', Float32Array.of(7, 8)],
    ['a.lora_A.default.weight', Float32Array.of(1, 0, -1)],
    ['a.lora_B.default.weight', Float32Array.of(2, 3)],
    ['b.weight', Float32Array.of(9)],
  ]);

test('adds alpha / rank · B·A to the weights, under their old names', () => {
  const merged = mergeLora(floats(), [{ path: 'a', turned: false }], { rank: 1, alpha: 0.5 });
  expect([...merged].map(([key, values]) => [key, [...values]])).toEqual([
    ['a.weight', [2, 2, 2, 5.5, 5, 4.5]],
    ['a.bias', [7, 8]],
    ['b.weight', [9]],
  ]);
});

test('turns the update where the weight lies inputs first', () => {
  const merged = mergeLora(floats(), [{ path: 'a', turned: true }], { rank: 1, alpha: 1 });
  expect([...merged.get('a.weight')!]).toEqual([3, 5, 3, 4, 3, 3]);
});

test('refuses a layer without its update', () => {
  const half = floats();
  half.delete('a.lora_B.default.weight');
  expect(() => mergeLora(half, [{ path: 'a', turned: false }], { rank: 1, alpha: 1 })).toThrow(
    'lora: "a" has no weights to merge',
  );
});
