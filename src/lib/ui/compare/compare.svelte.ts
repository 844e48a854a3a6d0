import { untrack } from 'svelte';
import type {
  Beside,
  CompareArgs,
  Dropped,
  OpenedCheckpoint,
  PairedCheckpoints,
  PairRow,
  RenameRule,
  Side,
  Suggestion,
} from '#lib/worker/protocol.ts';
import type { BesideState } from '../beside.svelte.ts';
import type { CheckpointState } from '../checkpoint/checkpoint.svelte.ts';
import type { Desk } from '../desk.ts';
import { nextSort, type Sort } from '../table/sort.ts';
import type { Task } from '../tasks.svelte.ts';
import { comparedRow, countRows, orderOf, type ComparedRow, type Status } from './compared.ts';
import { Outcomes } from './outcomes.ts';
import { words } from './words.ts';

/** Milliseconds between two updates of the table while results arrive. */
const UPDATE_EVERY = 250;
/** After the last letter of a rule. */
const PAUSE = 200;

export type Which = 'a' | 'b';
type Place = readonly [a: number, b: number];

/** A side as the page shows it. */
export interface ShownSide {
  readonly id: number | null;
  readonly name: string;
  readonly format: string;
  readonly size: number;
  readonly stateDicts: Beside['stateDicts'];
  /** Which of them; null for the whole file. */
  readonly stateDict: number | null;
}

/** The comparison of the open checkpoint with another one; kept while other pages are shown. */
export class CompareState {
  #other = $state.raw<Beside | null>(null);
  /** The other one is A. */
  swapped = $state(false);
  /** Chosen state_dicts by the number of a checkpoint, -1 for the open one; else the likeliest. */
  #stateDicts = $state.raw<Readonly<Record<number, number | null>>>({});
  /** Null for the prefixes that are found by themselves. */
  rules = $state.raw<readonly RenameRule[] | null>(null);
  chosen = $state.raw<readonly Place[]>([]);
  paired = $state.raw<PairedCheckpoints | null>(null);
  rows = $state.raw<readonly ComparedRow[]>([]);
  suggestions = $state.raw<readonly Suggestion[] | null>(null);
  /** Why names could not be paired. */
  refusal = $state('');
  /** All numbers have been compared; false while that runs, or where it was cancelled. */
  done = $state(false);
  running = $state(false);
  filter = $state('');
  show = $state<Status | 'all'>('all');
  sort = $state.raw<Sort>({ column: 'relative', descending: true });
  #selected = $state.raw<PairRow | null>(null);
  readonly #outcomes = new Outcomes();
  readonly #desk: Desk;
  readonly #checkpoint: CheckpointState;
  readonly #beside: BesideState;
  /** What was compared last, in the words of the worker, and the checkpoint that was open then. */
  #key = '';
  #opened: OpenedCheckpoint | null = null;
  /** What is compared, by names and sizes instead of the worker's numbers. */
  #subject = '';
  /** What the worker died of: it is not tried again by itself. */
  #refused = '';
  #task: Task | null = null;
  #finding: Task | null = null;

