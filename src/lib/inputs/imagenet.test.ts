import { expect, it } from 'vitest';
import { imagenetNames } from './imagenet.ts';

it('has a name for each of the 1,000 classes', async () => {
  const names = (await imagenetNames(1000))!;
  expect(names).toHaveLength(1000);
  expect(names.every((name) => /^\S.*\S$/.test(name))).toBe(true);
  // As in torchvision's `ResNet18_Weights.IMAGENET1K_V1.meta["categories"]`.
  for (const [index, name] of [
    [0, 'tench'],
    [207, 'golden retriever'],
    [281, 'tabby'],
    [779, 'school bus'],
    [999, 'toilet tissue'],
  ] as const) {
    expect(names[index]!.split(', ')[0]).toBe(name);
  }
});

it('counts a background where there is one output more, and knows nothing of other heads', async () => {
  const names = (await imagenetNames(1001))!;
  expect(names.slice(0, 2)).toEqual(['background', 'tench, Tinca tinca']);
  expect(await imagenetNames(10)).toBeNull();
});
