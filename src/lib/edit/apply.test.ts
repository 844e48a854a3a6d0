import { describe, expect, test } from 'vitest';
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, dict, list, tuple, type Call, type Value } from '#lib/checkpoint/value.ts';
import { applyEdits, type Edited } from './apply.ts';
import type { Edit } from './edits.ts';

/** Enough of Python's literals for these tests. */
function literal(text: string): Value {
  if (/^-?\d+$/.test(text)) return BigInt(text);
  if (/^'.*'$/.test(text)) return text.slice(1, -1);
  if (text === 'name') return { kind: 'global', module: '', name: text };
  return JSON.parse(text) as Value;
}

const tensor = (...shape: number[]): Tensor =>
  tensorFromBytes(new Uint8Array(4 * shape.reduce((a, b) => a * b, 1)), 'float32', shape);

const none: ReadonlyMap<number, Checkpoint> = new Map();
const apply = (root: Value, edits: Edit[], others = none): Edited =>
  applyEdits({ root, metadata: new Map([['format', 'pt']]) }, edits, { others, literal });

function done(root: Value, ...edits: Edit[]): Value {
  const { ok, steps, root: edited } = apply(root, edits);
  expect(steps.flatMap(({ findings }) => findings)).toEqual([]);
  expect(ok).toBe(true);
  return edited;
}

const messages = (edited: Edited) =>
  edited.steps.flatMap(({ findings }) => findings.map(({ message }) => message));

/** A checkpoint of a training script: tied weights, an optimizer that knows them by number. */
function training() {
  const [embed, weight, moment] = [tensor(4, 2), tensor(3), tensor(3)];
  const model = new Dict(
    [
      ['module.embed.weight', embed],
      ['module.head.weight', embed],
      ['module.norm.weight', weight],
    ],
    'OrderedDict',
  );
  const versions = ['', 'module', 'module.embed', 'module.head', 'module.norm', 'module.act'];
  const version = (at: number) => dict({ version: BigInt(at) });
  const metadata = new Dict(
    versions.map((name, at) => [name, version(at)]),
    'OrderedDict',
  );
  model.attributes = new Dict([['_metadata', metadata]]);
  const optimizer = dict({
    state: new Dict([[0n, dict({ step: 3n, exp_avg: moment })]]),
    param_groups: list(dict({ lr: 0.1, betas: tuple(0.9, 0.99), params: list(0n, 1n) })),
  });
  return { root: dict({ model, optimizer, epoch: 3n }), model, embed, weight, moment };
}

const keys = (value: Value | undefined) => [...(value as Dict).keys()];
const at = (value: Value, ...path: Value[]) =>
  path.reduce<Value>((inner, key) => (inner as Dict).get(key)!, value);

describe('rename', () => {
  test('goes through the state_dicts alone, and through what their modules are called', () => {
    const { root, embed } = training();
    const edited = done(root, {
      kind: 'rename',
      in: null,
      rules: [{ kind: 'strip', prefix: 'module.' }],
    });
    const model = at(edited, 'model') as Dict;
    expect(keys(model)).toEqual(['embed.weight', 'head.weight', 'norm.weight']);
    expect(model.type).toBe('OrderedDict');
    expect([model.get('embed.weight'), model.get('head.weight')]).toEqual([embed, embed]);
    // What torch's consume_prefix_in_state_dict_if_present makes of them.
    const versions = at(model.attributes, '_metadata') as Dict;
    expect([...versions.entries()].map(([key, it]) => [key, (it as Dict).get('version')])).toEqual([
      ['', 1n],
      ['embed', 2n],
      ['head', 3n],
      ['norm', 4n],
      ['act', 5n],
    ]);
    expect(at(edited, 'optimizer', 'state', 0n)).toEqual(at(root, 'optimizer', 'state', 0n));
    expect(keys(at(root, 'model'))[0]).toBe('module.embed.weight');
  });

  test('moves modules with their keys, those without keys with the module above', () => {
    const { root } = training();
    const edited = done(root, {
      kind: 'names',
      in: ["'model'"],
      names: [
        ['module.embed.weight', 'encoder.tokens.weight'],
        ['module.head.weight', 'encoder.out.weight'],
        ['module.norm.weight', 'encoder.norm.weight'],
      ],
    });
    const versions = at((at(edited, 'model') as Dict).attributes, '_metadata');
    expect(keys(versions)).toEqual([
      ...['', 'module', 'encoder.tokens', 'encoder.out', 'encoder.norm', 'module.act'],
    ]);
  });

  test('says which names are not there, and which clash', () => {
    const { root } = training();
    const idle = apply(root, [{ kind: 'names', in: null, names: [['x', 'y']] }]);
    expect(messages(idle)).toEqual(['names: 1 of 1 are no keys here: "x"']);
    expect(idle.ok).toBe(true);
    const clash = apply(root, [
      { kind: 'set', path: ["'epoch'"], value: '4' },
      {
        kind: 'rename',
        in: ["'model'"],
        rules: [{ kind: 'replace', pattern: 'embed|head', with: 'x' }],
      },
      { kind: 'delete', path: ["'epoch'"] },
    ]);
    expect(messages(clash)).toEqual([
      'rename: "module.embed.weight" and "module.head.weight" both become "module.x.weight"',
    ]);
    expect([clash.ok, clash.steps.length, at(clash.root, 'epoch')]).toEqual([false, 2, 4n]);
  });

  test.each<[Edit, string]>([
    [{ kind: 'rename', in: ["'epoch'"], rules: [] }, `rename: ['epoch'] is no dict`],
    [{ kind: 'rename', in: ["'ema'"], rules: [] }, `rename: there is no ['ema'] in the root`],
    [
      { kind: 'rename', in: null, rules: [{ kind: 'replace', pattern: '(', with: '' }] },
      'rename: /(/ is no regular expression (unterminated group)',
    ],
    [
      { kind: 'rename', in: null, rules: [{ kind: 'strip', prefix: 'x.' }] },
      'rename: "x." taken off changes no key',
    ],
    [
      {
        kind: 'names',
        in: null,
        names: [
          ['a', 'b'],
          ['a', 'c'],
        ],
      },
      'names: "a" stands in the table twice',
    ],
  ])('%j: %s', (edit, message) => {
    expect(messages(apply(training().root, [edit]))).toEqual([message]);
  });
});

