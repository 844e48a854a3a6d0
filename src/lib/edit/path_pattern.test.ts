import { describe, expect, test } from 'vitest';
import { pathStep } from './path_pattern.ts';

const step = (from: string, to: string, key: string) => pathStep(from, to, 'rename')(key);

describe('a path with numbers', () => {
  test.each([
    ['layer.{n}', 'blocks.{n}', 'layer.12.fc.weight', 'blocks.12.fc.weight'],
    [
      'stages.{s}.layers.{n}.conv',
      'layer{s+1}.{n}.conv1',
      'stages.0.layers.2.conv',
      'layer1.2.conv1',
    ],
    ['layer{s+1}.{n}', 'stages.{s}.{n}', 'layer4.0.bn1.bias', 'stages.3.0.bn1.bias'],
    ['h.{n}.h{n}', 'x.{n}', 'h.7.h7.weight', 'x.7.weight'],
    ['features.{2s+1}.{n}', 'layers.{s}.{n}', 'features.5.1.norm', 'layers.2.1.norm'],
    ['layers.{s+1}', 'features.{2s+2}', 'layers.3.norm', 'features.6.norm'],
    ['encoder', '', 'encoder.weight', 'weight'],
    ['a.(b)+', 'c', 'a.(b)+.d', 'c.d'],
  ])('%s to %s moves %s', (from, to, key, moved) => expect(step(from, to, key)).toBe(moved));

  test.each([
    ['layer.{n}', 'blocks.{n}', 'layer.x.weight'],
    ['layer.{n}', 'blocks.{n}', 'layer.1a.weight'],
    ['layer.{n}', 'blocks.{n}', 'layer.01.weight'],
    ['layer.{n}', 'blocks.{n}', 'my.layer.1.weight'],
    ['layer.{n+1}', 'blocks.{n}', 'layer.0.weight'],
    ['features.{2s+1}', 'layers.{s}', 'features.4.weight'],
    ['layer.{n}', 'blocks.{n-1}', 'layer.0.weight'],
    ['h.{n}.h{n}', 'x.{n}', 'h.7.h8.weight'],
    ['encoder', 'e', 'encoders.weight'],
  ])('%s to %s leaves %s', (from, to, key) => expect(step(from, to, key)).toBeNull());

  test.each([
    ['a.{n}', 'b.{m}', 'rename: {m} of "b.{m}" is no number of "a.{n}"'],
    ['a.{n', 'b', 'rename: a brace in "a.{n" is no place for a number'],
    ['a.{n*2}', 'b', 'rename: a brace in "a.{n*2}" is no place for a number'],
    ['a.{0n}', 'b', 'rename: a brace in "a.{0n}" is no place for a number'],
  ])('refuses %s to %s', (from, to, message) =>
    expect(() => pathStep(from, to, 'rename')).toThrow(message),
  );
});
