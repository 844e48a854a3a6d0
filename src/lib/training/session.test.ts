import { beforeAll, describe, expect, it } from 'vitest';
import {
  tinyExamples,
  tinyGraph,
  tinyModel,
  tinyParameters,
  tinySet,
  tinySettings,
  tinyTarget,
  tinyTensors,
  tinyState,
} from '../../../tests/fixtures/tiny.ts';
import { matchParameters, parseOptimizer } from '#lib/checkpoint/optimizer.ts';
import type { Examples } from '#lib/inputs/data/dataset.ts';
import { Optimizer } from '#lib/optim/optimizer.ts';
import { startBackend } from '#lib/runtime/backend.ts';
import { Model } from '#lib/runtime/model.ts';
import * as tf from '#lib/runtime/tf.ts';
import type { Kept } from './kept.ts';
import { Session, type Report, type Start } from './session.ts';
import type { RunSettings } from './settings.ts';
import { Trainer } from './trainer.ts';

beforeAll(async () => {
  await startBackend(['cpu']);
});

interface Setting {
  settings?: Partial<RunSettings>;
  lr?: number;
  train?: Examples;
  validation?: Examples;
  dropout?: number;
  /** A state to go on from. */
  kept?: Kept;
  end?: number;
  report?: (report: Report, session: Session) => void;
  keep?: (kept: Kept) => Promise<void>;
}

const fresh: Start = { epoch: 5, batch: 0, step: 0, best: null, partial: {}, stale: 0 };

async function setUp(setting: Setting = {}) {
  const { lr = 0.1, train = tinyExamples(20), kept, dropout, report, keep } = setting;
  const settings = { ...tinySettings, ...setting.settings };
  const model = kept ? await modelFrom(kept) : await tinyModel();
  const optimizer = kept
    ? await optimizerFrom(kept)
    : Optimizer.fresh({ name: 'AdamW', options: { lr }, groups: [] }, tinyParameters);
  const start = kept ?? fresh;
  const reports: Report[] = [];
  model.seed = settings.seed;
  model.step = start.epoch * Math.ceil(train.count / settings.batchSize) + start.batch;
  const trainer = new Trainer({
    model,
    optimizer,
    loss: settings.loss,
    target: tinyTarget,
    metrics: ['loss', 'accuracy'],
    accumulate: settings.accumulate,
    batchSize: settings.batchSize,
    graphFor: (count, training) => tinyGraph(count, training, dropout),
  });
  const session: Session = new Session({
    trainer,
    metrics: ['loss', 'accuracy'],
    schedule: null,
    rate: () => lr,
    train,
    validation: setting.validation ?? tinyExamples(7),
    settings,
    start,
    end: setting.end ?? start.epoch + settings.epochs,
    snapshot: async () => ({
      weights: await model.read(),
      ema: null,
      optimizer: await optimizer.stateDict(),
      scheduler: null,
      scaler: null,
    }),
    report(it) {
      reports.push(it);
      report?.(it, session);
    },
    keep,
  });
  const end = () => {
    trainer.dispose();
    model.dispose();
    optimizer.dispose();
  };
  return { session, model, reports, end };
}

async function modelFrom({ weights }: Kept): Promise<Model> {
  const tensors = tinyTensors();
  const { tensorFromBytes } = await import('#lib/checkpoint/tensor.ts');
  for (const [key, { shape }] of tensors) {
    const values = weights.floats.get(key);
    const count = weights.counters.get(key);
    const bytes = values?.slice().buffer ?? BigInt64Array.of(count!).buffer;
    tensors.set(key, tensorFromBytes(new Uint8Array(bytes), values ? 'float32' : 'int64', shape));
  }
  return Model.load(tinyState, tensors);
}

async function optimizerFrom(kept: Kept): Promise<Optimizer> {
  const saved = parseOptimizer(kept.optimizer)!;
  const match = matchParameters(saved, tinyParameters);
  if (!match.ok) throw new Error(match.findings[0]!.message);
  return Optimizer.restore('AdamW', saved, match.keys);
}