  readonly counts = $derived(countRows(this.rows));
  readonly selected = $derived(this.rows.find(({ pair }) => pair === this.#selected) ?? null);
  /** The rows that the filter leaves, in their order. */
  readonly shown = $derived.by(() => {
    const needle = this.filter.trim().toLowerCase();
    const { show } = this;
    const fitting = this.rows.filter(
      ({ name, other, status }) =>
        (show === 'all' || status === show || (show === 'equal' && status === 'same')) &&
        (name.toLowerCase().includes(needle) || (other?.toLowerCase().includes(needle) ?? false)),
    );
    return orderOf(fitting, this.sort);
  });

  constructor(desk: Desk, checkpoint: CheckpointState, beside: BesideState) {
    this.#desk = desk;
    this.#checkpoint = checkpoint;
    this.#beside = beside;
  }

  /** The other checkpoint; null where it was closed. A fresh worker may know it by another number. */
  get other(): Beside | null {
    const wanted = this.#other;
    if (!wanted) return null;
    const fitting = this.#beside.list.filter(
      ({ name, size }) => name === wanted.name && size === wanted.size,
    );
    return fitting.find(({ id }) => id === wanted.id) ?? fitting[0] ?? null;
  }

  readonly a = $derived(this.#side(this.swapped));
  readonly b = $derived(this.#side(!this.swapped));

  #side(isOther: boolean): ShownSide | null {
    const { other } = this;
    const shown = isOther ? other : this.#checkpoint.opened;
    if (!shown) return null;
    const id = isOther ? other!.id : null;
    const { name, format, size, stateDicts } = shown;
    const likeliest = stateDicts.length > 0 ? 0 : null;
    const chosen = this.#stateDicts[id ?? -1];
    const stateDict = chosen === undefined ? likeliest : chosen;
    return { id, name, format, size, stateDicts, stateDict };
  }

  /** Compares with a checkpoint that is open beside. */
  choose(beside: Beside): void {
    this.#other = beside;
    this.#forget();
  }

  /** Opens another checkpoint, and compares with it. */
  async open(dropped: Dropped): Promise<boolean> {
    const beside = await this.#beside.open(dropped);
    if (beside) this.choose(beside);
    return beside !== null;
  }

  /** A is B from now on. Rules are turned around as well, or go where nothing is their opposite. */
  swap(): void {
    const { rules } = this;
    this.#turn(rules && opposite(rules));
    if (!rules || this.rules) return;
    this.#desk.notices.add(words.names.rulesGone, { undo: () => this.#turn(rules) });
  }

  #turn(rules: readonly RenameRule[] | null): void {
    this.#forgetSuggestions();
    this.swapped = !this.swapped;
    this.chosen = this.chosen.map(([a, b]) => [b, a]);
    this.rules = rules;
  }

  chooseStateDict({ id }: ShownSide, stateDict: number | null): void {
    this.#stateDicts = { ...this.#stateDicts, [id ?? -1]: stateDict };
    this.#forget();
  }

  /** Another checkpoint is open: what was said of names was said of the one before. */
  checkpointChanged(): void {
    this.#forget();
  }

  /** They are of the pairs that stand now: an answer that is under way comes too late. */
  #forgetSuggestions(): void {
    this.#finding?.cancel();
    this.suggestions = null;
  }

