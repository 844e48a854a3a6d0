/**
 * Which state of a run is the best one. The score travels with every checkpoint, and is found again
 * by the names that PyTorch's users give it, so that a run that goes on never takes a worse model
 * for a better one.
 */
import { toFloat32 } from '#lib/checkpoint/elements.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import { dict, isDict, isTensor, type Dict, type Value } from '#lib/checkpoint/value.ts';
import type { Best } from './kept.ts';
import type { RunSettings } from './settings.ts';

export type Monitor = RunSettings['monitor'];

/** A best score whose name does not say of what, such as `best_score`; higher is better. */
const SCORE = 'score';

/** What training scripts call their best score, the metric that it is, and which way is better. */
const scoreNames: readonly [RegExp, metric: string, mode: Best['mode']][] = (
  [
    ['loss', 'val_loss', 'min'],
    ['(?:acc|accuracy|prec|precision|top)_?[1@]*', 'val_accuracy', 'max'],
    ['(?:(?:acc|prec|top)_?@?5|top5_accuracy)', 'val_top5_accuracy', 'max'],
    ['f1(?:_score)?', 'val_f1', 'max'],
    ['r2(?:_score)?', 'val_r2', 'max'],
    ['(?:ppl|perplexity)', 'val_perplexity', 'min'],
    ['(?:score|metric|fitness)', SCORE, 'max'],
  ] as const
).map(([name, metric, mode]) => {
  const first = mode === 'min' ? '(?:best|min|lowest)' : '(?:best|max|highest)';
  return [
    new RegExp(`^${first}_?(?:(?:val|valid|validation|test|eval)_)?${name}$`, 'i'),
    metric,
    mode,
  ];
});

/** Metrics between 0 and 1, which many scripts count in percent. */
const fractions = new Set(['val_accuracy', 'val_top5_accuracy', 'val_f1']);

/** `val_loss`: what a monitored metric is called in checkpoints. */
export function monitoredName({ metric }: Monitor): string {
  return `val_${metric}`;
}

/**
 * What a found score says about the monitored metric, as a fraction where scripts count percent;
 * null where it is the score of something else.
 */
export function bestFor(best: Best | null, monitor: Monitor): Best | null {
  const metric = monitoredName(monitor);
  if (!best || best.mode !== monitor.mode) return null;
  if (best.metric !== metric && best.metric !== SCORE) return null;
  return { ...best, metric, value: asFraction(best.value, metric) };
}

function asFraction(value: number, metric: string): number {
  return fractions.has(metric) && value > 1 ? value / 100 : value;
}

/**
 * Whether a score is better than the one before by more than `minDelta`, strictly and by its mode.
 * NaN never is; the first one that is a number always.
 */
export function isBetter(score: Best, before: Best | null, minDelta = 0): boolean {
  if (Number.isNaN(score.value)) return false;
  if (!before) return true;
  const gain = score.mode === 'min' ? before.value - score.value : score.value - before.value;
  return gain > minDelta;
}

/**
 * The best score that a checkpoint tells of: the lab's own, in `run`, else one of the usual names
 * at the top or among the metrics, with the mode that the name implies. Numbers may be tensors of
 * one element. The epoch is 0 where it is not told. Null where there is none, or only the infinity
 * that scripts start from.
 */
export async function bestOf(root: Value): Promise<Best | null> {
  if (!isDict(root)) return null;
  const run = root.get('run');
  const own = isDict(run) && readBest(run.get('best'));
  if (own) return own;
  const places = [root, root.get('metrics')].filter(isDict);
  for (const place of places) {
    for (const [key, held] of place.entries()) {
      const named = namedScore(key);
      const value = named && (await numberOf(held));
      if (!named || value === null || !Number.isFinite(value)) continue;
      const epoch = (await numberOf(place.get('best_epoch'))) ?? 0;
      return { ...named, value: asFraction(value, named.metric), epoch };
    }
  }
  return null;
}

/** A best score as the lab's checkpoints hold it. */
export function writeBest({ epoch, metric, mode, value }: Best): Dict {
  return dict({ epoch: BigInt(epoch), metric, mode, value });
}

function readBest(held: Value | undefined): Best | null {
  if (!isDict(held)) return null;
  const [metric, mode] = [held.get('metric'), held.get('mode')];
  const [epoch, value] = [held.get('epoch'), held.get('value')];
  if (typeof metric !== 'string' || (mode !== 'min' && mode !== 'max')) return null;
  if (typeof epoch !== 'bigint' || typeof value !== 'number') return null;
  return { epoch: Number(epoch), metric, mode, value };
}

function namedScore(key: Value): Pick<Best, 'metric' | 'mode'> | null {
  if (typeof key !== 'string') return null;
  const found = scoreNames.find(([name]) => name.test(key));
  return found ? { metric: found[1], mode: found[2] } : null;
}

async function numberOf(value: Value | undefined): Promise<number | null> {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value);
  if (!isTensor(value) || numel(value.shape) !== 1) return null;
  return toFloat32(await readTensor(value), value.dtype)[0]!;
}

/**
 * Puts the best score at the top of a checkpoint by the usual name that it has there, in percent
 * where that was in percent; as `best_val_loss` and the like where it has none.
 */
export function nameBest(root: Dict, { metric, mode, value }: Best): void {
  let isNamed = false;
  for (const [key, held] of [...root.entries()]) {
    const named = namedScore(key);
    if (named?.mode !== mode || (named.metric !== metric && named.metric !== SCORE)) continue;
    const isPercent = fractions.has(metric) && typeof held === 'number' && held > 1;
    root.set(key, isPercent ? 100 * value : value);
    isNamed = true;
  }
  if (!isNamed) root.set(`best_${metric}`, value);
}
