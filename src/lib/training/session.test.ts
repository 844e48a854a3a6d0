import { beforeAll, describe, expect, it } from 'vitest';
import {
  tinyExamples,
  tinyGraph,
  tinyModel,
  tinyParameters,
} from '../../../tests/fixtures/tiny.ts';
import type { Examples } from '#lib/inputs/dataset.ts';
import { Optimizer } from '#lib/optim/optimizer.ts';
import { startBackend } from '#lib/runtime/backend.ts';
import * as tf from '#lib/runtime/tf.ts';
import { Session, type Report, type SessionSettings } from './session.ts';

beforeAll(async () => {
  await startBackend(['cpu']);
});

interface Setting {
  settings?: Partial<SessionSettings>;
  lr?: number;
  train?: Examples;
  validation?: Examples;
  dropout?: number;
  report?: (report: Report, session: Session) => void;
}

async function setUp({ settings, lr = 0.1, train, validation, dropout, report }: Setting = {}) {
  const model = await tinyModel();
  const optimizer = Optimizer.fresh({ name: 'AdamW', options: { lr }, groups: [] }, tinyParameters);
  const reports: Report[] = [];
  const session: Session = new Session({
    model,
    optimizer,
    graphFor: (count, training) => tinyGraph(count, training, dropout),
    train: train ?? tinyExamples(20),
    validation: validation ?? tinyExamples(7),
    settings: {
      epochs: 3,
      startEpoch: 5,
      batchSize: 8,
      seed: 1,
      loss: 'cross_entropy',
      ...settings,
    },
    report(it) {
      reports.push(it);
      report?.(it, session);
    },
  });
  const end = () => {
    model.dispose();
    optimizer.dispose();
  };
  return { session, model, reports, end };
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
    expect(reports.at(-1)).toMatchObject({ step: 9, steps: 9, epoch: 8 });
    expect(session.last!.metrics.epoch).toBe(8);
    expect(session.last!.weights.counters.get('bn.num_batches_tracked')).toBe(9n);
    end();
  });

  it('keeps the best by the lowest validation loss, untouched by later steps', async () => {
    const { session, reports, end } = await setUp({ settings: { epochs: 12 }, lr: 0.8 });
    await session.run();
    const losses = reports.flatMap(({ validation }) => validation);
    const lowest = Math.min(...losses.map(({ loss }) => loss));
    const best = losses.find(({ loss }) => loss === lowest)!;
    expect(session.best!.metrics).toMatchObject({ epoch: best.epoch, loss: lowest });
    expect(best.epoch).toBeLessThan(17);
    expect(session.best!.weights.floats.get('fc.weight')).not.toEqual(
      session.last!.weights.floats.get('fc.weight'),
    );
    end();
  });

  it('gives the same numbers for the same seed, dropout too, and others for another', async () => {
    const run = async (seed: number) => {
      const { session, end } = await setUp({ settings: { seed }, dropout: 0.5 });
      await session.run();
      end();
      return session.last!.metrics;
    };
    const [first, again, other] = [await run(3), await run(3), await run(4)];
    expect(again).toEqual(first);
    expect(other.loss).not.toBe(first.loss);
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

  it('stopped within an epoch, it validates and keeps what it has', async () => {
    const { session, end } = await setUp({
      report: ({ train }, session) => {
        if (train.length > 0) session.stop();
      },
    });
    await session.run();
    expect(session.steps).toBe(1);
    expect(session.last!.metrics.epoch).toBe(6);
    expect(Number.isFinite(session.last!.metrics.trainLoss)).toBe(true);
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
    expect(session.last!.metrics.epoch).toBe(6);
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
    const spoilt = (count: number): Examples => ({
      ...tinyExamples(count),
      inputs: new Float32Array(3 * count).fill(NaN),
    });
    const one = await setUp({ train: spoilt(20) });
    await expect(one.session.run()).rejects.toThrow('training: the loss is NaN at step 1');
    expect(one.session.last).toBeNull();
    one.end();
    const two = await setUp({ validation: spoilt(3) });
    await expect(two.session.run()).rejects.toThrow(
      'training: the validation loss is NaN after epoch 6',
    );
    expect(two.session.best).toBeNull();
    two.end();
  });

  it('names a label that the model has no class for', async () => {
    const examples = { ...tinyExamples(4), labels: Int32Array.of(0, 1, 2, 0) };
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
    expect(await leftOver(() => whole({ dropout: 0.5 }))).toBe(0);
    expect(await leftOver(() => whole({ train: { ...tinyExamples(20), labels } }))).toBe(0);
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
