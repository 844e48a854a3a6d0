import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import type { OutlineNode } from '#lib/worker/protocol.ts';
import type { Desk } from '../desk.ts';
import { flatten, parentIndex, typeahead, type OutlineRow } from '../outline.ts';
import { words } from './words.ts';

/** Children fetched at once; a dict of a million entries comes page by page. */
const pageSize = 500;

/** The outline of a checkpoint: what is loaded, expanded and selected. */
export class TreeState {
  root = $state.raw<OutlineNode | null>(null);
  filter = $state('');
  /** Key of the row that has the focus within the tree. */
  activeKey = $state('');
  selected = $state.raw<OutlineNode | null>(null);
  readonly expanded = new SvelteSet<number>();
  readonly #children = new SvelteMap<number, readonly OutlineNode[]>();
  // Bookkeeping that no view shows, so not a SvelteMap.
  // eslint-disable-next-line svelte/prefer-svelte-reactivity
  readonly #loading = new Map<number, Promise<void>>();
  readonly #desk: Desk;

  readonly rows: OutlineRow[] = $derived(
    this.root
      ? flatten(this.root, {
          children: this.#children,
          expanded: this.expanded,
          filter: this.filter.trim().toLowerCase(),
        })
      : [],
  );
  readonly activeIndex = $derived(this.rows.findIndex((row) => row.key === this.activeKey));

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Shows another tree, its root and the nodes on the way to `path` expanded. */
  async show(root: OutlineNode, path: string): Promise<void> {
    this.root = root;
    this.filter = '';
    this.expanded.clear();
    this.#children.clear();
    this.#loading.clear();
    this.selected = root;
    this.activeKey = `node-${root.id}`;
    let node: OutlineNode | undefined = root;
    while (node && node.childCount > 0) {
      await this.expand(node);
      node = this.#children
        .get(node.id)
        ?.find((child) => child.childCount > 0 && leadsTo(child, path));
    }
  }

  /** Goes to a node by the nodes on the way to it, the root first. */
  async reveal(nodes: readonly OutlineNode[]): Promise<void> {
    this.filter = '';
    for (const [at, node] of nodes.entries()) {
      const above = nodes[at - 1];
      if (above && !(await this.#loadTo(above, node))) return;
      if (node.childCount > 0 && at < nodes.length - 1) this.expanded.add(node.id);
    }
    this.selected = nodes.at(-1) ?? null;
    this.activeKey = `node-${this.selected?.id}`;
  }

  /** Fetches children until one is there; false where it does not come. */
  async #loadTo(above: OutlineNode, node: OutlineNode): Promise<boolean> {
    for (;;) {
      const children = this.#children.get(above.id) ?? [];
      if (children.some(({ id }) => id === node.id)) return true;
      await this.loadMore(above);
      if ((this.#children.get(above.id)?.length ?? 0) === children.length) return false;
    }
  }

  /** What a row without rows below it does instead of opening. */
  onLeaf: (node: OutlineNode) => void = () => {};

  async expand(node: OutlineNode): Promise<void> {
    this.expanded.add(node.id);
    if (!this.#children.has(node.id)) await this.loadMore(node);
  }

  async toggle(node: OutlineNode): Promise<void> {
    if (this.expanded.has(node.id)) this.expanded.delete(node.id);
    else if (node.childCount > 0) await this.expand(node);
    else this.onLeaf(node);
  }

  /** Fetches the next page of a node's children; one fetch a node at a time. */
  loadMore(node: OutlineNode): Promise<void> {
    const running = this.#loading.get(node.id);
    if (running) return running;
    const loading = this.#load(node).finally(() => this.#loading.delete(node.id));
    this.#loading.set(node.id, loading);
    return loading;
  }

  async #load(node: OutlineNode): Promise<void> {
    const before = this.#children.get(node.id) ?? [];
    const root = this.root;
    try {
      const start = before.length;
      const args = { node: node.id, start, count: Math.min(pageSize, node.childCount - start) };
      const more = await this.#desk.client.call('children', args);
      if (this.root === root) this.#children.set(node.id, [...before, ...more]);
    } catch (error) {
      this.#desk.problems.defect(words.notListed(node.path || node.key), error);
    }
  }

  select(index: number): void {
    const row = this.rows[index];
    if (!row) return;
    this.activeKey = row.key;
    if (row.kind === 'node') this.selected = row.node;
  }

  /** Enter, Space or a click on a row. */
  async activate(index: number): Promise<void> {
    const row = this.rows[index];
    if (!row) return;
    this.select(index);
    if (row.kind === 'node') return this.toggle(row.node);
    await this.loadMore(row.parent);
    this.select(Math.min(index, this.rows.length - 1));
  }

  /** ArrowRight: opens, or goes to the first child. */
  async into(index: number): Promise<void> {
    const row = this.rows[index];
    if (row?.kind !== 'node' || row.node.childCount === 0) return;
    if (row.expanded) this.select(index + 1);
    else await this.expand(row.node);
  }

  /** ArrowLeft: closes, or goes to the parent. */
  outOf(index: number): void {
    const row = this.rows[index];
    if (row?.kind === 'node' && row.expanded) this.expanded.delete(row.node.id);
    else this.select(parentIndex(this.rows, index));
  }

  find(typed: string): void {
    const from = typed.length > 1 ? this.activeIndex : this.activeIndex + 1;
    const names = this.rows.map((row) => (row.kind === 'node' ? row.node.key : null));
    this.select(typeahead(names, Math.max(0, from), typed));
  }
}

function leadsTo(node: OutlineNode, path: string): boolean {
  return path !== '' && (path.startsWith(node.path) || path === node.key);
}
