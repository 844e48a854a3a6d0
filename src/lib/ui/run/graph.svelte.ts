import { SvelteSet } from 'svelte/reactivity';
import type {
  Calls,
  GraphInput,
  GraphPart,
  MeasuredGraph,
  SeenTensor,
} from '#lib/worker/protocol.ts';
import type { Desk } from '../desk.ts';
import { firstExpanded, graphRows, type GraphRow } from './graph_rows.ts';
import { parentIndex, typeahead } from '../outline.ts';
import type { RunState } from './running.svelte.ts';
import type { Task } from '../tasks.svelte.ts';
import type { TextState } from './texts.svelte.ts';
import { words } from './words.ts';

/** The measured graph, and what of its tree is expanded and selected. */
export class GraphState {
  measured = $state.raw<MeasuredGraph | null>(null);
  /** Set while a pass is measured. */
  running = $state.raw<Task | null>(null);
  filter = $state('');
  /** Key of the row that has the focus within the tree. */
  activeKey = $state('');
  /** Place of the selected part. */
  selected = $state(0);
  readonly expanded = new SvelteSet<number>();
  readonly #desk: Desk;
  readonly #run: RunState;
  readonly #texts: TextState;

  /** What a pass would be measured with: the Run page's input as it stands. */
  readonly input = $derived.by((): GraphInput | null => {
    const { mode, input } = this.#run;
    if (mode !== 'write' && mode !== 'compare') return input;
    const text = mode === 'write' ? this.#texts.prompt : this.#texts.texts[0];
    return text && this.#texts.tokenizer ? { kind: 'text', text } : null;
  });
  readonly parts = $derived(this.measured?.parts ?? []);
  readonly part: GraphPart | null = $derived(this.parts[this.selected] ?? null);
  readonly rows: GraphRow[] = $derived(
    graphRows(this.parts, this.expanded, this.filter.trim().toLowerCase()),
  );
  readonly activeIndex = $derived(this.rows.findIndex(({ key }) => key === this.activeKey));

  constructor(desk: Desk, run: RunState, texts: TextState) {
    this.#desk = desk;
    this.#run = run;
    this.#texts = texts;
  }

  /** The figures are those of another model. */
  modelChanged(): void {
    this.measured = null;
    this.filter = '';
  }

  async measure(): Promise<void> {
    const { input } = this;
    if (!input || this.running) return;
    const failure = words.graph.failed;
    const result = await this.#desk.tasks.run(words.graph.measuring, failure, (task) => {
      this.running = task;
      const onProgress = ({ done, total }: { done: number; total: number }) => {
        task.fraction = done / total;
      };
      return this.#desk.client.call('measure', { input }, { signal: task.signal, onProgress });
    });
    this.running = null;
    if (result && this.#desk.problems.check(failure, result)) this.#show(result.graph);
  }

  /** The same tree with other figures stays as it stands. */
  #show(measured: MeasuredGraph): void {
    const names = ({ parts }: MeasuredGraph) => parts.map(({ path, name }) => `${path} ${name}`);
    const before = this.measured && names(this.measured).join('\n');
    this.measured = measured;
    if (before === names(measured).join('\n')) return;
    this.filter = '';
    this.selected = 0;
    this.activeKey = 'part-0';
    this.expanded.clear();
    for (const index of firstExpanded(measured.parts)) this.expanded.add(index);
  }

  /** A tensor of the pass; throws what went wrong as an Error for its place on the page. */
  async look(args: Calls['look']['args'], signal: AbortSignal): Promise<SeenTensor> {
    const result = await this.#desk.client.call('look', args, { signal });
    if (result.ok) return result.seen;
    throw new Error(result.findings.map(({ message }) => message).join('; '));
  }

  select(index: number): void {
    const row = this.rows[index];
    if (!row) return;
    this.activeKey = row.key;
    this.selected = row.index;
  }

  activate(index: number): void {
    const row = this.rows[index];
    if (!row) return;
    this.select(index);
    if (row.expanded) this.expanded.delete(row.index);
    else if (row.childCount > 0) this.expanded.add(row.index);
  }

  /** ArrowRight: opens, or goes to the first child. */
  into(index: number): void {
    const row = this.rows[index];
    if (!row || row.childCount === 0) return;
    if (row.expanded) this.select(index + 1);
    else this.expanded.add(row.index);
  }

  /** ArrowLeft: closes, or goes to what it stands in. */
  outOf(index: number): void {
    const row = this.rows[index];
    if (row?.expanded && this.filter === '') this.expanded.delete(row.index);
    else this.select(parentIndex(this.rows, index));
  }

  find(typed: string): void {
    const from = typed.length > 1 ? this.activeIndex : this.activeIndex + 1;
    const names = this.rows.map(({ part }) => part.name);
    this.select(typeahead(names, Math.max(0, from), typed));
  }
}
