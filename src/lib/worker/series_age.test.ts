import { expect, it } from 'vitest';
import { dict, type Value } from '#lib/checkpoint/value.ts';
import { ageOf, compareAge } from './series_age.ts';

const age = (name: string, root: Value = dict(), metadata: Record<string, string> = {}) =>
  ageOf({ name, root, metadata: new Map(Object.entries(metadata)) });

it('takes what the checkpoint says, and reads its name where it says nothing', () => {
  expect(age('ep9.pt', dict({ epoch: 0n, global_step: 5n }))).toEqual({
    ...{ epoch: 0, step: 5, isNamed: false },
  });
  expect(age('a.safetensors', dict(), { epoch: '12', note: 'x' })).toMatchObject({ epoch: 12 });
  expect(age('epoch=3-step=1200.ckpt')).toEqual({ epoch: 3, step: 1200, isNamed: true });
  expect(age('model_ep07.pth')).toMatchObject({ epoch: 7, step: null });
  expect(age('run/checkpoint-500/model.safetensors')).toMatchObject({ epoch: null, step: 500 });
  expect(age('epoch_2.pt', dict({ epoch: 4n }))).toMatchObject({ epoch: 4, isNamed: false });
  expect(age('x.pt', dict({ epoch: 1.5 }))).toMatchObject({ epoch: 1.5 });
});

it('reads no number that may be something else', () => {
  const none = { epoch: null, step: null, isNamed: false };
  for (const name of ['12.pt', 'resnet50.pth', 'sleep5.pt', 'vit_b_16-step.pt', 'recipe3.pt']) {
    expect(age(name), name).toEqual(none);
  }
  expect(age('x.pt', dict({ epoch: 'last', step: -1n }))).toEqual(none);
});

it('sorts by epoch, then step, then name; what tells neither comes last', () => {
  const member = (name: string, epoch: number | null, step: number | null = null) => ({
    ...{ name, epoch, step, isNamed: false },
  });
  const members = [
    member('best', null),
    member('a10', 3),
    member('a9', 3),
    member('z', 1, 20),
    member('y', 1, 3),
    member('a', 20),
  ];
  expect(members.sort(compareAge).map(({ name }) => name)).toEqual([
    ...['y', 'z', 'a9', 'a10', 'a', 'best'],
  ]);
});
