import { formatLoss, formatPercent } from '../format.ts';
import { isShare } from './curves.ts';
import { shortNumber } from './options.ts';

/** A number of metrics.csv by its name: shares as percentages. */
export function formatMetric(name: string, value: number): string {
  if (name === 'lr') return shortNumber(value);
  return isShare(name) ? formatPercent(value, 2) : formatLoss(value);
}

/** At the grid lines of a chart. */
export function formatTick(name: string, value: number): string {
  return isShare(name)
    ? `${Number((value * 100).toFixed(2))} %`
    : String(Number(value.toPrecision(4)));
}
