import { describe, expect, it } from 'vitest';
import { parseLiteral } from '#lib/architecture/literal.ts';
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { dict, list, tuple, type Dict, type Value } from '#lib/checkpoint/value.ts';
import type { Edit } from '#lib/edit/edits.ts';
import { Preview } from './edit_preview.ts';

const tensor = (...values: number[]) =>
  tensorFromBytes(new Uint8Array(Float32Array.from(values).buffer), 'float32', [values.length]);

function checkpointOf(root: Value): Checkpoint {
  const where = { name: 'a.pt', format: 'torch', size: 0, findings: [], calls: [] };
  return { ...where, root, metadata: new Map() };
}

function previewOf(root: Value, ...edits: Edit[]): Preview {
  const context = { others: new Map(), literal: parseLiteral };
  return new Preview(1, checkpointOf(root), edits, context);
}

/** `before > after: changes` */
function lines(preview: Preview, show: 'changes' | 'all' = 'changes'): string[] {
  preview.filter(show, '');
  return preview
    .rows(0, 100)
    .map(({ before, after, changes }) => `${before?.name} > ${after?.name}: ${changes.join()}`);
}

const strip: Edit = { kind: 'rename', in: null, rules: [{ kind: 'strip', prefix: 'm.' }] };
const root = () =>
  dict({ model: dict({ 'm.a': tensor(1), 'm.b': tensor(2, 1e30) }), epoch: 3n, lr: 0.5 });

const titles = (preview: Preview) => preview.describe().hints.map(({ title }) => title);

describe('a preview', () => {
  it('suggests what its result asks for, no longer what the file did', () => {
    const wrapped = dict({
      'module.conv1.weight': tensor(1),
      'module.bn1.running_mean': tensor(1),
      'module.layer1.0.conv1.weight': tensor(1),
    });
    const unwrap: Edit = {
      kind: 'rename',
      in: null,
      rules: [{ kind: 'strip', prefix: 'module.' }],
    };
    expect(titles(previewOf(wrapped))).toEqual(['Strip module.']);
    expect(titles(previewOf(wrapped, unwrap))).toEqual([
      'ResNet: timm, torchvision → transformers',
    ]);
  });

  it('follows tensors through renaming, casting and dropping', () => {
    const half: Edit = { kind: 'cast', names: ['*'], to: 'float16' };
    const preview = previewOf(root(), strip, half, { kind: 'delete', path: ["'lr'"] });
    expect(lines(preview)).toEqual([
      'model.m.a > model.a: renamed,cast',
      'model.m.b > model.b: renamed,cast',
      'lr > undefined: dropped',
    ]);
    expect(preview.describe()).toMatchObject({
      ok: true,
      steps: [{ changed: 2 }, { changed: 2 }, { changed: 1 }],
      before: { tensors: 2, bytes: 12 },
      after: { tensors: 2, bytes: 6 },
      counts: { renamed: 2, cast: 2, dropped: 1, same: 1, new: 0, changed: 0 },
    });
  });

  it('tells names that are swapped from tensors that are changed', () => {
    const names = [
      ['m.a', 'm.b'],
      ['m.b', 'm.a'],
    ] as const;
    const preview = previewOf(root(), { kind: 'names', in: null, names });
    expect(lines(preview)).toEqual([
      'model.m.a > model.m.b: renamed',
      'model.m.b > model.m.a: renamed',
    ]);
  });

  it('leaves out what is only copied', () => {
    const betas = { betas: tuple(0.9, 0.99), empty: list(), none: dict({}) };
    const preview = previewOf(dict({ ...betas, model: dict({ 'm.a': tensor(1) }) }), strip);
    expect(lines(preview)).toEqual(['model.m.a > model.a: renamed']);
    expect(preview.describe().counts).toMatchObject({ same: 3, changed: 0 });
  });

  it('counts what overflows', async () => {
    const preview = previewOf(root(), { kind: 'cast', names: ['*'], to: 'float16' });
    const overflow = { name: 'model.m.b', from: 'float32', to: 'float16', count: 1 };
    expect(await preview.overflows({})).toEqual([overflow]);
    expect(preview.counted()).toEqual([overflow]);
  });

  it('stops at an edit that fails, and says so there', () => {
    const preview = previewOf(root(), strip, { kind: 'delete', path: ["'x'"] }, strip);
    const { ok, steps } = preview.describe();
    expect(ok).toBe(false);
    expect(steps).toHaveLength(2);
    expect(steps[1]!.findings[0]!.message).toContain("delete: there is no ['x']");
    expect(lines(preview)).toHaveLength(2);
  });

  it('goes on from an earlier one as far as the edits are the same', () => {
    const half: Edit = { kind: 'cast', names: ['*'], to: 'float16' };
    const drop: Edit = { kind: 'drop', names: ['lr'] };
    const checkpoint = checkpointOf(root());
    const context = { others: new Map<number, Checkpoint>(), literal: parseLiteral };
    const make = (id: number, edits: Edit[], earlier?: Preview, of = checkpoint) =>
      new Preview(id, of, edits, context, earlier);
    const first = make(1, [strip, half, drop]);
    const next = make(2, [strip, half, { kind: 'delete', path: ["'epoch'"] }], first);
    const anew = make(3, [strip, half, { kind: 'delete', path: ["'epoch'"] }]);
    expect(lines(next, 'all')).toEqual(lines(anew, 'all'));
    expect({ ...next.describe(), id: 3 }).toEqual(anew.describe());
    const halves = ({ tree }: Preview) => (tree.root as Dict).get('model');
    expect(halves(make(4, [strip, half], next))).toBe(halves(make(5, [strip, half], first)));
    // Another order, or another checkpoint, has nothing in common.
    expect(lines(make(6, [half, strip], first))).toEqual(lines(make(7, [half, strip])));
    const other = checkpointOf(dict({ x: tensor(1) }));
    expect(lines(make(8, [half], first, other))).toEqual(['x > x: cast']);
  });

  it('filters by name and kind, values too', () => {
    const preview = previewOf(root(), { kind: 'set', path: ["'epoch'"], value: '4' });
    expect(lines(preview)).toEqual(['epoch > epoch: changed']);
    expect(preview.filter('all', 'MODEL')).toBe(2);
    expect(preview.filter('renamed', '')).toBe(0);
    expect(lines(previewOf(root()), 'all')).toHaveLength(4);
  });
});
