import { describe, expect, it } from 'vitest';
import type { ModelEdits, WeightRow } from '#lib/worker/protocol.ts';
import {
  baseWeights,
  bodyOnly,
  builtCount,
  editedCount,
  freezeMode,
  loraParameters,
  moduleRows,
  targetNames,
  withTick,
} from './freezing.ts';

const weight = (key: string, ...shape: number[]): WeightRow => {
  return { key, kind: 'parameter', shape, trained: true, from: 'file' };
};
const weights: WeightRow[] = [
  weight('body.0.weight', 4, 3),
  weight('body.0.bias', 4),
  { ...weight('body.1.running_mean', 4), kind: 'buffer' },
  weight('body.1.weight', 4),
  weight('head.weight', 2, 4),
];

const edits: ModelEdits = {
  ...{ rename: [], head: null, freeze: [], lora: null },
  ...{ fresh: [], strict: true },
};
const lora = { rank: 2, alpha: 4, dropout: 0, targets: ['0'] };
const model = { weights, linears: ['body.0', 'head'] };

describe('the parameters that are trained are counted', () => {
  it('as the model is built', () => {
    expect(
      builtCount(weights.map((row) => ({ ...row, trained: row.key === 'head.weight' }))),
    ).toEqual({ trained: 8, frozen: 20 });
  });

  it.each<[string, Partial<ModelEdits>, number, number]>([
    ['unchanged', {}, 28, 0],
    ['all but the head', { freeze: bodyOnly('head') }, 8, 20],
    ['with a larger head', { head: { module: 'head', outputs: 5 } }, 40, 0],
    ['by LoRA', { lora }, 14, 28],
    ['by LoRA, with a new head', { lora, head: { module: 'head', outputs: 2 } }, 22, 20],
  ])('%s', (_, part, trained, frozen) => {
    expect(editedCount(model, { ...edits, ...part })).toEqual({ trained, frozen });
  });
});

it('sees through LoRA to the weights beneath', () => {
  const wrapped = [weight('q.base_layer.weight', 4, 4), weight('q.lora_A.default.weight', 2, 4)];
  expect(baseWeights(wrapped).map(({ key }) => key)).toEqual(['q.weight']);
});

it.each([
  [[], 'nothing'],
  [['*', '!head.*'], 'body'],
  [['body.0.*'], 'chosen'],
])('%j freezes %s', (freeze, mode) => expect(freezeMode(freeze, 'head')).toBe(mode));

it('shows each module before what is in it, without buffers', () => {
  const rows = moduleRows(weights, ['body.0.*']);
  expect(rows.map(({ path, level, count }) => [path, level, count.trained, count.frozen])).toEqual([
    ['body', 1, 4, 16],
    ['body.0', 2, 0, 16],
    ['body.0.weight', 3, 0, 12],
    ['body.0.bias', 3, 0, 4],
    ['body.1', 2, 4, 0],
    ['body.1.weight', 3, 4, 0],
    ['head', 1, 8, 0],
    ['head.weight', 2, 8, 0],
  ]);
});

describe('a tick', () => {
  const module = (path: string) => ({ path, isParameter: false });

  it('freezes a module, and takes it back without a trace', () => {
    const frozen = withTick([], module('body'), false, weights);
    expect(frozen).toEqual(['body.*']);
    expect(withTick(frozen, module('body'), true, weights)).toEqual([]);
  });

  it('excepts a part of a module, and gives way to the next one on all of it', () => {
    const part = withTick(['body.*'], module('body.1'), true, weights);
    expect(part).toEqual(['body.*', '!body.1.*']);
    expect(withTick(part, module('body'), true, weights)).toEqual([]);
  });

  it('knows single parameters, and globs that take only some', () => {
    const one = { path: 'body.0.bias', isParameter: true };
    expect(withTick([], one, false, weights)).toEqual(['body.0.bias']);
    expect(withTick(['*.bias'], module('body.0'), false, weights)).toEqual(['*.bias', 'body.0.*']);
  });
});

it('counts what LoRA adds', () => {
  expect(loraParameters(weights, model.linears, lora)).toBe(2 * (4 + 3));
  expect(loraParameters(weights, model.linears, null)).toBe(0);
  expect(targetNames(['a.q', 'b.q', 'head'])).toEqual(['q', 'head']);
});
