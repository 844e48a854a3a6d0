import { describe, expect, it } from 'vitest';
import { floats } from '../../../tests/fixtures/tiny.ts';
import { dict, type Value } from '#lib/checkpoint/value.ts';
import { bestFor, bestOf, isBetter, nameBest, writeBest } from './best.ts';
import type { Best } from './kept.ts';

const loss = (value: number): Best => ({ epoch: 1, metric: 'val_loss', mode: 'min', value });
const accuracy = (value: number): Best => ({ ...loss(value), metric: 'val_accuracy', mode: 'max' });

describe('a best score', () => {
  it.each([
    [loss(1), loss(2), true],
    [loss(2), loss(2), false],
    [loss(2), loss(1), false],
    [loss(NaN), loss(1), false],
    [loss(NaN), null, false],
    [loss(1), null, true],
    [accuracy(0.5), accuracy(0.4), true],
    [accuracy(0.4), accuracy(0.5), false],
    [accuracy(NaN), accuracy(0.5), false],
  ])('%j after %j: better is %s', (score, before, better) =>
    expect(isBetter(score, before)).toBe(better),
  );

  it('is better by more than a minimum', () => {
    expect(isBetter(loss(0.95), loss(1), 0.1)).toBe(false);
    expect(isBetter(loss(0.85), loss(1), 0.1)).toBe(true);
  });

  it.each<[string, Value, Pick<Best, 'metric' | 'mode' | 'value'> | null]>([
    ['best_acc', 0.9, { metric: 'val_accuracy', mode: 'max', value: 0.9 }],
    ['best_acc1', 71.5, { metric: 'val_accuracy', mode: 'max', value: 0.715 }],
    ['best_prec1', floats([], 71.5), { metric: 'val_accuracy', mode: 'max', value: 0.715 }],
    ['best_top1', 71.5, { metric: 'val_accuracy', mode: 'max', value: 0.715 }],
    ['best_acc5', 91, { metric: 'val_top5_accuracy', mode: 'max', value: 0.91 }],
    ['best_val_accuracy', 0.5, { metric: 'val_accuracy', mode: 'max', value: 0.5 }],
    ['best_val_loss', 0.25, { metric: 'val_loss', mode: 'min', value: 0.25 }],
    ['min_val_loss', 2, { metric: 'val_loss', mode: 'min', value: 2 }],
    ['best_loss', 3n, { metric: 'val_loss', mode: 'min', value: 3 }],
    ['best_f1', 0.5, { metric: 'val_f1', mode: 'max', value: 0.5 }],
    ['best_r2', -1, { metric: 'val_r2', mode: 'max', value: -1 }],
    ['best_ppl', 12, { metric: 'val_perplexity', mode: 'min', value: 12 }],
    ['best_score', 4, { metric: 'score', mode: 'max', value: 4 }],
    ['best_metric', 0.5, { metric: 'score', mode: 'max', value: 0.5 }],
    ['best_val_loss', Infinity, null],
    ['best_val_loss', NaN, null],
    ['best_loss', 'low', null],
    ['best_model', 0.5, null],
    ['loss', 0.5, null],
  ])('is found as %s = %s', async (key, value, expected) => {
    const root = dict({ model: dict(), [key]: value });
    expect(await bestOf(root)).toEqual(expected && { ...expected, epoch: 0 });
    expect(await bestOf(dict({ metrics: root }))).toEqual(expected && { ...expected, epoch: 0 });
  });

  it('is the lab’s own first, and has the epoch that is told', async () => {
    const root = dict({ best_acc: 0.9, best_epoch: 4n });
    expect(await bestOf(root)).toMatchObject({ epoch: 4, value: 0.9 });
    root.set('run', dict({ best: writeBest(loss(0.5)) }));
    expect(await bestOf(root)).toEqual(loss(0.5));
    root.set('run', dict({ best: dict({ metric: 'val_loss', mode: 'least' }) }));
    expect(await bestOf(root)).toMatchObject({ value: 0.9 });
  });

  it('says nothing of another metric, and something of any where it has no name', () => {
    const monitor = { metric: 'accuracy', mode: 'max' } as const;
    expect(bestFor(loss(1), monitor)).toBeNull();
    expect(bestFor(accuracy(0.5), monitor)).toEqual(accuracy(0.5));
    expect(bestFor({ ...accuracy(55), metric: 'score' }, monitor)).toEqual(accuracy(0.55));
    expect(
      bestFor({ ...accuracy(55), metric: 'score' }, { metric: 'loss', mode: 'min' }),
    ).toBeNull();
  });

  it('is written by the name that is there, in its unit', () => {
    const root = dict({ best_acc1: 71.5, best_val_loss: 0.5 });
    nameBest(root, accuracy(0.75));
    expect([...root.entries()]).toEqual([
      ['best_acc1', 75],
      ['best_val_loss', 0.5],
    ]);
    const other = dict({ best_score: 0.5 });
    nameBest(other, accuracy(0.75));
    nameBest(other, loss(0.25));
    expect([...other.entries()]).toEqual([
      ['best_score', 0.75],
      ['best_val_loss', 0.25],
    ]);
  });
});
