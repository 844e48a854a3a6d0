/** The curves of a run as columns over one axis of steps, as uPlot takes them. */
import type { TrainProgress } from '#lib/worker/protocol.ts';

export type TrainPoint = TrainProgress['train'][number];
export type ValidationPoint = TrainProgress['validation'][number];

export interface Curves {
  train: TrainPoint[];
  validation: ValidationPoint[];
}

type Column = (number | null)[];
type Points = readonly { readonly step: number; readonly value: number | null }[];

/** Lines that have points at steps of their own, both in the order of steps. */
export function joined(first: Points, second: Points): [number[], Column, Column] {
  const steps: number[] = [];
  const columns: [Column, Column] = [[], []];
  let [at, other] = [0, 0];
  while (at < first.length || other < second.length) {
    const [a, b] = [first[at]?.step ?? Infinity, second[other]?.step ?? Infinity];
    steps.push(Math.min(a, b));
    columns[0].push(a <= b ? first[at++]!.value : null);
    columns[1].push(b <= a ? second[other++]!.value : null);
  }
  return [steps, ...columns];
}

export function lossTable({ train, validation }: Curves): [number[], Column, Column] {
  const trained = train.map(({ step, loss }) => ({ step, value: loss }));
  return joined(trained, validated(validation, 'val_loss'));
}

/** A metric of the validation, and of training where that is measured too. */
export function metricTable({ validation }: Curves, metric: string): [number[], Column, Column] {
  return joined(validated(validation, `train_${metric}`), validated(validation, `val_${metric}`));
}

export function rateTable({ train }: Curves): [number[], Column] {
  return [train.map(({ step }) => step), train.map(({ lr }) => lr)];
}

function validated(points: readonly ValidationPoint[], key: string): Points {
  return points.flatMap(({ step, metrics }) => {
    return key in metrics ? [{ step, value: metrics[key] ?? null }] : [];
  });
}

/** Metrics that the validations have, without `train_` and `val_`; the loss is shown elsewhere. */
export function metricNames(points: readonly ValidationPoint[]): string[] {
  const keys = points.flatMap(({ metrics }) => Object.keys(metrics));
  const names = keys.flatMap((key) => (key.startsWith('val_') ? [key.slice(4)] : []));
  return [...new Set(names)].filter((name) => name !== 'loss');
}

/** Metrics that are shares of one, and are written as percentages. */
const shares = new Set(['accuracy', 'top5_accuracy', 'f1']);

export const isShare = (metric: string) => shares.has(metric.replace(/^(train|val)_/, ''));