describe('keep and drop', () => {
  test('keep leaves tensors alone, by name or key', () => {
    const { root, moment } = training();
    const few = done(root, { kind: 'keep', names: ['*.embed.weight', 'exp_avg'] });
    expect(keys(at(few, 'model'))).toEqual(['module.embed.weight']);
    expect([...(at(few, 'optimizer', 'state', 0n) as Dict).entries()]).toEqual([
      ['exp_avg', moment],
    ]);
    expect(keys(few)).toEqual(['model', 'optimizer']);
    const edited = done(root, { kind: 'keep', names: ['model.*', '!*.norm.*'] });
    expect(keys(edited)).toEqual(['model']);
    expect(keys(at(edited, 'model'))).toEqual(['module.embed.weight', 'module.head.weight']);
    expect((at(edited, 'model') as Dict).attributes).not.toBeNull();
  });

  test('drop takes what is left empty along', () => {
    const { root } = training();
    expect(keys(done(root, { kind: 'drop', names: ['optimizer.*'] }))).toEqual(['model', 'epoch']);
    const edited = done(root, { kind: 'drop', names: ['*.head.weight', 'optimizer.state.*'] });
    expect(keys(at(edited, 'model'))).toHaveLength(2);
    expect(keys(at(edited, 'optimizer'))).toEqual(['param_groups']);
  });

  test('drop leaves what was empty before, and a cycle', () => {
    const root = dict({ a: tensor(1), empty: dict(), b: 1n });
    root.set('self', root);
    const edited = done(root, { kind: 'drop', names: ['a'] }) as Dict;
    expect(keys(edited)).toEqual(['empty', 'b', 'self']);
    expect(edited.get('self')).toBe(edited);
  });

  test('says what fits nothing, and does not leave nothing', () => {
    const { root } = training();
    expect(messages(apply(root, [{ kind: 'drop', names: ['ema.*', 'epoch'] }]))).toEqual([
      'drop: "ema.*" fits no tensor or value',
    ]);
    expect(messages(apply(root, [{ kind: 'drop', names: ['*'] }]))).toEqual([
      'drop: nothing would be left',
    ]);
    expect(messages(apply(root, [{ kind: 'keep', names: ['[z-a]'] }]))).toEqual([
      'keep: "[z-a]" is no glob',
    ]);
  });

  test('takes nothing out of a pickled object', () => {
    const object: Call = {
      kind: 'call',
      callable: { kind: 'global', module: 'm', name: 'Config' },
      args: tuple(),
      how: 'reduce',
      state: dict({ weight: tensor(2) }),
    };
    const root = dict({ object, other: tensor(1) });
    const edited = apply(root, [{ kind: 'drop', names: ['weight', 'other'] }]);
    expect(keys(edited.root)).toEqual(['object']);
    expect(messages(edited)).toEqual([
      'drop: "object" is a pickled object, from which nothing is taken',
    ]);
  });
});

