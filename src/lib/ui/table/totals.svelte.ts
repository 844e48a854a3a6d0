import { SvelteSet } from 'svelte/reactivity';
import { parentIndex, typeahead } from '../outline.ts';
import type { TreeView } from '../Tree.svelte';
import type { TableRows } from './table_rows.ts';
import { totalsOf, type Total, type TotalsBy } from './totals.ts';

export interface TotalRow {
  readonly key: string;
  readonly total: Total;
  readonly level: number;
  readonly position: number;
  readonly siblings: number;
  readonly expanded: boolean;
}

/** The totals as a tree: what is expanded, and where the focus is. */
export class TotalsState implements TreeView<TotalRow> {
  by = $state<TotalsBy>('name');
  activeKey = $state('');
  readonly #expanded = new SvelteSet<string>();
  readonly #table: { readonly rows: TableRows | null };
  readonly root = $derived.by(() => this.#table.rows && totalsOf(this.#table.rows, this.by));
  readonly rows: TotalRow[] = $derived(this.root ? flatten(this.root, this.#expanded) : []);
  readonly activeIndex = $derived(this.rows.findIndex(({ key }) => key === this.activeKey));

  constructor(table: { readonly rows: TableRows | null }) {
    this.#table = table;
  }

  reset(): void {
    this.activeKey = '';
    this.#expanded.clear();
  }

  select(index: number): void {
    const row = this.rows[index];
    if (row) this.activeKey = row.key;
  }

  activate(index: number): void {
    const row = this.rows[index];
    if (!row) return;
    this.select(index);
    if (row.expanded) this.#expanded.delete(row.key);
    else if (row.total.parts.size > 0) this.#expanded.add(row.key);
  }

  into(index: number): void {
    const row = this.rows[index];
    if (!row || row.total.parts.size === 0) return;
    if (row.expanded) this.select(index + 1);
    else this.#expanded.add(row.key);
  }

  outOf(index: number): void {
    const row = this.rows[index];
    if (row?.expanded) this.#expanded.delete(row.key);
    else this.select(parentIndex(this.rows, index));
  }

  find(typed: string): void {
    const from = typed.length > 1 ? this.activeIndex : this.activeIndex + 1;
    const names = this.rows.map(({ total }) => total.label);
    this.select(typeahead(names, Math.max(0, from), typed));
  }
}

/** The groups below the whole, and of those that are expanded their parts; the largest first. */
function flatten(root: Total, expanded: ReadonlySet<string>): TotalRow[] {
  const rows: TotalRow[] = [];
  const open = rowsOf(root, 1, expanded).reverse();
  for (let row = open.pop(); row; row = open.pop()) {
    rows.push(row);
    if (row.expanded) open.push(...rowsOf(row.total, row.level + 1, expanded).reverse());
  }
  return rows;
}

function rowsOf({ parts }: Total, level: number, expanded: ReadonlySet<string>): TotalRow[] {
  const sorted = [...parts.values()].sort((a, b) => b.stored - a.stored);
  return sorted.map((total, index) => ({
    key: total.key,
    total,
    level,
    position: index + 1,
    siblings: sorted.length,
    expanded: total.parts.size > 0 && expanded.has(total.key),
  }));
}
