/** The tensors of a series as lines over its members. */
import type { Series } from '#lib/worker/protocol.ts';
import { distanceOf } from './compared.ts';

type Line = readonly (number | null)[];

interface Lines {
  readonly norms: Line;
  readonly moves: Line;
}

/** Those that every member has, so that they can be added up. */
export function withoutGaps({ tensors }: Series): Series['tensors'] {
  return tensors.filter(({ gaps }) => gaps.length === 0);
}

/**
 * All tensors without a gap as one vector: its norm in each member, and how far it moved from the one
 * before.
 */
export function wholeSeries(series: Series): Lines {
  const { members } = series;
  const tensors = withoutGaps(series);
  const whole = (line: 'norms' | 'moves') =>
    members.map((_, at) => {
      const known = tensors.flatMap((tensor) => tensor[line][at] ?? []);
      return known.length > 0 ? Math.sqrt(known.reduce((sum, value) => sum + value ** 2, 0)) : null;
    });
  return { norms: whole('norms'), moves: whole('moves') };
}

/** ‖Δ‖/‖x‖ of each step; null for the first member. */
export function changesOf({ norms, moves }: Lines): Line {
  return moves.map((move, at) => (move === null ? null : distanceOf(move, norms[at - 1]!)));
}

/** The largest step of a tensor; null where none was measured. */
export function largestStep(changes: Line): number | null {
  const known = changes.filter((change) => change !== null);
  return known.length > 0 ? Math.max(...known) : null;
}

/** A line as the points of an SVG polyline in a box of 100 × 20; empty without two points. */
export function sparkline(line: Line): string {
  const known = line.filter((value) => value !== null && Number.isFinite(value)) as number[];
  if (known.length < 2) return '';
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const y = (value: number) => (high === low ? 10 : 18 - ((value - low) / (high - low)) * 16);
  return line
    .flatMap((value, at) =>
      value === null || !Number.isFinite(value)
        ? []
        : `${((at / (line.length - 1)) * 100).toFixed(1)},${y(value).toFixed(1)}`,
    )
    .join(' ');
}
