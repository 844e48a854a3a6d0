/**
 * Every scheduler with every argument against torch.optim.lr_scheduler: rates and momenta at each
 * of 200 steps for two groups of SGD and of Adam, state_dicts in structure, types and values, and 50
 * steps more by PyTorch from the lab's state and by the lab from PyTorch's, 1.13's among them.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Dict, dict, isDict, list, type Value } from '#lib/checkpoint/value.ts';
import { memorySink } from '#lib/file/sink.ts';
import { torch } from '#lib/formats/torch.read.ts';
import { recogniseScheduler } from '#lib/optim/schedulers/recognise.ts';
import { Scheduler } from '#lib/optim/schedulers/scheduler.ts';
import type { SchedulerName, SchedulerSettings } from '#lib/optim/schedulers/settings.ts';
import { kinds } from '#lib/optim/schedulers/kinds.ts';
import { oldPython, runPython } from '../../python.ts';
import { open } from '../lab.ts';

const STEPS = 200;
const MORE = 50;
const BOUND = 5e-6;

const make = (
  name: SchedulerName,
  options: SchedulerSettings['options'] = {},
  rest: Pick<SchedulerSettings, 'lambda' | 'schedulers'> = {},
): SchedulerSettings => ({ name, options, ...rest });
const warmUp = (after: 'constant' | 'linear' | 'cosine', warmup: number, total = 0) =>
  make('LambdaLR', {}, { lambda: { after, warmup, total } });
const oneCycle = (options: SchedulerSettings['options']) =>
  make('OneCycleLR', { max_lr: 0.4, total_steps: STEPS + MORE, ...options });
const cyclic = (options: SchedulerSettings['options']) =>
  make('CyclicLR', { base_lr: 0.01, max_lr: 0.2, step_size_up: 17, ...options });
const step = make('StepLR', { step_size: 30 });
const linear = make('LinearLR', { total_iters: 20 });
const cosine = make('CosineAnnealingLR', { T_max: 40 });

/** A row for each argument that matters; settings are listed as the lab has them. */
const rows: SchedulerSettings[] = [
  step,
  make('StepLR', { step_size: 7, gamma: 0.9 }),
  make('StepLR', { step_size: 7, last_epoch: 20 }),
  make('MultiStepLR', { milestones: [20, 50, 120] }),
  make('MultiStepLR', { milestones: [120, 20, 20, 50], gamma: 0.37 }),
  make('ConstantLR'),
  make('ConstantLR', { factor: 0.3, total_iters: 60 }),
  make('LinearLR'),
  make('LinearLR', { start_factor: 0.01, total_iters: 100 }),
  make('LinearLR', { start_factor: 0.9, end_factor: 0.1, total_iters: 150 }),
  make('LinearLR', { end_factor: 0, total_iters: 33 }),
  make('ExponentialLR', { gamma: 0.97 }),
  make('ExponentialLR', { gamma: 1.01, last_epoch: 3 }),
  make('CosineAnnealingLR', { T_max: 200 }),
  make('CosineAnnealingLR', { T_max: 37, eta_min: 1e-4 }),
  make('CosineAnnealingLR', { T_max: 50, last_epoch: 10 }),
  make('CosineAnnealingWarmRestarts', { T_0: 30 }),
  make('CosineAnnealingWarmRestarts', { T_0: 10, T_mult: 2, eta_min: 1e-5 }),
  make('CosineAnnealingWarmRestarts', { T_0: 11, T_mult: 3, last_epoch: 4 }),
  make('PolynomialLR'),
  make('PolynomialLR', { total_iters: 120, power: 2.5 }),
  make('PolynomialLR', { total_iters: 300, power: 0.9 }),
  oneCycle({}),
  oneCycle({ max_lr: [0.4, 0.1] }),
  oneCycle({ total_steps: null, epochs: 25, steps_per_epoch: 10, pct_start: 0.43 }),
  oneCycle({ anneal_strategy: 'linear' }),
  oneCycle({ three_phase: true }),
  oneCycle({ three_phase: true, anneal_strategy: 'linear', pct_start: 0.25 }),
  oneCycle({ cycle_momentum: false }),
  oneCycle({ base_momentum: 0.6, max_momentum: [0.99, 0.8] }),
  oneCycle({ div_factor: 7, final_div_factor: 90 }),
  oneCycle({ last_epoch: 30, total_steps: 300 }),
  cyclic({}),
  cyclic({ base_lr: [0.01, 0.02], max_lr: [0.5, 0.3], step_size_down: 31 }),
  cyclic({ mode: 'triangular2' }),
  cyclic({ mode: 'exp_range', gamma: 0.993 }),
  cyclic({ cycle_momentum: false, scale_mode: 'iterations' }),
  cyclic({ base_momentum: 0.7, max_momentum: [0.95, 0.99], mode: 'triangular2' }),
  make('CyclicLR', { base_lr: 0.01, max_lr: 0.2, last_epoch: 5 }),
  make('ReduceLROnPlateau'),
  make('ReduceLROnPlateau', { factor: 0.5, patience: 3 }),
  make('ReduceLROnPlateau', { mode: 'max', patience: 4, threshold: 0.01 }),
  make('ReduceLROnPlateau', { patience: 2, threshold: 0.05, threshold_mode: 'abs' }),
  make('ReduceLROnPlateau', { mode: 'max', threshold_mode: 'abs', patience: 5, cooldown: 6 }),
  make('ReduceLROnPlateau', { patience: 1, min_lr: [0.02, 0.001], factor: 0.7 }),
  make('ReduceLROnPlateau', { patience: 1, min_lr: 0.002, eps: 0.005 }),
  warmUp('constant', 20),
  warmUp('linear', 20, 220),
  warmUp('cosine', 15, 180),
  warmUp('cosine', 0, 100),
  make('SequentialLR', { milestones: [20] }, { schedulers: [linear, cosine] }),
  make(
    'SequentialLR',
    { milestones: [10, 60, 130] },
    { schedulers: [make('ConstantLR'), make('ExponentialLR', { gamma: 0.98 }), step, linear] },
  ),
  make(
    'SequentialLR',
    { milestones: [25, 90, 150] },
    {
      schedulers: [
        make('CosineAnnealingWarmRestarts', { T_0: 8 }),
        make('PolynomialLR', { total_iters: 40, power: 2 }),
        make('MultiStepLR', { milestones: [0, 20] }),
        warmUp('linear', 10, 100),
      ],
    },
  ),
  make(
    'SequentialLR',
    { milestones: [30, 80] },
    { schedulers: [linear, make('ConstantLR', { factor: 0.5 }), cyclic({})] },
  ),
  make('SequentialLR', { milestones: [0] }, { schedulers: [linear, step] }),
  make(
    'SequentialLR',
    { milestones: [50] },
    { schedulers: [make('ChainedScheduler', {}, { schedulers: [step, linear] }), cosine] },
  ),
  make('ChainedScheduler', {}, { schedulers: [linear, make('ExponentialLR', { gamma: 0.99 })] }),
  make(
    'ChainedScheduler',
    {},
    {
      schedulers: [
        make('SequentialLR', { milestones: [40] }, { schedulers: [linear, cosine] }),
        make('StepLR', { step_size: 60, gamma: 0.5 }),
      ],
    },
  ),
];

