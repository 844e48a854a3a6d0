/** What two checkpoints are as wholes: how many tensors of which dtype, parameters, tied ones. */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import type { NamedTensor } from './named_tensors.ts';

export interface Fact {
  readonly label: string;
  readonly a: string;
  readonly b: string;
}

/** A checkpoint, and the tensors of it that are compared. */
export interface Compared {
  /** For people. */
  readonly format: string;
  readonly findings: Checkpoint['findings'];
  readonly tensors: readonly NamedTensor[];
}

/** Facts about both sides that are not the same. */
export function differingFacts(a: Compared, b: Compared): Fact[] {
  const [left, right] = [factsOf(a), factsOf(b)];
  const labels = new Set([...left.keys(), ...right.keys()]);
  return [...labels].flatMap((label) => {
    const [one, other] = [left.get(label) ?? 'none', right.get(label) ?? 'none'];
    return one === other ? [] : [{ label, a: one, b: other }];
  });
}

const count = (value: number) => value.toLocaleString('en-US');

function factsOf({ format, findings, tensors }: Compared) {
  const facts = new Map<string, string>();
  const all = tensors.map(({ tensor }) => tensor);
  const elements = (list: typeof all) => list.reduce((sum, { shape }) => sum + numel(shape), 0);
  const say = (label: string, list: typeof all) => {
    if (list.length === 0) return;
    facts.set(
      label,
      `${count(list.length)} ${list.length === 1 ? 'tensor' : 'tensors'}, ${count(elements(list))} elements`,
    );
  };
  facts.set('Format', format);
  say('All tensors', all);
  for (const [dtype, list] of Map.groupBy(all, (it) => it.dtype)) say(dtype, list);
  say(
    'requires_grad',
    all.filter(({ requiresGrad }) => requiresGrad),
  );
  say(
    'nn.Parameter',
    all.filter(({ parameter }) => parameter),
  );
  const shared = Map.groupBy(all, ({ storage }) => storage);
  say('Sharing a storage', [...shared.values()].filter(({ length }) => length > 1).flat());
  for (const { code, message } of findings) facts.set(`Finding ${code}`, message);
  return facts;
}
