/** Quantiles that are shown, of all finite numbers. */
const QUANTILES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

/** Places, in the sorted numbers, of those that quantiles lie between; they rise. */
export function ranksOf(count: number): number[] {
  const ranks = QUANTILES.flatMap((at) => {
    const below = Math.floor((count - 1) * at);
    return [below, Math.min(below + 1, count - 1)];
  });
  return [...new Set(ranks)].sort((a, b) => a - b);
}

/** `numpy.quantile` with its method `linear`, in its order of operations. */
export function quantilesOf(
  count: number,
  valueAt: (rank: number) => number,
): { at: number; value: number }[] {
  return QUANTILES.map((at) => {
    const place = (count - 1) * at;
    const below = Math.floor(place);
    const [low, high] = [valueAt(below), valueAt(Math.min(below + 1, count - 1))];
    const part = place - below;
    const step = high - low;
    return { at, value: part < 0.5 ? low + step * part : high - step * (1 - part) };
  });
}
