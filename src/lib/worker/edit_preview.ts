/**
 * What a list of edits makes of a checkpoint, row by row. Edits are applied one at a time, and each
 * tensor is followed from step to step: by its elements where it was renamed, by its name where it
 * was changed.
 */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import { isScalar, isTensor, type Value } from '#lib/checkpoint/value.ts';
import { applyEdits, type EditContext, type Tree } from '#lib/edit/apply.ts';
import {
  countCasts,
  type CastCount,
  type CastCounter,
  type CountOptions,
} from '#lib/edit/cast_counts.ts';
import type { Edit } from '#lib/edit/edits.ts';
import { placesIn } from '#lib/edit/places.ts';
import { label, summary } from '#lib/inspect/repr.ts';
import { shown } from './lab.state.ts';
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

/** A tensor or plain value, with a text that is equal for equal ones. */
interface Leaf {
  readonly name: string;
  readonly value: Value;
  readonly content: string;
}

export class Preview {
  readonly id: number;
  /** As the last edit left it that could be done. */
  readonly tree: Tree;
  readonly ok: boolean;
  readonly #steps: EditPreview['steps'] = [];
  readonly #before: EditTotals;
  readonly #rows: readonly EditRow[];
  readonly #casts: CastCounter[] = [];
  #chosen: readonly EditRow[] = [];

  constructor(id: number, checkpoint: Checkpoint, edits: readonly Edit[], context: EditContext) {
    this.id = id;
    const contents = new Contents();
    const before = leavesOf(checkpoint.root, contents);
    let tree: Tree = checkpoint;
    let leaves = before;
    let origins = leaves.map((_, at) => at);
    let ok = true;
    for (const edit of edits) {
      const edited = applyEdits(tree, [edit], context);
      const [{ changed, findings }] = edited.steps as [(typeof edited.steps)[number]];
      this.#steps.push({ changed, findings: findings.map(shown) });
      ({ ok } = edited);
      if (!ok) break;
      this.#casts.push(...edited.casts);
      tree = edited;
      const next = leavesOf(tree.root, contents);
      const matched = match(leaves, next);
      origins = matched.map((at) => (at < 0 ? -1 : origins[at]!));
      leaves = next;
    }
    this.tree = tree;
    this.ok = ok;
    this.#before = editTotals(checkpoint.root);
    this.#rows = rowsOf(before, leaves, origins);
  }

  describe(): EditPreview {
    const counts = { renamed: 0, cast: 0, changed: 0, new: 0, dropped: 0, same: 0 };
    for (const { changes } of this.#rows) for (const change of changes) counts[change]++;
    return {
      ...{ id: this.id, ok: this.ok, steps: this.#steps, counts },
      before: this.#before,
      after: editTotals(this.tree.root),
      metadata: [...this.tree.metadata].map(([key, text]) => [label(key), label(text)]),
      casts: this.#casts.length,
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

/** Texts that are equal for tensors that read the same elements, and for equal plain values. */
class Contents {
  readonly #numbers = new Map<object, number>();

  of(value: Value, key: string): string {
    if (isScalar(value)) return `${key} ${typeof value} ${String(value)}`;
    const parts = (values: Iterable<Value>) => [...values].map((it) => this.of(it, '')).join();
    switch (value.kind) {
      case 'tensor': {
        const { dtype, shape, strides, offset, conj, neg, storage } = value;
        const view = [dtype, shape.join(), strides.join(), offset, conj, neg];
        return [this.#number(storage), ...view].join(' ');
      }
      case 'sparse':
        return `${value.layout} ${value.shape.join()} ${parts(value.parts.map(([, it]) => it))}`;
      // Edits copy these, and what is a leaf is small.
      case 'tuple':
      case 'list':
      case 'set':
        return `${value.kind} ${parts(value.items)}`;
      case 'dict':
        return `${value.type} ${parts([...value.entries()].flat())}`;
      default:
        return `${value.kind} ${this.#number(value)}`;
    }
  }

  #number(object: object): number {
    const known = this.#numbers.get(object) ?? this.#numbers.size;
    this.#numbers.set(object, known);
    return known;
  }
}

function leavesOf(root: Value, contents: Contents): Leaf[] {
  return placesIn(root)
    .filter(({ isContainer }) => !isContainer)
    .map(({ name, key, value }) => ({ name, value, content: contents.of(value, key) }));
}

/** For each leaf after an edit the place of the one before it; -1 for new ones. */
function match(before: readonly Leaf[], after: readonly Leaf[]): number[] {
  const free = new Set(before.keys());
  const byName = new Map<string, number>();
  before.forEach(({ name }, at) => byName.set(name, at));
  const take = (at: number | undefined): number => {
    if (at === undefined || !free.delete(at)) return -1;
    return at;
  };
  const found = after.map(({ name, content }) => {
    const at = byName.get(name);
    return at !== undefined && before[at]!.content === content ? take(at) : -1;
  });
  const byContent = new Map<string, number[]>();
  for (const at of free) {
    const { content } = before[at]!;
    const alike = byContent.get(content);
    if (alike) alike.push(at);
    else byContent.set(content, [at]);
  }
  for (const alike of byContent.values()) alike.reverse(); // the first one is at the end now
  after.forEach(({ content }, at) => {
    if (found[at]! < 0) found[at] = take(byContent.get(content)?.pop());
  });
  after.forEach(({ name }, at) => {
    if (found[at]! < 0) found[at] = take(byName.get(name));
  });
  return found;
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
