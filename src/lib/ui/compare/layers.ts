/** How much each layer has changed, as bars in the order of the file. */
import { distanceOf, type ComparedRow } from './compared.ts';

export interface LayerBar {
  /** Of the tensor or module; of the one that changed most, where several share a bar. */
  readonly name: string;
  /** ‖Δ‖/‖a‖ */
  readonly change: number;
  /** The tensor, or the one in the module that changed most. */
  readonly row: ComparedRow;
  /** How many share it. */
  readonly together: number;
}

/** Bars of tensors that were measured; of modules, all that belongs to one counts as one vector. */
export function layerBars(
  rows: readonly ComparedRow[],
  by: 'tensor' | 'module',
  most: number,
): LayerBar[] {
  const measured = rows.filter(({ difference }) => difference?.measured);
  const groups = Map.groupBy(measured, ({ name }) => (by === 'module' ? moduleOf(name) : name));
  const bars = [...groups].map(([name, members]): LayerBar => {
    const sums = members.map(({ difference }) => difference!.measured!);
    const square = (values: number[]) => Math.hypot(...values);
    const change = distanceOf(
      square(sums.map(({ norm }) => norm)),
      square(sums.map(({ norms }) => norms[0])),
    );
    return { name, change, row: largest(members, rowChange), together: 1 };
  });
  if (bars.length <= most) return bars;
  const size = Math.ceil(bars.length / most);
  return Array.from({ length: Math.ceil(bars.length / size) }, (_, at) => {
    const part = bars.slice(at * size, (at + 1) * size);
    return { ...largest(part, ({ change }) => change), together: part.length };
  });
}

function moduleOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot < 0 ? name : name.slice(0, dot);
}

function rowChange({ difference }: ComparedRow): number {
  const { norm, norms } = difference!.measured!;
  return distanceOf(norm, norms[0]);
}

function largest<T>(items: readonly T[], size: (item: T) => number): T {
  return items.reduce((most, item) => (size(item) > size(most) ? item : most));
}

/** Heights from 0 to 1; on a logarithmic scale, eight decades at most. */
export function heightsOf(changes: readonly number[], scale: 'linear' | 'log'): number[] {
  const finite = changes.filter((change) => change > 0 && change < Infinity);
  const high = Math.max(...finite, 0);
  const low = Math.max(Math.min(...finite, high) / 2, high * 1e-8);
  return changes.map((change) => {
    if (change === Infinity) return 1;
    if (change === 0 || high === 0) return 0;
    if (scale === 'linear') return change / high;
    return Math.max(0.01, Math.log(change / low) / Math.log(high / low));
  });
}
