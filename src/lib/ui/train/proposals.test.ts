import { describe, expect, it } from 'vitest';
import type { DataFacts, RunProposal, RunSettings } from '#lib/worker/protocol.ts';
import { changed, merged, runLength } from './proposals.ts';

const settings: RunSettings = {
  name: 'run',
  epochs: 4,
  batchSize: 10,
  accumulate: 1,
  seed: 0,
  optimizer: { name: 'checkpoint', options: {} },
  scheduler: null,
  scaler: null,
  clip: null,
  ema: null,
  loss: { name: 'cross_entropy', labelSmoothing: 0, ignoreIndex: -100, classWeights: null },
  monitor: { metric: 'accuracy', mode: 'max' },
  earlyStopping: null,
  data: { validationShare: 0, stratified: true, augmentation: null },
  keep: { every: 0, newest: 3, steps: 0 },
};
const proposal: RunProposal = {
  settings,
  losses: ['cross_entropy', 'nll_loss'],
  metrics: ['loss', 'accuracy'],
  optimizer: { name: 'SGD', states: 2, groups: 1 },
  optimizerNote: null,
  scheduler: null,
  scaler: false,
  stepsPerEpoch: 10,
  resumes: null,
};
const data = { train: 105 } as DataFacts;

describe('merged', () => {
  it('keeps what was changed and takes what is new', () => {
    const mine = {
      ...settings,
      epochs: 9,
      data: { ...settings.data, validationShare: 0.2 },
    };
    const next = {
      ...settings,
      batchSize: 32,
      data: { validationShare: 0, stratified: false, augmentation: null },
    };
    expect(merged(mine, settings, { ...proposal, settings: next })).toEqual({
      ...next,
      epochs: 9,
      data: { ...next.data, validationShare: 0.2 },
    });
  });

  it('lets go of states that the new checkpoint lacks', () => {
    const mine: RunSettings = {
      ...settings,
      scheduler: { name: 'checkpoint', interval: 'step' },
      scaler: 'checkpoint',
    };
    const fresh: RunSettings = {
      ...settings,
      optimizer: { name: 'AdamW', options: {}, groups: [] },
    };
    expect(merged(mine, settings, { ...proposal, settings: fresh, optimizer: null })).toEqual(
      fresh,
    );
  });

  it('lets go of a loss that does not fit, and of its metric', () => {
    const mine: RunSettings = {
      ...settings,
      loss: { name: 'l1_loss' },
      monitor: { metric: 'r2', mode: 'max' },
    };
    const { loss, monitor } = merged(mine, settings, proposal);
    expect([loss, monitor]).toEqual([settings.loss, settings.monitor]);
  });
});

describe('runLength', () => {
  it('counts optimizer steps, with a short last batch and accumulation', () => {
    expect(runLength(settings, data).steps).toBe(4 * 11);
    expect(runLength({ ...settings, accumulate: 2 }, data).steps).toBe(4 * 6);
    const share = { ...settings.data, validationShare: 0.2 };
    expect(runLength({ ...settings, data: share }, data).steps).toBe(4 * 9);
  });

  it('knows the rate and whether there is a momentum', () => {
    const of = (optimizer: RunSettings['optimizer']) => runLength({ ...settings, optimizer }, data);
    expect(of({ name: 'Adadelta', options: {}, groups: [] })).toMatchObject({
      lr: 1,
      cyclesMomentum: false,
    });
    expect(of({ name: 'SGD', options: { lr: 0.5 }, groups: [] })).toMatchObject({
      lr: 0.5,
      cyclesMomentum: true,
    });
  });
});

describe('changed', () => {
  const cosine = (T_max: number): RunSettings => ({
    ...settings,
    scheduler: { name: 'CosineAnnealingLR', options: { T_max }, interval: 'epoch' },
  });

  it('lets a schedule that spans the run span it still', () => {
    expect(changed(cosine(4), { epochs: 12 }, data).scheduler).toEqual(cosine(12).scheduler);
  });

  it('leaves one alone that was set otherwise, or is set now', () => {
    expect(changed(cosine(7), { epochs: 12 }, data).scheduler).toEqual(cosine(7).scheduler);
    expect(changed(cosine(4), { epochs: 12, scheduler: null }, data).scheduler).toBeNull();
  });
});
