import { describe, expect, it } from 'vitest';
import { Dict, dict, list, tuple, type List, type Value } from '#lib/checkpoint/value.ts';
import { Optimizer } from '../optimizer.ts';
import { learningRateCurve } from './curve.ts';
import { findScheduler, recogniseScheduler } from './recognise.ts';
import { Scheduler } from './scheduler.ts';
import type { SchedulerName, SchedulerOption, SchedulerSettings } from './settings.ts';

type Options = Record<string, SchedulerOption>;
type Rest = Pick<SchedulerSettings, 'lambda' | 'schedulers'>;
const make = (name: SchedulerName, options: Options = {}, rest: Rest = {}): SchedulerSettings => ({
  name,
  options,
  ...rest,
});
const sgd = (...rates: Value[]) => ({
  groups: rates.map((lr) => dict({ lr, momentum: 0.9 })),
});
const step = make('StepLR', { step_size: 2 });

describe('a scheduler', () => {
  it.each<[SchedulerSettings, string]>([
    [make('StepLR'), 'StepLR needs step_size'],
    [make('StepLR', { step_size: 2, gama: 1 }), 'StepLR has no option gama'],
    [make('StepLR', { step_size: 2.5 }), "StepLR's step_size is 2.5, no int"],
    [make('StepLR', { step_size: 0 }), "StepLR's step_size is 0, not positive"],
    [make('StepLR', { step_size: 2, gamma: null }), "StepLR's gamma is null, no float"],
    [make('MultiStepLR', { milestones: 3 }), "MultiStepLR's milestones is 3, no list"],
    [make('ConstantLR', { factor: 1.5 }), "ConstantLR's factor is 1.5, not between 0 and 1"],
    [make('LinearLR', { start_factor: 0 }), 'is 0, not greater than 0 and at most 1'],
    [make('ExponentialLR', { gamma: '0.9' }), 'ExponentialLR\'s gamma is "0.9", no float'],
    [make('CosineAnnealingLR', { T_max: -1 }), "CosineAnnealingLR's T_max is -1, not positive"],
    [make('CosineAnnealingWarmRestarts', { T_0: 3, T_mult: 0 }), 'T_mult is 0, not positive'],
    [make('OneCycleLR', { max_lr: 1 }), 'needs total_steps, or epochs and steps_per_epoch'],
    [make('OneCycleLR', { max_lr: [1, 2, 3], total_steps: 9 }), 'max_lr has 3 values'],
    [
      make('OneCycleLR', { max_lr: 1, total_steps: 9, anneal_strategy: 'exp' }),
      'anneal_strategy is "exp", not one of cos, linear',
    ],
    [make('CyclicLR', { base_lr: 1, max_lr: 2, mode: 'x' }), 'is "x", not one of triangular'],
    [make('ReduceLROnPlateau', { factor: 1 }), "ReduceLROnPlateau's factor is 1, not below 1"],
    [make('ReduceLROnPlateau', { min_lr: [1] }), 'min_lr has 1 values, param_groups has 2'],
    [make('LambdaLR'), 'LambdaLR needs a function'],
    [
      make('LambdaLR', {}, { lambda: { after: 'linear', warmup: 5, total: 4 } }),
      "LambdaLR's total is 4, no count of steps from 5 on",
    ],
    [make('StepLR', { step_size: 1 }, { schedulers: [] }), 'StepLR takes no schedulers'],
    [make('ChainedScheduler'), 'ChainedScheduler needs at least one scheduler'],
    [
      make('ChainedScheduler', {}, { schedulers: [make('ReduceLROnPlateau')] }),
      'ChainedScheduler takes no ReduceLROnPlateau',
    ],
    [
      make('SequentialLR', { milestones: [3] }, { schedulers: [step] }),
      'SequentialLR has 1 schedulers and 1 milestones, not one less',
    ],
    [
      make('SequentialLR', { milestones: [3, 2] }, { schedulers: [step, step, step] }),
      "SequentialLR's milestones 3, 2 do not rise",
    ],
    [
      make(
        'SequentialLR',
        { milestones: [3] },
        { schedulers: [step, make('ChainedScheduler', {}, { schedulers: [step] })] },
      ),
      'SequentialLR cannot begin ChainedScheduler at a milestone',
    ],
    [make('StepLR', { step_size: 2, last_epoch: 4 }), 'initial_lr of param_groups[0] is missing'],
    [make('MultiplicativeLR' as 'StepLR'), 'there is no MultiplicativeLR'],
  ])('refuses %j', (settings, message) => {
    expect(() => Scheduler.fresh(settings, sgd(0.1, 0.2))).toThrow(message);
  });

  it('refuses to cycle the momentum of an optimizer that has none', () => {
    const groups = [dict({ lr: 0.1 })];
    const settings = make('OneCycleLR', { max_lr: 1, total_steps: 9 });
    expect(() => Scheduler.fresh(settings, { groups })).toThrow(
      'cycle_momentum needs an optimizer with momentum or betas',
    );
  });

  it('refuses what only shows at a step, as PyTorch does', () => {
    const factor = Scheduler.fresh(make('ConstantLR', { factor: 0, total_iters: 1 }), sgd(0.1));
    expect(() => factor.step()).toThrow('divide 1 by zero');
    const short = Scheduler.fresh(make('OneCycleLR', { max_lr: 1, total_steps: 8 }), sgd(0.1));
    for (let step = 0; step < 8; step++) short.step();
    expect(() => short.step()).toThrow('OneCycleLR ends after 8 steps, this is step 9');
    const plateau = Scheduler.fresh(make('ReduceLROnPlateau'), sgd(0.1));
    expect(() => plateau.step()).toThrow('needs the metric that it watches');
  });

  it('goes on from its state without touching the groups', () => {
    const optimizer = { groups: [dict({ lr: 1n, betas: tuple(0.9, 0.99) })] };
    const settings = make('CyclicLR', { base_lr: 0.1, max_lr: 1, step_size_up: 3 });
    const whole = Scheduler.fresh(settings, optimizer);
    whole.step();
    const groups = optimizer.groups.map((group) => new Dict(group.entries()));
    const again = Scheduler.restore('CyclicLR', whole.stateDict(), { groups });
    expect([...groups[0]!.entries()]).toEqual([...optimizer.groups[0]!.entries()]);
    whole.step();
    again.step();
    expect([...groups[0]!.entries()]).toEqual([...optimizer.groups[0]!.entries()]);
    expect(again.lastLr).toEqual(whole.lastLr);
    expect(again.stateDict()).toEqual(whole.stateDict());
  });

  it.each<[string, SchedulerName, (saved: Dict) => Dict, string]>([
    [
      'another one',
      'ExponentialLR',
      (saved) => saved,
      'no state_dict of ExponentialLR but of StepLR',
    ],
    ['an unknown attribute', 'StepLR', (it) => it.set('warmup', 3n), 'no state_dict of StepLR'],
    [
      'another count of groups',
      'StepLR',
      (it) => it.set('base_lrs', list(1)),
      'its base_lrs is not',
    ],
    ['text for a number', 'StepLR', (it) => it.set('last_epoch', '3'), 'its last_epoch is not'],
    ['a bad argument', 'StepLR', (it) => it.set('step_size', 0n), 'step_size is 0, not positive'],
  ])('refuses the state of %s', (_, name, change, message) => {
    const optimizer = sgd(0.1, 0.2);
    const saved = change(Scheduler.fresh(step, optimizer).stateDict());
    expect(() => Scheduler.restore(name, saved, optimizer)).toThrow(message);
  });

  it('adds to the groups of an optimizer, whose state_dict ends with params as in torch', async () => {
    const settings = { name: 'SGD', options: { momentum: 0.9 }, groups: [] } as const;
    const optimizer = Optimizer.fresh(settings, [{ key: 'weight', shape: [2] }]);
    Scheduler.fresh(make('OneCycleLR', { max_lr: 1, total_steps: 9 }), optimizer);
    const { items } = (await optimizer.stateDict()).get('param_groups') as List;
    expect([...(items[0] as Dict).keys()].slice(-6)).toEqual([
      'initial_lr',
      'max_lr',
      'min_lr',
      'max_momentum',
      'base_momentum',
      'params',
    ]);
  });

  it('asks for the functions that no checkpoint holds', () => {
    const settings = make('LambdaLR', {}, { lambda: { after: 'constant', warmup: 2, total: 0 } });
    const optimizer = sgd(0.5);
    const scheduler = Scheduler.fresh(settings, optimizer);
    scheduler.step();
    const saved = scheduler.stateDict();
    expect(() => Scheduler.restore('LambdaLR', saved, optimizer)).toThrow(
      'LambdaLR needs a function',
    );
    const again = Scheduler.restore(settings, saved, optimizer);
    expect(again.lastLr).toEqual([0.25]);
    again.step();
    expect(again.lastLr).toEqual([0.5]);
  });
});

