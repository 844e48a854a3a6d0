/** Each tensor through the checkpoints of a run, with what comes, goes and changes shape on the way. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Lab } from '#lib/worker/lab.ts';
import type { SeriesMember } from '#lib/worker/protocol.ts';
import { runPython } from '../python.ts';
import { unwrap } from './lab.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightroom-series-'));
afterAll(() => rmSync(folder, { recursive: true }));
await runPython('tests/judge/series.py', [folder]);
type Line = Readonly<Record<'norms' | 'moves', readonly (number | null)[]>>;
const text = readFileSync(join(folder, 'expected.json'), 'utf8');
const expected = new Map(Object.entries(JSON.parse(text) as Record<string, Line>));

const lab = new Lab();
const context = { signal: new AbortController().signal, progress: () => {} };
const members: SeriesMember[] = [];
for (const name of readdirSync(folder).filter((it) => it.endsWith('.pt'))) {
  const file = new File([readFileSync(join(folder, name))], name);
  const { beside } = unwrap(await lab.handlers.openBeside({ file }, context));
  members.push({ name, checkpoint: beside.id, stateDict: 0 });
}
const { series } = unwrap(await lab.handlers.compareSeries({ members }, context));

it('puts the checkpoints in the order of their epochs', () => {
  expect(series.members).toEqual([
    { name: 'z.pt', epoch: 0, step: null, isNamed: false },
    { name: 'y.pt', epoch: 1, step: null, isNamed: false },
    { name: 'x_epoch2.pt', epoch: 2, step: null, isNamed: true },
    { name: 'epoch=0.pt', epoch: 3, step: null, isNamed: false },
  ]);
});

it('follows all tensors of all members, as PyTorch does', () => {
  const keys = series.tensors.map(({ name, shape }) => `${name} [${shape.join(', ')}]`);
  expect(keys).toEqual([...expected.keys()]);
  series.tensors.forEach((tensor, at) => {
    for (const line of ['norms', 'moves'] as const) {
      const wanted = expected.get(keys[at]!)![line];
      const close = wanted.map((it) => (it === null ? null : expect.closeTo(it, 6)));
      expect(tensor[line], `${keys[at]} ${line}`).toEqual(close);
    }
  });
});

it('says of each gap why', () => {
  const gapsOf = (name: string, shape: string) =>
    series.tensors.find((it) => it.name === name && it.shape.join() === shape)!.gaps;
  expect(gapsOf('0.weight', '3,4')).toEqual([]);
  expect(gapsOf('0.bias', '3')).toEqual([{ member: 1, why: 'it holds NaN or infinity' }]);
  expect(gapsOf('1.weight', '3')).toEqual([{ member: 3, why: 'it is not there' }]);
  expect(gapsOf('2.bias', '2')).toEqual([
    { member: 2, why: 'its shape is [5]' },
    { member: 3, why: 'its shape is [5]' },
  ]);
  expect(gapsOf('3.bias', '5').map(({ member }) => member)).toEqual([0, 1]);
});