const optimizers = {
  SGD: [
    { lr: 0.1, momentum: 0.9 },
    { lr: 0.03, momentum: 0.9, nesterov: true },
  ],
  Adam: [
    { lr: 1e-3, betas: [0.9, 0.999] },
    { lr: 5e-3, betas: [0.8, 0.99] },
  ],
};

/** A metric that gets better, worse and stays, the same for everybody. */
const metrics = Array.from(
  { length: STEPS + MORE },
  (_, step) => Math.round(1000 * (Math.exp(-step / 40) + 0.1 * Math.sin(step * step))) / 1000,
);

const cases = rows.flatMap((settings, row) =>
  Object.entries(optimizers).map(([optimizer, options]) => {
    const last = Number(settings.options.last_epoch ?? -1);
    // Beyond the first epoch torch wants to find what an earlier scheduler has set.
    const earlier = { initial_lr: 0.2, max_lr: 0.4, min_lr: 1e-5 };
    const momenta = { max_momentum: 0.95, base_momentum: 0.85 };
    const groups = options.map((group) => ({
      ...group,
      ...(last >= 0 && { ...earlier, ...momenta }),
    }));
    return { id: `${row} ${settings.name} ${optimizer}`, optimizer, groups, settings, metrics };
  }),
);
type Case = (typeof cases)[number];

