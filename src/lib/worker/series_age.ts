/** How old a checkpoint of a run is: what it says itself, else what its name says. */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { isDict, type Value } from '#lib/checkpoint/value.ts';
import { COUNTS } from './kept_state.ts';

export interface Age {
  readonly epoch: number | null;
  readonly step: number | null;
  /** The epoch, or where there is none the step, is read off the name. */
  readonly isNamed: boolean;
}

/** `epoch=3-step=1200.ckpt`, `model_ep07.pth`, `checkpoint-500`; a bare number may be either. */
const named = {
  epoch: /(?:^|[^a-z])(?:epochs?|ep)[-_=. ]?(\d{1,9})(?!\d)/i,
  step: /(?:^|[^a-z])(?:(?:global[-_]?)?steps?|iter(?:ation)?s?)[-_=. ]?(\d{1,12})(?!\d)/i,
} as const;
/** What transformers' Trainer calls its folders, by steps. */
const trainer = /(?:^|[/\\])checkpoint-(\d{1,12})(?!\d)/i;

export function ageOf({
  root,
  metadata,
  name,
}: Pick<Checkpoint, 'root' | 'metadata' | 'name'>): Age {
  const entries = isDict(root) ? root : null;
  const held = (keys: readonly string[]) => {
    const values = keys.map((key) => countOf(entries?.get(key) ?? metadata.get(key)));
    return values.find((value) => value !== null) ?? null;
  };
  const [epoch, step] = [held(COUNTS.epoch), held(COUNTS.step)];
  const read = (pattern: RegExp) => {
    const digits = pattern.exec(name)?.[1];
    return digits === undefined ? null : Number(digits);
  };
  const namedEpoch = epoch ?? read(named.epoch);
  const namedStep = step ?? read(named.step) ?? read(trainer);
  const isNamed = namedEpoch === null ? namedStep !== step : namedEpoch !== epoch;
  return { epoch: namedEpoch, step: namedStep, isNamed };
}

/** A whole number, or as transformers counts epochs, a part of one more; of metadata, its text. */
function countOf(value: Value | undefined): number | null {
  if (typeof value === 'string') return /^\d{1,15}$/.test(value) ? Number(value) : null;
  if (typeof value !== 'number' && typeof value !== 'bigint') return null;
  const number = Number(value);
  return number >= 0 && Number.isFinite(number) ? number : null;
}

/** By epochs, then steps, then names with the numbers in them as numbers; what tells none comes last. */
export function compareAge(a: Age & { name: string }, b: Age & { name: string }): number {
  const order = (one: number | null, other: number | null) =>
    one === other ? 0 : (one ?? Infinity) - (other ?? Infinity);
  return (
    order(a.epoch, b.epoch) ||
    order(a.step, b.step) ||
    a.name.localeCompare(b.name, 'en', { numeric: true })
  );
}
