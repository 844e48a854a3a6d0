import { describe, expect, it } from 'vitest';
import { findOptimizer, matchParameters, parseOptimizer, recogniseOptimizer } from './optimizer.ts';
import { tensorFromBytes } from './tensor.ts';
import { Dict, dict, list, tuple, type Value } from './value.ts';

const zeros = (...shape: number[]) =>
  tensorFromBytes(new Uint8Array(4 * shape.reduce((a, b) => a * b, 1)), 'float32', shape);

const adamOptions = { lr: 0.1, betas: tuple(0.9, 0.999), eps: 1e-8, amsgrad: false };

/** A state_dict of one optimizer: groups of options, and `exp_avg` shapes by id. */
function saved(groups: Record<string, Value>[], states: number[][] = []) {
  const entries = states.map(([...shape], id): [Value, Value] => [
    BigInt(id),
    dict({ step: zeros(), exp_avg: zeros(...shape) }),
  ]);
  return dict({ state: new Dict(entries), param_groups: list(...groups.map((it) => dict(it))) });
}

const parse = (value: Value) => parseOptimizer(value)!;
const ids = (...numbers: number[]) => list(...numbers.map(BigInt));

describe('findOptimizer', () => {
  const optimizer = saved([{ ...adamOptions, params: ids(0) }]);
  it('finds it at the top, or in a list there', () => {
    expect(findOptimizer(dict({ epoch: 1n, optimizer }))).toMatchObject({ key: 'optimizer' });
    const found = findOptimizer(dict({ optimizer_states: list(optimizer) }));
    expect(found).toMatchObject({ key: 'optimizer_states' });
    expect(found!.dict).toBe(optimizer);
  });
  it.each<[string, Value]>([
    ['nothing', dict()],
    ['a list', list(optimizer)],
    ['groups that are no list', dict({ a: dict({ state: dict(), param_groups: dict() }) })],
    ['a group without params', dict({ a: saved([adamOptions]) })],
    ['no state', dict({ a: dict({ param_groups: list() }) })],
  ])('finds none in %s', (_, root) => expect(findOptimizer(root)).toBeNull());
});

describe('recogniseOptimizer', () => {
  const sgd = { lr: 0.1, momentum: 0n, dampening: 0n, nesterov: false, params: ids() };
  const adam = { ...adamOptions, params: ids() };
  it.each<[string, Record<string, Value>[], unknown]>([
    ['SGD', [sgd], { name: 'SGD', certain: true }],
    ['Adam', [{ ...adam, weight_decay: 0n }], { name: 'Adam', certain: true }],
    ['AdamW of an old file', [{ ...adam, weight_decay: 0.01 }], { name: 'AdamW', certain: false }],
    [
      'AdamW whose first group does not decay',
      [
        { ...adam, weight_decay: 0 },
        { ...adam, weight_decay: 0.1 },
      ],
      { name: 'AdamW', certain: false },
    ],
    [
      'Adam with weight decay',
      [{ ...adam, weight_decay: 0.1, decoupled_weight_decay: false }],
      { name: 'Adam', certain: true },
    ],
    [
      'AdamW',
      [{ ...adam, weight_decay: 0, decoupled_weight_decay: true }],
      { name: 'AdamW', certain: true },
    ],
    ['RMSprop', [{ lr: 0.1, momentum: 0n, alpha: 0.99, params: ids() }], null],
    ['no groups', [], null],
  ])('%s', (_, groups, expected) => {
    expect(recogniseOptimizer(parse(saved(groups)))).toEqual(expected);
  });

  it('takes Adam for no optimizer whose states say otherwise', () => {
    const value = saved([adam]);
    (value.get('state') as Dict).set(0n, dict({ step: 1n, sum: zeros(1) }));
    expect(recogniseOptimizer(parse(value))).toBeNull();
  });
});

