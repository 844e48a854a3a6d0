/**
 * A list of edits, applied one at a time: each tensor is followed from step to step, by its elements
 * where it was renamed, by its name where it was changed. Where a list begins as an earlier one did,
 * it goes on from there.
 */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { isScalar, type Value } from '#lib/checkpoint/value.ts';
import { applyEdits, type EditContext, type Tree } from '#lib/edit/apply.ts';
import type { CastCounter } from '#lib/edit/cast_counts.ts';
import type { Edit } from '#lib/edit/edits.ts';
import { placesIn } from '#lib/edit/places.ts';
import { shown } from './lab.state.ts';
import type { EditPreview } from './protocol.edit.ts';

/** A tensor or plain value, with a text that is equal for equal ones. */
export interface Leaf {
  readonly name: string;
  readonly value: Value;
  readonly content: string;
}

/** What an edit has made of a checkpoint, and where each leaf comes from. */
interface Step {
  /** The edit as JSON. */
  readonly text: string;
  readonly tree: Tree;
  readonly leaves: readonly Leaf[];
  /** Places among the leaves before all edits; -1 for new ones. */
  readonly origins: readonly number[];
  readonly casts: readonly CastCounter[];
  readonly told: EditPreview['steps'][number];
}

export class EditSteps {
  /** The checkpoint as it was, then what each edit that could be done has made of it. */
  readonly all: readonly [Step, ...Step[]];
  /** Of the edit that could not be done, if there is one. */
  readonly failed: Step['told'] | null;
  readonly #checkpoint: Checkpoint;
  readonly #others: EditContext['others'];
  readonly #contents: Contents;

  constructor(
    checkpoint: Checkpoint,
    edits: readonly Edit[],
    context: EditContext,
    earlier: EditSteps | null = null,
  ) {
    const isKnown = earlier !== null && earlier.#isAbout(checkpoint, context);
    const known = isKnown ? earlier.all : [];
    this.#checkpoint = checkpoint;
    this.#others = context.others;
    this.#contents = isKnown ? earlier.#contents : new Contents();
    const steps: [Step, ...Step[]] = [known[0] ?? this.#first()];
    let failed: Step['told'] | null = null;
    for (const edit of edits) {
      const text = JSON.stringify(edit);
      const last = steps.at(-1)!;
      const next = known[steps.length];
      // The step before is a known one only where all before it are.
      const isSame = next?.text === text && last === known[steps.length - 1];
      const step = isSame ? next : this.#step(last, edit, text, context);
      if ('findings' in step) {
        failed = step;
        break;
      }
      steps.push(step);
    }
    this.all = steps;
    this.failed = failed;
  }

  /** Whether edits would begin with the same checkpoint, and take from the same others. */
  #isAbout(checkpoint: Checkpoint, { others }: EditContext): boolean {
    const known = this.#others;
    const isSame = [...others].every(([id, it]) => known.get(id) === it);
    return checkpoint === this.#checkpoint && others.size === known.size && isSame;
  }

  #first(): Step {
    const { root, metadata } = this.#checkpoint;
    const leaves = leavesOf(root, this.#contents);
    const origins = leaves.map((_, at) => at);
    const told = { changed: 0, findings: [] };
    return { text: '', tree: { root, metadata }, leaves, origins, casts: [], told };
  }

  /** What the edit makes of the step before; of one that fails, why. */
  #step(before: Step, edit: Edit, text: string, context: EditContext): Step | Step['told'] {
    const { root, metadata, casts, ok, steps } = applyEdits(before.tree, [edit], context);
    const [{ changed, findings }] = steps as [(typeof steps)[number]];
    const told = { changed, findings: findings.map(shown) };
    if (!ok) return told;
    const leaves = leavesOf(root, this.#contents);
    const places = match(before.leaves, leaves);
    const origins = places.map((at) => (at < 0 ? -1 : before.origins[at]!));
    return { text, tree: { root, metadata }, leaves, origins, casts, told };
  }
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