describe('a session', () => {
  it('counts epochs on, takes the short last batch, and tells every step once', async () => {
    const { session, reports, end } = await setUp();
    await session.run();
    const steps = reports.flatMap(({ train }) => train.map(({ step }) => step));
    expect(steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(reports.flatMap(({ validation }) => validation.map(({ epoch }) => epoch))).toEqual([
      6, 7, 8,
    ]);
    expect(reports.at(-1)).toMatchObject({ step: 9, batch: 9, batches: 9, epoch: 8 });
    expect(session.last).toMatchObject({ epoch: 8, batch: 0, step: 9, partial: {} });
    expect(session.last!.weights.counters.get('bn.num_batches_tracked')).toBe(9n);
    end();
  });

  it('keeps the best by the lowest validation loss, untouched by later steps', async () => {
    const { session, reports, end } = await setUp({ settings: { epochs: 12 }, lr: 0.8 });
    await session.run();
    const points = reports.flatMap(({ validation }) => validation);
    const lowest = Math.min(...points.map(({ metrics }) => metrics.val_loss!));
    const best = points.find(({ metrics }) => metrics.val_loss === lowest)!;
    const record = { epoch: best.epoch, metric: 'val_loss', mode: 'min', value: lowest };
    expect(session.best).toMatchObject({ epoch: best.epoch, best: record });
    expect(session.last!.best).toEqual(record);
    expect(best.epoch).toBeLessThan(17);
    expect(session.best!.weights.floats.get('fc.weight')).not.toEqual(
      session.last!.weights.floats.get('fc.weight'),
    );
    end();
  });

  it('goes by the metric that it is told, and lets no worse state replace a better one', async () => {
    const best = { epoch: 2, metric: 'val_accuracy', mode: 'max', value: 1 } as const;
    const monitor = { metric: 'accuracy', mode: 'max' } as const;
    const one = await setUp({ settings: { monitor } });
    await one.session.run();
    const { reports, session } = one;
    const scores = reports.flatMap(({ validation }) => validation.map((it) => it.metrics));
    const highest = Math.max(...scores.map(({ val_accuracy }) => val_accuracy!));
    expect(session.best!.best).toMatchObject({
      ...monitor,
      metric: 'val_accuracy',
      value: highest,
    });
    one.end();
    const two = await setUp({ settings: { monitor }, kept: { ...session.last!, best } });
    await two.session.run();
    expect(two.session.best).toBeNull();
    expect(two.session.last!.best).toEqual(best);
    two.end();
  });

  it('ends early after `patience` epochs that were not better by more than minDelta', async () => {
    const earlyStopping = { patience: 2, minDelta: 1000 };
    const { session, end } = await setUp({ settings: { epochs: 50, earlyStopping } });
    await session.run();
    expect(session).toMatchObject({ stopped: false, stalled: true });
    expect(session.last).toMatchObject({ epoch: 8, stale: 2 });
    end();
  });

  it('gives the same numbers for the same seed, dropout too, and others for another', async () => {
    const run = async (seed: number) => {
      const { session, end } = await setUp({ settings: { seed }, dropout: 0.5 });
      await session.run();
      end();
      return session.last!;
    };
    const [first, again, other] = [await run(3), await run(3), await run(4)];
    expect(again.metrics).toEqual(first.metrics);
    expect(again.weights).toEqual(first.weights);
    expect(other.metrics.val_loss).not.toBe(first.metrics.val_loss);
  });

  it.each([
    ['between epochs', { epochs: 1 }, 0],
    ['within an epoch', { epochs: 3, keep: { every: 0, newest: 0, steps: 4 } }, 4],
    [
      'within an epoch of gathered batches',
      { accumulate: 2, keep: { ...tinySettings.keep, steps: 4 } },
      4,
    ],
  ])('goes on from a state %s to the numbers of an unbroken run', async (_, settings, step) => {
    const rest = { dropout: 0.5, train: tinyExamples(45), end: 8 };
    const states: Kept[] = [];
    const keep = (kept: Kept) => Promise.resolve(void states.push(kept));
    const whole = await setUp({ ...rest, settings, keep });
    await whole.session.run();
    whole.end();
    const kept = states.find((state) => (step > 0 ? state.step === step : state.epoch === 6))!;
    if (step > 0) expect(kept.batch).toBeGreaterThan(0);
    const broken = await setUp({ ...rest, settings, kept });
    await broken.session.run();
    broken.end();
    const { weights, optimizer, metrics, ...place } = broken.session.last!;
    const expected = whole.session.last!;
    expect(place).toMatchObject({ epoch: 8, step: expected.step, best: expected.best });
    expect(metrics).toEqual(expected.metrics);
    expect(weights).toEqual(expected.weights);
    expect(optimizer.size).toBe(2);
  });

  it('lets messages in while it computes: it is stopped from outside', async () => {
    const { session, end } = await setUp({ settings: { epochs: 100_000 } });
    setTimeout(() => session.stop(), 100);
    const started = performance.now();
    await session.run();
    expect(performance.now() - started).toBeLessThan(3000);
    expect(session.stopped).toBe(true);
    expect(session.last).not.toBeNull();
    end();
  });

  it('stopped within an epoch, it validates and keeps what it has, but not as the best', async () => {
    const { session, reports, end } = await setUp({
      report: ({ train }, session) => {
        if (train.length > 0) session.stop();
      },
    });
    await session.run();
    expect(session.steps).toBe(1);
    expect(session.last).toMatchObject({ epoch: 5, batch: 1, step: 1, best: null });
    expect(session.last!.partial.weight).toBe(8);
    expect(Number.isFinite(session.last!.metrics.train_loss)).toBe(true);
    expect(reports.at(-1)!.validation).toMatchObject([{ epoch: 6, step: 1 }]);
    expect(session.best).toBeNull();
    end();
  });

  it('ends the epoch of a state that lies behind all of its batches', async () => {
    const first = await setUp({ settings: { epochs: 1 } });
    await first.session.run();
    first.end();
    const kept = { ...first.session.last!, batch: 9, partial: { loss: 4, weight: 8 } };
    const { session, end } = await setUp({ kept, end: 8 });
    await session.run();
    expect(session.last).toMatchObject({ epoch: 8, batch: 0 });
    end();
  });

  it('stopped between gathered batches, it makes the step first', async () => {
    const { session, end } = await setUp({
      settings: { accumulate: 2 },
      report: ({ train }, session) => {
        if (train.length > 0) session.stop();
      },
    });
    await session.run();
    expect(session.last).toMatchObject({ batch: 2, step: 1 });
    end();
  });

  it('stopped before the first step of an epoch, it keeps the epoch before', async () => {
    const { session, end } = await setUp({
      report: (report, session) => {
        if (report.validation.length > 0) {
          session.pause();
          setTimeout(() => session.stop(), 5);
        }
      },
    });
    await session.run();
    expect(session.steps).toBe(3);
    expect(session.last).toMatchObject({ epoch: 6, batch: 0 });
    end();
  });

  it('ends when aborted, also while it is paused', async () => {
    const controller = new AbortController();
    const { session, end } = await setUp({
      report: ({ state }, session) => {
        if (state === 'paused') setTimeout(() => controller.abort(), 5);
        else session.pause();
      },
    });
    await expect(session.run(controller.signal)).rejects.toThrow('aborted');
    end();
  });

  it('refuses a loss that is no number, in training and in validation', async () => {
    const spoilt = (count: number): Examples =>
      tinySet(new Float32Array(3 * count).fill(NaN), new Int32Array(count));
    const one = await setUp({ train: spoilt(20) });
    await expect(one.session.run()).rejects.toThrow('training: the loss is NaN at step 1');
    expect(one.session.last).toBeNull();
    one.end();
    const two = await setUp({ validation: spoilt(3) });
    await expect(two.session.run()).rejects.toThrow(
      'training: the validation loss is NaN at step 3',
    );
    expect(two.session.best).toBeNull();
    two.end();
  });

  it('names a label that the model has no class for', async () => {
    const examples = tinySet(new Float32Array(12), Int32Array.of(0, 1, 2, 0));
    const { session, end } = await setUp({ train: examples });
    await expect(session.run()).rejects.toThrow("the label 2 is outside of the model's 2 classes");
    end();
  });
});

describe('tensors on the backend', () => {
  const leftOver = async (run: () => Promise<void>) => {
    await run(); // what is made once
    const before = tf.memory().numTensors;
    await run();
    return tf.memory().numTensors - before;
  };

  it('are as many after a run, stopped, aborted or refused, as before', async () => {
    const whole = async (setting: Setting, signal?: AbortSignal) => {
      const { session, end } = await setUp(setting);
      await session.run(signal).catch(() => {});
      end();
    };
    const labels = Int32Array.from({ length: 20 }, (_, at) => (at === 19 ? 7 : 0));
    const train = tinySet(new Float32Array(60), labels);
    expect(await leftOver(() => whole({ dropout: 0.5 }))).toBe(0);
    expect(await leftOver(() => whole({ train }))).toBe(0);
    expect(await leftOver(() => whole({}, AbortSignal.abort()))).toBe(0);
    const report = () => {
      throw new Error('the device is lost');
    };
    expect(await leftOver(() => whole({ report }))).toBe(0);
  });

  it('are as many after each epoch', async () => {
    const counts: number[] = [];
    const { session, end } = await setUp({
      settings: { epochs: 5 },
      report: ({ validation }) => {
        if (validation.length > 0) counts.push(tf.memory().numTensors);
      },
    });
    await session.run();
    end();
    expect(new Set(counts).size).toBe(1);
  });
});
