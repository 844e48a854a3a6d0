/** What a list of edits makes of a checkpoint, row by row. */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import { isScalar, isTensor, type Value } from '#lib/checkpoint/value.ts';
import type { EditContext, Tree } from '#lib/edit/apply.ts';
import {
  countCasts,
  type CastCount,
  type CastCounter,
  type CountOptions,
} from '#lib/edit/cast_counts.ts';
import type { Edit } from '#lib/edit/edits.ts';
import { label, summary } from '#lib/inspect/repr.ts';
import { editHints } from './edit_hints.ts';
import { EditSteps, type Leaf } from './edit_steps.ts';
import { totalsOf } from './outline.ts';
import type {
  EditChange,
  EditFilter,
  EditPreview,
  EditRow,
  EditSide,
  EditTotals,
  Overflow,
} from './protocol.edit.ts';

export class Preview {
  readonly id: number;
  /** As the last edit left it that could be done. */
  readonly tree: Tree;
  readonly ok: boolean;
  readonly #steps: EditSteps;
  readonly #before: EditTotals;
  readonly #rows: readonly EditRow[];
  #chosen: readonly EditRow[] = [];

  /** `earlier` has done the edits that its list has in common with this one. */
  constructor(
    id: number,
    checkpoint: Checkpoint,
    edits: readonly Edit[],
    context: EditContext,
    earlier: Preview | null = null,
  ) {
    this.id = id;
    this.#steps = new EditSteps(checkpoint, edits, context, earlier && earlier.#steps);
    const { all, failed } = this.#steps;
    const last = all.at(-1)!;
    this.tree = last.tree;
    this.ok = failed === null;
    this.#before = editTotals(checkpoint.root);
    this.#rows = rowsOf(all[0].leaves, last.leaves, last.origins);
  }

  get #casts(): CastCounter[] {
    return this.#steps.all.flatMap(({ casts }) => casts);
  }

  describe(): EditPreview {
    const { all, failed } = this.#steps;
    const counts = { renamed: 0, cast: 0, changed: 0, new: 0, dropped: 0, same: 0 };
    for (const { changes } of this.#rows) for (const change of changes) counts[change]++;
    return {
      ...{ id: this.id, ok: this.ok, counts },
      steps: [...all.slice(1).map(({ told }) => told), ...(failed ? [failed] : [])],
      before: this.#before,
      after: editTotals(this.tree.root),
      metadata: [...this.tree.metadata].map(([key, text]) => [label(key), label(text)]),
      casts: this.#casts.length,
      hints: editHints(this.tree),
    };
  }

  /** Chooses rows; how many there are. */
  filter(show: EditFilter, text: string): number {
    const wanted = text.trim().toLowerCase();
    const has = (side: EditSide | null) => side?.name.toLowerCase().includes(wanted) ?? false;
    this.#chosen = this.#rows.filter(({ changes, before, after }) => {
      const isKind =
        show === 'all' || (show === 'changes' ? !changes.includes('same') : changes.includes(show));
      return isKind && (wanted === '' || has(before) || has(after));
    });
    return this.#chosen.length;
  }

  /** Computes what is cast, and counts what overflows. */
  async overflows(options: CountOptions): Promise<Overflow[]> {
    return overflowed(await countCasts({ root: this.tree.root, casts: this.#casts }, options));
  }

  /** Of what was computed since the preview was made: of everything, once it is written. */
  counted(): Overflow[] {
    return overflowed(this.#casts);
  }

  rows(start: number, count: number): EditRow[] {
    return this.#chosen.slice(start, start + count);
  }
}

function overflowed(casts: readonly CastCount[]): Overflow[] {
  return casts.flatMap(({ names, from, to, overflowed: count }) =>
    count > 0 ? [{ name: label(names.join(', ')), from, to, count }] : [],
  );
}

function editTotals(root: Value): EditTotals {
  const { tensors, bytes } = totalsOf(root);
  return { tensors, bytes };
}

function rowsOf(
  before: readonly Leaf[],
  after: readonly Leaf[],
  origins: readonly number[],
): EditRow[] {
  const rows = after.map((leaf, at): EditRow => {
    const origin = before[origins[at]!];
    const changes = origin ? changesOf(origin, leaf) : (['new'] as const);
    return { changes: [...changes], before: origin ? sideOf(origin) : null, after: sideOf(leaf) };
  });
  const kept = new Set(origins);
  const dropped = before.filter((_, at) => !kept.has(at));
  return [
    ...rows,
    ...dropped.map((leaf): EditRow => ({
      changes: ['dropped'],
      before: sideOf(leaf),
      after: null,
    })),
  ];
}

function changesOf(before: Leaf, after: Leaf): EditChange[] {
  const changes: EditChange[] = [];
  if (before.name !== after.name) changes.push('renamed');
  const [one, two] = [before.value, after.value];
  if (isTensor(one) && isTensor(two) && one.dtype !== two.dtype) changes.push('cast');
  else if (isOther(before, after)) changes.push('changed');
  return changes.length > 0 ? changes : ['same'];
}

/** A renamed plain value has another key in its content, which does not count. */
function isOther(before: Leaf, after: Leaf): boolean {
  if (isScalar(before.value) && isScalar(after.value)) return !Object.is(before.value, after.value);
  return before.content !== after.content;
}

function sideOf({ name, value }: Leaf): EditSide {
  if (!isTensor(value)) return { name: label(name), value: summary(value) };
  const { dtype, shape } = value;
  return { name: label(name), dtype, shape: [...shape], bytes: numel(shape) * itemsize(dtype) };
}
