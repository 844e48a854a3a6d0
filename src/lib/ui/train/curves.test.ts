import { expect, it } from 'vitest';
import { joined, lossTable, metricNames, metricTable, rateTable, type Curves } from './curves.ts';

const curves: Curves = {
  train: [
    { step: 1, loss: 3, lr: 0.1 },
    { step: 2, loss: 2, lr: 0.2 },
    { step: 4, loss: 1, lr: 0.3 },
  ],
  validation: [
    { step: 2, epoch: 1, metrics: { train_loss: 2.5, val_loss: 2.2, val_accuracy: 0.5 } },
    { step: 5, epoch: 2, metrics: { val_loss: 1.5, val_f1: 0.25 } },
  ],
};

it('puts both losses over one axis', () => {
  expect(lossTable(curves)).toEqual([
    [1, 2, 4, 5],
    [3, 2, 1, null],
    [null, 2.2, null, 1.5],
  ]);
});

it('shows a metric where it was measured', () => {
  expect(metricNames(curves.validation)).toEqual(['accuracy', 'f1']);
  expect(metricTable(curves, 'accuracy')).toEqual([[2], [null], [0.5]]);
  expect(rateTable(curves)).toEqual([
    [1, 2, 4],
    [0.1, 0.2, 0.3],
  ]);
});

it('joins nothing to nothing', () => {
  expect(joined([], [])).toEqual([[], [], []]);
});