/** Rate and momentum of each group. */
type Rates = [number, number][];
type Judged = Record<string, { rates?: Rates[]; error?: string }>;

const folder = mkdtempSync(join(tmpdir(), 'weightroom-schedulers-'));
afterAll(() => rmSync(folder, { recursive: true }));
const old = join(folder, 'old');
mkdirSync(old);

async function judge(command: string, to: string, python?: string): Promise<Judged> {
  const input = JSON.stringify({ steps: STEPS, more: MORE, cases });
  return JSON.parse(await runPython('tests/judge/schedulers.py', [command, to], { input, python }));
}

function at(value: Value | undefined, ...path: string[]): Value | undefined {
  return path.reduce<Value | undefined>(
    (inner, key) => (isDict(inner) ? inner.get(key) : undefined),
    value,
  );
}

function groupsOf(value: Value | undefined): Dict[] {
  const groups = at(value, 'optimizer', 'param_groups');
  if (typeof groups !== 'object' || groups?.kind !== 'list') throw new Error('no param_groups');
  return groups.items.filter(isDict).map((group) => new Dict(group.entries()));
}

function ratesOf(groups: readonly Dict[]): Rates {
  return groups.map((group) => {
    const betas = group.get('betas');
    const pair = typeof betas === 'object' && betas?.kind === 'tuple' ? betas.items : null;
    return [Number(group.get('lr')), Number(pair ? pair[0] : group.get('momentum'))];
  });
}

function take(scheduler: Scheduler, groups: readonly Dict[], from: number, to: number): Rates[] {
  return metrics.slice(from, to).map((metric) => {
    scheduler.step(metric);
    expect(scheduler.lastLr).toEqual(ratesOf(groups).map(([lr]) => lr));
    return ratesOf(groups);
  });
}

/** The largest relative difference; 0 by 0 is none. */
function distance(values: readonly Rates[], reference: readonly Rates[]): number {
  expect(values.length).toBe(reference.length);
  const expected = reference.flat(2);
  return values.flat(2).reduce((worst, value, index) => {
    return Math.max(worst, apart(value, expected[index]!));
  }, 0);
}

function apart(value: number, expected: number): number {
  return value === expected ? 0 : Math.abs(value - expected) / Math.abs(expected);
}

/** Values with equal structure and types; numbers may differ, by how much is given. */
function compare(value: Value | undefined, expected: Value | undefined, where: string): number {
  if (typeof value === 'number' && typeof expected === 'number') return apart(value, expected);
  const [mine, its] = [value, expected].map((it) => (typeof it === 'object' ? it?.kind : it));
  expect(mine, where).toBe(its);
  if (isDict(value) && isDict(expected)) {
    expect(value.type, where).toBe(expected.type);
    expect([...value.keys()], where).toEqual([...expected.keys()]);
    return Math.max(
      0,
      ...[...value.entries()].map(([key, item]) =>
        compare(item, expected.get(key), `${where}.${String(key)}`),
      ),
    );
  }
  const items = (it: Value | undefined) =>
    typeof it === 'object' && (it?.kind === 'list' || it?.kind === 'tuple') ? it.items : [];
  expect(items(value).length, where).toBe(items(expected).length);
  return Math.max(
    0,
    ...items(value).map((item, i) => compare(item, items(expected)[i], `${where}[${i}]`)),
  );
}