  #forget(): void {
    this.#forgetSuggestions();
    this.rules = null;
    this.chosen = [];
  }

  select(row: ComparedRow | null): void {
    this.#selected = row?.pair ?? null;
  }

  sortBy(column: string, isNumber: boolean): void {
    this.sort = nextSort(this.sort, column, isNumber);
  }

  /** Compares anew whenever what is compared has changed, as long as the page is shown. */
  follow(): (() => void) | undefined {
    const { opened } = this.#checkpoint;
    const { a, b } = this;
    const args = this.#args();
    if (!opened || !a || !b || !args) return untrack(() => this.#clear());
    if (opened !== this.#opened) this.#key = '';
    this.#opened = opened;
    const files = [a, b].map(({ name, size }) => [name, size]);
    const subject = JSON.stringify([
      files,
      args.a.stateDict,
      args.b.stateDict,
      this.rules,
      this.chosen,
    ]);
    const key = JSON.stringify([subject, args]);
    if (key === this.#key || subject === this.#refused) return;
    const start = () => void this.#start(key, subject, args);
    const timer = setTimeout(start, this.paired ? PAUSE : 0);
    return () => clearTimeout(timer);
  }

  #clear(): undefined {
    this.#task?.cancel();
    this.#key = '';
    this.#forgetSuggestions();
    this.paired = null;
    this.rows = [];
    this.#selected = null;
    this.done = false;
  }

  #args(): CompareArgs | null {
    const { a, b, rules, chosen } = this;
    if (!a || !b) return null;
    return { a: sideOf(a), b: sideOf(b), rules, chosen };
  }

  /** Goes on with what was cancelled, or what the worker died of. */
  again(): void {
    const args = this.#args();
    if (args) void this.#start(this.#key, this.#subject, args);
  }

  async #start(key: string, subject: string, args: CompareArgs): Promise<void> {
    this.#task?.cancel();
    this.#key = key;
    this.#subject = subject;
    this.#refused = '';
    this.refusal = '';
    const result = await this.#desk.client.call('pairTensors', args).catch((error: unknown) => {
      this.#desk.problems.defect(words.notCompared, error);
    });
    if (!result || key !== this.#key) return;
    if (!result.ok) {
      this.refusal = result.findings.map(({ message }) => message).join('; ');
      return;
    }
    this.paired = result.paired;
    this.#forgetSuggestions();
    this.done = false;
    this.#outcomes.keepFor(this.#opened, ...sidesOf(args));
    this.#selected = this.#selected && sameTensors(this.#selected, result.paired.rows);
    this.#update();
    await this.#compare(args);
  }

  #update(): void {
    this.rows = this.paired?.rows.map((row) => comparedRow(row, this.#outcomes.of(row))) ?? [];
  }

  /** Compares what is not known yet. */
  async #compare(args: CompareArgs): Promise<void> {
    const { rows } = this.paired!;
    const known = this.#outcomes.compared(rows);
    this.running = true;
    let updated = performance.now();
    const own: { task: Task | null } = { task: null };
    const result = await this.#desk.tasks.run(words.comparing, words.notCompared, (task) => {
      own.task = this.#task = task;
      return this.#desk.client.call(
        'compareCheckpoints',
        { ...args, known },
        {
          signal: task.signal,
          onProgress: ({ bytes, total, outcomes }) => {
            if (task.signal.aborted) return;
            for (const [row, outcome] of outcomes) this.#outcomes.set(rows[row]!, outcome);
            task.transferred(bytes, total);
            if (performance.now() - updated < UPDATE_EVERY) return;
            this.#update();
            updated = performance.now();
          },
        },
      );
    });
    if (own.task !== this.#task) return; // another one has taken its place
    const isCancelled = own.task?.signal.aborted;
    this.#task = null;
    this.running = false;
    if (!result && !isCancelled) this.#refused = this.#subject;
    this.#update();
    if (result && this.#desk.problems.check(words.notCompared, result)) this.done = true;
  }

  /** Looks for pairs among the tensors without a partner. */
  async suggest(): Promise<void> {
    const args = this.#args();
    if (!args) return;
    this.#forgetSuggestions();
    const failure = words.names.notFound;
    const own: { task: Task | null } = { task: null };
    const result = await this.#desk.tasks.run(words.names.finding, failure, (task) => {
      own.task = this.#finding = task;
      return this.#desk.client.call('suggestPairs', args, {
        signal: task.signal,
        onProgress: ({ done, total }) => (task.fraction = done / total),
      });
    });
    if (!result || own.task?.signal.aborted) return;
    if (this.#desk.problems.check(failure, result)) this.suggestions = result.suggestions;
  }

  accept(suggestions: readonly Suggestion[]): void {
    this.chosen = [...this.chosen, ...suggestions.map(({ pair }) => pair)];
  }

  /** Takes a pair that was chosen by hand apart. */
  part(row: ComparedRow): void {
    this.chosen = this.chosen.filter(([a]) => a !== row.pair.a?.place);
  }

  partAll(): void {
    this.chosen = [];
  }
}

/** Rules that give the names of A what those took from the names of B; null where there are none. */
function opposite(rules: readonly RenameRule[]): readonly RenameRule[] | null {
  const turned = rules.toReversed().flatMap((rule): RenameRule[] => {
    if (!('prefix' in rule)) return [];
    return [{ kind: rule.kind === 'strip' ? 'add' : 'strip', prefix: rule.prefix }];
  });
  return turned.length === rules.length ? turned : null;
}

/** What tells the two sides apart from others. */
function sidesOf({ a, b }: CompareArgs): (number | null)[] {
  return [a.checkpoint, a.stateDict, b.checkpoint, b.stateDict];
}

/** The row of the tensors that a person looked at, now that all were paired anew: the names lead. */
function sameTensors({ a, b }: PairRow, rows: readonly PairRow[]): PairRow | null {
  const names = [a?.name, b?.name];
  const isSame = (row: PairRow) => row.a?.name === names[0] && row.b?.name === names[1];
  const isRelated = (row: PairRow) =>
    [row.a, row.b].some((side) => side && names.includes(side.name));
  return rows.find(isSame) ?? rows.find(isRelated) ?? null;
}

function sideOf({ id, stateDict }: ShownSide): Side {
  return { checkpoint: id, stateDict };
}
