/** Rows drawn above and below the visible ones, so that quick scrolling shows no gaps. */
const OVERSCAN = { rows: 12, columns: 2 };
/** Browsers cut off what is higher than some 16 million pixels; longer lists scroll by shares. */
const HIGHEST = 8_000_000;

/**
 * The rows of a long list that are drawn while it is scrolled; all are as high as its ruler. Or the
 * columns, all as wide: what is said here of heights and the upper end is then said of widths and the
 * left end.
 */
export class Viewport {
  /** The element that scrolls, and its height inside. */
  scroller = $state<HTMLElement>();
  height = $state(600);
  /** Height of an invisible element with the height of a row. */
  ruler = $state(0);
  /** Height of titles that stay at the upper edge of the scroller, above the rows. */
  head = $state(0);
  #top = $state(0);
  readonly #count: () => number;
  readonly #along: 'rows' | 'columns';

  readonly #row = $derived(this.ruler || 26);
  readonly #isCut = $derived(this.#total * this.#row > HIGHEST);
  readonly #fitting = $derived(Math.ceil((this.height - this.head) / this.#row));
  /** The row at the upper edge. */
  readonly #at = $derived(
    this.#isCut
      ? Math.floor(
          (this.#top / (HIGHEST + this.head - this.height)) * (this.#total - this.#fitting),
        )
      : Math.floor(this.#top / this.#row),
  );
  /** Rows `first` to `end` are drawn, `shift` pixels below the upper end of `size` pixels. */
  readonly first = $derived(Math.max(0, this.#at - this.#margin));
  readonly end = $derived(Math.min(this.#total, this.#at + this.#fitting + this.#margin));
  readonly size = $derived(Math.min(this.#total * this.#row, HIGHEST));
  readonly shift = $derived(
    this.#isCut ? this.#top - (this.#at - this.first) * this.#row : this.first * this.#row,
  );

  /** `count` is the number of rows. */
  constructor(count: () => number, along: 'rows' | 'columns' = 'rows') {
    this.#count = count;
    this.#along = along;
  }

  get #edge(): 'scrollTop' | 'scrollLeft' {
    return this.#along === 'rows' ? 'scrollTop' : 'scrollLeft';
  }

  get #margin(): number {
    return OVERSCAN[this.#along];
  }

  get #total(): number {
    return this.#count();
  }

  scrolled(): void {
    this.#top = this.scroller?.[this.#edge] ?? 0;
  }

  isDrawn(index: number): boolean {
    return index >= this.first && index < this.end;
  }

  /** Where a key leads from a row, within the list; undefined for keys that lead nowhere. */
  target(key: string, from: number): number | undefined {
    const page = Math.max(1, this.#fitting - 1);
    const last = this.#total - 1;
    const targets: Record<string, number> = {
      ArrowDown: from + 1,
      ArrowUp: from - 1,
      PageDown: from + page,
      PageUp: from - page,
      Home: 0,
      End: last,
    };
    const target = targets[key];
    return target === undefined ? undefined : Math.max(0, Math.min(last, target));
  }

  /** Scrolls as little as brings a row into view. */
  reveal(index: number): void {
    const { scroller } = this;
    if (!scroller || index < 0) return;
    if (this.#isCut) {
      if (index >= this.#at && index < this.#at + this.#fitting - 1) return;
      scroller[this.#edge] = (index / this.#total) * (HIGHEST + this.head - this.height);
      return;
    }
    const above = index * this.#row;
    const top = scroller[this.#edge];
    if (above < top) scroller[this.#edge] = above;
    else if (above + this.#row > top + this.height - this.head) {
      scroller[this.#edge] = above + this.#row - this.height + this.head;
    }
  }
}