describe('state_dicts of schedulers', () => {
  const saved = Scheduler.fresh(step, sgd(0.1)).stateDict();

  it.each<[string, Value, string | null]>([
    ['scheduler', saved, 'scheduler'],
    ['lr_schedulers', list(saved), 'lr_schedulers'],
    ['scheduler', dict({ gamma: 0.1, last_epoch: 3n }), null],
    ['scheduler', null, null],
  ])('are found as %s', (key, value, expected) => {
    const found = findScheduler(dict({ model: dict(), [key]: value, epoch: 3n }));
    expect(found?.key ?? null).toBe(expected);
    if (found)
      expect(found.scheduler).toEqual({
        name: 'StepLR',
        settings: { ...step, options: { step_size: 2, gamma: 0.1 } },
        certain: true,
      });
  });

  it('of other classes, or without an end, are none', () => {
    expect(
      recogniseScheduler(dict({ gamma: 0.5, last_epoch: 0n, base_lrs: list(1), warm: true })),
    ).toBe(null);
    const cyclic = Scheduler.fresh(make('CyclicLR', { base_lr: 1, max_lr: 2 }), sgd(1)).stateDict();
    expect(recogniseScheduler(cyclic)?.name).toBe('CyclicLR');
    expect(recogniseScheduler(cyclic.set('_scale_fn_custom', dict({ a: 1 })))).toBe(null);
    const endless = dict({ _last_lr: list(1) });
    endless.set('_schedulers', list(endless));
    expect(recogniseScheduler(endless)).toBe(null);
    const many = Scheduler.fresh(make('MultiStepLR', { milestones: [3] }), sgd(1)).stateDict();
    many.set('milestones', new Dict([[3n, 10n ** 12n]], 'Counter'));
    expect(recogniseScheduler(many)).toBe(null);
  });
});

describe('a curve', () => {
  it('has the rates of each group at steps between the first and the last', () => {
    const optimizer = sgd(1, 0.5);
    const curve = learningRateCurve(make('StepLR', { step_size: 2, gamma: 0.5 }), optimizer, 9, 5);
    expect(curve).toEqual([
      [1, 0.5, 0.25, 0.125, 0.0625],
      [0.5, 0.25, 0.125, 0.0625, 0.03125],
    ]);
    expect([...optimizer.groups[0]!.keys()]).toEqual(['lr', 'momentum']);
    expect(learningRateCurve(step, optimizer, 3, 100)[0]).toHaveLength(3);
    expect(learningRateCurve(make('ReduceLROnPlateau'), optimizer, 100, 2)[0]).toEqual([1, 1]);
  });

  it('says where a schedule is shorter than the run', () => {
    const settings = make('OneCycleLR', { max_lr: 1, total_steps: 8 });
    expect(learningRateCurve(settings, sgd(1), 8, 8)[0]).toHaveLength(8);
    expect(() => learningRateCurve(settings, sgd(1), 12, 8)).toThrow('ends after 8 steps');
  });
});