describe('matchParameters', () => {
  const parameters = [
    { key: 'a', shape: [2, 3] },
    { key: 'b', shape: [2] },
  ];
  const match = (groups: Record<string, Value>[], states: number[][] = [[2, 3], [2]]) =>
    matchParameters(parse(saved(groups, states)), parameters);

  it('goes by order, over all groups', () => {
    expect(match([{ params: ids(0) }, { params: ids(1) }])).toEqual({
      ok: true,
      keys: [
        [0n, 'a'],
        [1n, 'b'],
      ],
    });
  });

  it('goes by names where the file has them', () => {
    const group = { params: ids(0, 1), param_names: list('b', 'a') };
    expect(match([group], [[2], [2, 3]])).toMatchObject({
      keys: [
        [0n, 'b'],
        [1n, 'a'],
      ],
    });
  });

  it.each([
    ['goes by names behind the prefix of a wrapper', ['module.b', 'module.a'], ['b', 'a']],
    ['goes by order where no name fits', ['x.p', 'x.q'], ['a', 'b']],
  ])('%s', (_, names, keys) => {
    const group = { params: ids(0, 1), param_names: list(...names) };
    expect(match([group], [])).toMatchObject({
      keys: [
        [0n, keys[0]],
        [1n, keys[1]],
      ],
    });
  });

  it.each([
    ['matrices first', [[4, 3], [4, 4], [4], [4]], [2, 2], ['w', 'v', 'n', 'v.bias']],
    ['matrices last', [[4], [4], [4, 3], [4, 4]], [2, 2], ['n', 'v.bias', 'w', 'v']],
    ['biases last', [[4, 3], [4], [4, 4], [4]], [3, 1], ['w', 'n', 'v', 'v.bias']],
    ['biases first', [[4], [4, 3], [4], [4, 4]], [1, 3], ['v.bias', 'w', 'n', 'v']],
    ['halves of the model', [[4, 3], [4], [4], [4, 4]], [1, 3], ['w', 'n', 'v.bias', 'v']],
  ])('finds the order of two groups by their shapes: %s', (_, states, sizes, expected) => {
    const model = [
      { key: 'w', shape: [4, 3] },
      { key: 'n', shape: [4] },
      { key: 'v.bias', shape: [4] },
      { key: 'v', shape: [4, 4] },
    ];
    const [first] = sizes as [number, number];
    const groups = [
      { params: ids(0, 1, 2, 3).items.slice(0, first) },
      { params: ids(0, 1, 2, 3).items.slice(first) },
    ];
    const value = saved(
      groups.map(({ params }) => ({ params: list(...params) })),
      states,
    );
    const match = matchParameters(parse(value), model);
    expect(match).toMatchObject({ keys: expected.map((key, id) => [BigInt(id), key]) });
  });

  it.each<[string, Record<string, Value>[], number[][], string]>([
    ['too few', [{ params: ids(0) }], [], 'param_groups list 1 parameters, the model has 2'],
    ['swapped', [{ params: ids(0, 1) }], [[2], [2, 3]], 'exp_avg number 0 is [2], the parameter a'],
    [
      'other sizes',
      [{ params: ids(0, 1) }],
      [[3, 2]],
      'exp_avg number 0 is [3, 2], the parameter a is [2, 3]',
    ],
    [
      'a name of another model',
      [{ params: ids(0, 1), param_names: list('a', 'c') }],
      [],
      'names the parameter c, which the model lacks',
    ],
    ['an id twice', [{ params: ids(0, 0) }], [], 'list a parameter twice'],
    [
      'a name twice',
      [{ params: ids(0, 1), param_names: list('a', 'a') }],
      [],
      'list a parameter twice',
    ],
  ])('refuses %s', (_, groups, states, message) => {
    const result = match(groups, states);
    expect(result).toMatchObject({
      ok: false,
      findings: [
        { code: 'optimizer-mismatch', message: expect.stringContaining(message) as string },
      ],
    });
  });

  it('lets a state of another rank pass only where it is a number', () => {
    const value = saved([{ params: ids(0, 1) }], [[2, 3], [2]]);
    const state = (value.get('state') as Dict).get(0n) as Dict;
    state.set('step', zeros(1));
    expect(matchParameters(parse(value), parameters).ok).toBe(true);
    state.set('exp_avg_sq', zeros(6));
    expect(matchParameters(parse(value), parameters).ok).toBe(false);
  });
});
