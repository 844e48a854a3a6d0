import { describe, expect, it } from 'vitest';
import { readEdits } from './read_edits.ts';

const read = (...edits: unknown[]) => readEdits(JSON.stringify({ version: 1, edits }));

describe('a list of edits as JSON', () => {
  it('is read as it was written', () => {
    const others = [{ other: 2, in: ["'model'"] }];
    const edits = [
      { kind: 'rename', in: null, rules: [{ kind: 'replace', pattern: 'a', with: 'b' }] },
      { kind: 'names', in: ["'model'"], names: [['a', 'b']] },
      { kind: 'drop', names: ['*.bias'] },
      { kind: 'cast', names: ['*'], to: 'bfloat16' },
      { kind: 'set', path: ["'epoch'"], value: '3' },
      { kind: 'put', path: ["'w'"], other: 1, from: [] },
      { kind: 'metadata', entries: { a: 'b', c: null } },
      { kind: 'unflatten', separator: '/' },
      { kind: 'merge', in: null, how: { kind: 'task', scales: [0.5] }, others },
      { kind: 'lora', in: null, other: null, scaling: 2 },
    ];
    expect(read(...edits)).toEqual(edits.map((edit) => ({ edit, off: false })));
    expect(read({ ...edits[2], off: true })).toEqual([{ edit: edits[2], off: true }]);
  });

  it.each<[unknown, string]>([
    [{ kind: 'burn' }, 'edits[0]: is of the unknown kind "burn"'],
    [{ kind: 'drop', names: ['a'], more: 1 }, 'edits[0]: has the unknown field "more"'],
    [{ kind: 'drop' }, 'edits[0].names: expected a list, not nothing'],
    [{ kind: 'cast', names: [], to: 'float' }, 'edits[0].to: expected a dtype, not "float"'],
    [{ kind: 'put', path: [], other: 1.5, from: [] }, 'other: expected an integer, not 1.5'],
    [{ kind: 'drop', names: [], off: 1 }, 'off: expected true or false, not 1'],
    [{ kind: 'names', in: null, names: [['a']] }, 'names[0]: is no pair'],
    [null, 'edits[0]: is of the unknown kind nothing'],
  ])('refuses %j', (edit, message) => {
    expect(() => read(edit)).toThrow(message);
  });

  it('refuses what is no list', () => {
    expect(() => readEdits('{')).toThrow('edits: it is no JSON');
    expect(() => readEdits('{"version": 2, "edits": []}')).toThrow('expected 1, not 2');
    expect(() => readEdits('[]')).toThrow('expected an object');
  });
});
