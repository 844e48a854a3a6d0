/** The tensors of a series as lines over its members. */
import type { Series } from '#lib/worker/protocol.ts';

type Line = readonly (number | null)[];

/** All tensors as one vector: its norm in each member, and how far it moved from the one before. */
export function wholeSeries({ members, tensors }: Series): { norms: Line; changes: Line } {
  const square = (value: number | null | undefined) => (value ?? 0) ** 2;
  const norms = members.map((_, at) =>
    Math.sqrt(tensors.reduce((sum, { norms }) => sum + square(norms[at]), 0)),
  );
  const changes = members.map((_, at) => {
    if (at === 0) return null;
    // Changes are relative to the member before.
    const moved = tensors.reduce(
      (sum, { norms, changes }) => sum + square(changes[at]) * square(norms[at - 1]),
      0,
    );
    return moved === 0 ? 0 : Math.sqrt(moved) / norms[at - 1]!;
  });
  return { norms, changes };
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
