import { SvelteMap } from 'svelte/reactivity';

/** Rows fetched at once. */
const pageSize = 200;
/** Pages kept; the ones that were fetched first go, as a list may have millions of rows. */
const mostPages = 40;

/** Rows of a long list in the worker, fetched page by page as they come into view. */
export class PagedRows<T> {
  /** The last page may bring more than was said: the row on which a broken pickle ends. */
  total = $state(0);
  readonly #lastPage: number;
  readonly #pages = new SvelteMap<number, readonly T[]>();
  readonly #fetch: (start: number, count: number) => Promise<readonly T[] | null>;
  #wanted: number[] = [];
  #busy = false;

  /** `fetch` gives null where it failed, which it has then told. */
  constructor(
    total: number,
    fetch: (start: number, count: number) => Promise<readonly T[] | null>,
  ) {
    this.total = total;
    this.#lastPage = Math.max(0, Math.ceil(total / pageSize) - 1);
    this.#fetch = fetch;
  }

  /** Undefined while it is fetched. */
  row(index: number): T | undefined {
    const page = this.#pageOf(index);
    return this.#pages.get(page)?.[index - page * pageSize];
  }

  /** Sees that rows are there. Only the range that was asked for last is still fetched. */
  want(start: number, end: number): void {
    const first = this.#pageOf(start);
    const last = this.#pageOf(end - 1);
    this.#wanted = [];
    for (let page = first; page <= last; page++) this.#wanted.push(page);
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let page = this.#next(); page !== undefined; page = this.#next()) {
        const rows = await this.#fetch(page * pageSize, pageSize);
        if (!rows) break;
        this.#pages.set(page, rows);
        if (page === this.#lastPage) this.total = page * pageSize + rows.length;
        const [oldest] = this.#pages.keys();
        if (this.#pages.size > mostPages && oldest !== undefined) this.#pages.delete(oldest);
      }
    } finally {
      this.#busy = false;
    }
  }

  #pageOf(index: number): number {
    return Math.min(Math.floor(index / pageSize), this.#lastPage);
  }

  #next(): number | undefined {
    return this.#wanted.find((page) => !this.#pages.has(page));
  }
}