describe('entries', () => {
  test('are set in their places, new ones at the end', () => {
    const { root } = training();
    const edited = done(
      root,
      { kind: 'set', path: ["'epoch'"], value: '7' },
      { kind: 'set', path: ["'note'"], value: "'x'" },
      { kind: 'set', path: ["'optimizer'", "'param_groups'", '0', "'lr'"], value: '0.5' },
      { kind: 'delete', path: ["'optimizer'", "'state'", '0'] },
      { kind: 'delete', path: ["'optimizer'", "'param_groups'", '0', "'params'", '0'] },
    );
    expect(keys(edited)).toEqual(['model', 'optimizer', 'epoch', 'note']);
    expect(at(edited, 'epoch')).toBe(7n);
    const groups = at(edited, 'optimizer', 'param_groups') as { items: Value[] } & Value;
    const group = (groups as { items: Value[] }).items[0] as Dict;
    expect([group.get('lr'), group.get('params')]).toEqual([0.5, list(1n)]);
    expect((at(edited, 'optimizer', 'state') as Dict).size).toBe(0);
  });

  test('of a dict that stands twice change in both places, as in Python', () => {
    const inner = dict({ a: 1n });
    const edited = done(dict({ one: inner, two: inner }), {
      kind: 'set',
      path: ["'one'", "'a'"],
      value: '2',
    });
    expect(at(edited, 'two', 'a')).toBe(2n);
    expect(at(edited, 'two')).toBe(at(edited, 'one'));
    expect(inner.get('a')).toBe(1n);
  });

  test('become the whole', () => {
    const { root, model } = training();
    const edited = done(root, { kind: 'extract', path: ["'model'"] });
    expect(edited).toBe(model);
    expect(apply(root, [{ kind: 'extract', path: [] }]).steps[0]!.changed).toBe(0);
  });

  test.each<[Edit, string]>([
    [{ kind: 'set', path: ["'a'", "'b'"], value: '1' }, `set: there is no ['a'] in the root`],
    [
      { kind: 'set', path: [], value: '1' },
      'set: the path is empty, which is the whole checkpoint',
    ],
    [
      { kind: 'set', path: ["'epoch'", '0'], value: '1' },
      `set: ['epoch'] takes no entries, it is a number`,
    ],
    [{ kind: 'set', path: ["'epoch'"], value: 'name' }, 'set: "name" is no plain value'],
    [
      { kind: 'set', path: ["'model'", "'module.norm.weight'"], value: '1' },
      `set: ['model']['module.norm.weight'] was a tensor`,
    ],
    [
      { kind: 'set', path: ["'optimizer'", "'param_groups'", '1'], value: '1' },
      `set: there is no ['optimizer']['param_groups'][1] in ['optimizer']['param_groups']`,
    ],
    [
      { kind: 'set', path: ["'optimizer'", "'param_groups'", '0', "'betas'", '0'], value: '1' },
      `set: ['optimizer']['param_groups'][0]['betas'] takes no entries, it is a tuple`,
    ],
    [{ kind: 'delete', path: ["'loss'"] }, `delete: there is no ['loss'] in the root`],
    [{ kind: 'put', path: ["'x'"], other: 4, from: [] }, 'put: checkpoint 4 is not open'],
    [{ kind: 'metadata', entries: { x: null } }, 'metadata: there is no "x" to take out'],
  ])('%j: %s', (edit, message) => {
    expect(messages(apply(training().root, [edit]))).toEqual([message]);
  });

  test('are put from another checkpoint', () => {
    const array: Tensor = { ...tensor(2, 3), numpy: true };
    const other = { root: array, name: 'x.npy' } as unknown as Checkpoint;
    const edit: Edit = {
      kind: 'put',
      path: ["'model'", "'module.norm.weight'"],
      other: 1,
      from: [],
    };
    const edited = apply(training().root, [edit], new Map([[1, other]]));
    const { numpy: _, ...plain } = array;
    expect(at(edited.root, 'model', 'module.norm.weight')).toEqual(plain);
    expect(messages(edited)).toEqual([
      `put: ['model']['module.norm.weight'] was float32 [3], it becomes float32 [2, 3]`,
    ]);
  });
});

test('metadata is set and taken out', () => {
  const { root } = training();
  const edits: Edit[] = [{ kind: 'metadata', entries: { format: null, note: 'x' } }];
  const edited = apply(root, edits);
  expect([...edited.metadata]).toEqual([['note', 'x']]);
  expect([edited.root, edited.steps[0]!.changed]).toEqual([root, 2]);
});
