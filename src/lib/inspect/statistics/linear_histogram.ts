import type { LinearHistogram } from '../tensor_statistics.ts';

/** Parts of a histogram, where whole numbers do not ask for fewer. */
const PARTS = 48;

/**
 * Counts numbers in equally wide parts as `numpy.histogram` does for float64: a part is guessed by a
 * division and put right by the edges, in the same order of operations.
 *
 * Of floats it is `numpy.histogram(values, 48)`. Whole numbers get parts of whole widths, since else
 * some parts would hold more of them than others: `numpy.histogram(values, parts, (low, high))`.
 * Where doubles are too coarse for the edges, which NumPy refuses, all numbers are in one part.
 */
export class HistogramCounter {
  readonly low: number;
  readonly high: number;
  readonly counts: Float64Array;
  readonly #edges: Float64Array;

  constructor(min: number, max: number, isWhole: boolean) {
    const isExact = isWhole && max - min < 2 ** 52 && Math.abs(min) < 2 ** 52;
    const width = Math.max(1, Math.ceil((max - min + 1) / PARTS));
    const parts = isExact ? Math.ceil((max - min + 1) / width) : PARTS;
    let [low, high] = [min, isExact ? min + parts * width : max];
    if (low === high) [low, high] = [low - 0.5, high + 0.5];
    let edges = linspace(low, high, parts);
    if (!edges.every((edge, at) => at === 0 || edges[at - 1]! < edge)) {
      [low, high] = [min, max];
      edges = Float64Array.of(low, high);
    }
    this.low = low;
    this.high = high;
    this.#edges = edges;
    this.counts = new Float64Array(edges.length - 1);
  }

  /** Takes numbers; what is not finite is passed over. */
  add(values: Float64Array, length: number, times?: Float64Array): void {
    const { low, high, counts } = this;
    const edges = this.#edges;
    const parts = counts.length;
    const width = high - low;
    for (let at = 0; at < length; at++) {
      const value = values[at]!;
      if (!(value >= low && value <= high)) continue;
      let part = parts === 1 ? 0 : (((value - low) / width) * parts) | 0;
      if (part === parts) part--;
      if (value < edges[part]!) part--;
      if (value >= edges[part + 1]! && part !== parts - 1) part++;
      counts[part]! += times ? times[at]! : 1;
    }
  }

  get histogram(): LinearHistogram {
    return { low: this.low, high: this.high, counts: [...this.counts] };
  }
}

/** `numpy.linspace` with one more edge than parts. */
function linspace(low: number, high: number, parts: number): Float64Array {
  const step = (high - low) / parts;
  const edges = Float64Array.from({ length: parts + 1 }, (_, at) =>
    step === 0 ? (at / parts) * (high - low) + low : at * step + low,
  );
  edges[parts] = high;
  return edges;
}