/** A setting does not tell 0 from 0.0. */
function floats(value: Value): Value {
  if (typeof value === 'bigint') return Number(value);
  if (isDict(value)) {
    return new Dict(
      [...value.entries()].map(([key, item]) => [key, floats(item)]),
      value.type,
    );
  }
  return typeof value === 'object' && value?.kind === 'list'
    ? list(...value.items.map(floats))
    : value;
}

/** `StepLR(gamma=0.1)`, with what it is made of. */
function textOf({ name, options, lambda, schedulers }: SchedulerSettings): string {
  const given = Object.entries({ ...options, ...lambda }).map(
    ([key, value]) => `${key}=${JSON.stringify(value)}`,
  );
  return `${name}(${[...(schedulers ?? []).map(textOf), ...given].join(', ')})`;
}

/** Groups as they are, in whatever order; torch's state_dict puts `params` last. */
function compareGroups(groups: readonly Dict[], saved: Value | undefined): number {
  const sorted = (group: Dict) =>
    new Dict([...group.entries()].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
  return compare(list(...groups.map(sorted)), list(...groupsOf(saved).map(sorted)), 'param_groups');
}

const [judged, oldJudged] = await Promise.all([
  judge('run', folder),
  oldPython ? judge('run', old, oldPython) : null,
]);
const failed = Object.entries(judged).filter(([, { error }]) => error !== undefined);
if (failed.length > 0) throw new Error(`PyTorch itself fails: ${JSON.stringify(failed)}`);
const ofTorch = (await open(join(folder, 'torch.pt'))).root;
const ofOld = oldJudged && (await open(join(old, 'torch.pt'))).root;

/** What the lab makes of a case on its own. */
function runLab({ id, settings }: Case) {
  const groups = groupsOf(at(ofTorch, id, 'before'));
  const scheduler = Scheduler.fresh(settings, { groups });
  const fresh = {
    state: scheduler.stateDict(),
    groups: groups.map((group) => new Dict(group.entries())),
  };
  const rates = [ratesOf(groups), ...take(scheduler, groups, 0, STEPS)];
  const saved = dict({
    optimizer: dict({
      state: dict(),
      param_groups: list(...groups.map((it) => new Dict(it.entries()))),
    }),
    scheduler: scheduler.stateDict(),
  });
  return { fresh, saved, rates };
}

const lab = new Map(cases.map((it) => [it.id, runLab(it)]));
const sink = memorySink();
await torch.write!(new Dict([...lab].map(([id, { saved }]) => [id, saved])), sink, { stem: 'lab' });
writeFileSync(join(folder, 'lab.pt'), sink.bytes());
const resumed = await judge('resume', folder);

describe('lr_scheduler', () => {
  it.each(cases)('$id $settings.options', ({ id, settings, optimizer }) => {
    const { fresh, saved, rates } = lab.get(id)!;
    const own = judged[id]!.rates!;
    const torchs = at(ofTorch, id, 'stepped');
    const state = Math.max(
      compare(fresh.state, at(ofTorch, id, 'fresh', 'scheduler'), 'fresh'),
      compare(at(saved, 'scheduler'), at(torchs, 'scheduler'), 'stepped'),
      compareGroups(fresh.groups, at(ofTorch, id, 'fresh')),
      compareGroups(groupsOf(saved), torchs),
    );
    const groups = groupsOf(torchs);
    const before = ratesOf(groups);
    const scheduler = Scheduler.restore(settings, at(torchs, 'scheduler') as Dict, { groups });
    expect(ratesOf(groups)).toEqual(before);
    expect(compare(scheduler.stateDict(), at(torchs, 'scheduler'), 'restored')).toBe(0);
    expect(resumed[id]!.error).toBeUndefined();
    const row = {
      rates: distance(rates, own.slice(0, STEPS + 1)),
      state,
      restored: distance(take(scheduler, groups, STEPS, STEPS + MORE), own.slice(STEPS + 1)),
      resumed: distance(resumed[id]!.rates!, own.slice(STEPS + 1)),
    };
    table.push({
      label: `${optimizer} ${textOf(settings)}`,
      ...row,
    });
    for (const [what, error] of Object.entries(row)) expect(error, what).toBeLessThanOrEqual(BOUND);
  });

  it('is recognised by its state_dict, with its arguments', () => {
    for (const { id, settings } of cases) {
      const torchs = at(ofTorch, id, 'stepped');
      const found = recogniseScheduler(at(torchs, 'scheduler'), groupsOf(torchs))!;
      expect(found.name, id).toBe(settings.name);
      expect(found.certain, id).toBe(!JSON.stringify(settings).includes('lambda'));
      if (!found.certain) continue;
      const again = Scheduler.fresh(found.settings, {
        groups: groupsOf(at(ofTorch, id, 'before')),
      });
      if (settings.options.last_epoch !== undefined) continue; // not kept as it was given
      const expected = floats(at(ofTorch, id, 'fresh', 'scheduler')!);
      expect(compare(floats(again.stateDict()), expected, id), id).toBeLessThan(1e-10);
    }
  });

  it('has a row for each of its kind and for each argument', () => {
    for (const [name, { parameters }] of Object.entries(kinds)) {
      const own = rows.filter((row) => row.name === name);
      expect(own.length, name).toBeGreaterThan(0);
      for (const key of Object.keys(parameters)) {
        if (key === 'last_epoch') continue; // common to most of them
        expect(
          own.some(({ options }) => key in options),
          `${name} ${key}`,
        ).toBe(true);
      }
    }
  });
});

describe.skipIf(!ofOld)('lr_scheduler of PyTorch 1.13', () => {
  const able = cases.filter(({ id }) => oldJudged?.[id]?.rates);

  it('saves most schedulers', () => {
    const unable = cases.filter(({ id }) => oldJudged?.[id]?.error);
    const reasons = unable.map(
      ({ id, settings }) => `PyTorch 1.13, ${settings.name}: ${oldJudged![id]!.error}`,
    );
    console.log([...new Set(reasons)].join('\n'));
    expect(new Set(able.map(({ settings }) => settings.name)).size).toBeGreaterThanOrEqual(13);
  });

  it.each(able)('$id $settings.options goes on here', ({ id, settings }) => {
    const saved = at(ofOld!, id, 'stepped');
    const groups = groupsOf(saved);
    const scheduler = Scheduler.restore(settings, at(saved, 'scheduler') as Dict, { groups });
    const rates = take(scheduler, groups, STEPS, STEPS + MORE);
    expect(distance(rates, oldJudged![id]!.rates!.slice(STEPS + 1))).toBeLessThanOrEqual(BOUND);
  });
});

const table: { label: string; rates: number; state: number; restored: number; resumed: number }[] =
  [];
afterAll(() => {
  const cell = (error: number) => (error === 0 ? '0' : error.toExponential(1)).padStart(9);
  const line = ({ label, rates, state, restored, resumed }: (typeof table)[number]) =>
    [rates, state, restored, resumed].map(cell).join('') + `  ${label}`;
  const worst = Math.max(
    ...table.flatMap((row) => [row.rates, row.state, row.restored, row.resumed]),
  );
  console.log(
    [
      `schedulers, largest relative differences from PyTorch 2.13: of rates and momenta in ${STEPS} steps,`,
      `of state_dicts, of ${MORE} steps of the lab from PyTorch's state, of PyTorch from the lab's`,
      ...table.map(line),
      `${table.length} rows, worst ${worst.toExponential(1)}, bound ${BOUND}`,
    ].join('\n'),
  );
});
