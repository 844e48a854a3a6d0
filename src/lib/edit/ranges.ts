/** Ranges of whole numbers, apart and in order. */
export class Ranges {
  #ranges: [start: number, end: number][] = [];

  add(start: number, end: number): void {
    if (start >= end) return;
    const apart = this.#ranges.filter(([from, to]) => to < start || from > end);
    const touched = this.#ranges.filter(([from, to]) => to >= start && from <= end);
    const from = Math.min(start, ...touched.map(([it]) => it));
    const to = Math.max(end, ...touched.map(([, it]) => it));
    this.#ranges = [...apart, [from, to] as [number, number]].sort(([a], [b]) => a - b);
  }

  /** Takes out what lies between, and gives it. */
  take(start: number, end: number): [start: number, end: number][] {
    const taken: [number, number][] = [];
    this.#ranges = this.#ranges.flatMap(([from, to]) => {
      const [first, last] = [Math.max(from, start), Math.min(to, end)];
      if (first >= last) return [[from, to]];
      taken.push([first, last]);
      const rest: [number, number][] = [
        [from, first],
        [last, to],
      ];
      return rest.filter(([a, b]) => a < b);
    });
    return taken;
  }

  get all(): readonly (readonly [start: number, end: number])[] {
    return this.#ranges;
  }

  get length(): number {
    return this.#ranges.reduce((sum, [from, to]) => sum + to - from, 0);
  }
}
