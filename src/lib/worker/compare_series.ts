/** Each tensor of a model through several checkpoints of it: how large it is, how much it moved. */
import { isDict, type Value } from '#lib/checkpoint/value.ts';
import { compareTensors, type TensorPair } from '#lib/inspect/compare/compare_tensors.ts';
import type { NamedTensor } from '#lib/inspect/compare/named_tensors.ts';
import { detectRules } from '#lib/inspect/compare/naming.ts';
import { pairTensors } from '#lib/inspect/compare/pairing.ts';
import { label } from '#lib/inspect/repr.ts';
import { bytesOf, obstacleOf, openSide, type OpenSide } from './compare_sides.ts';
import { COUNTS, isCount } from './kept_state.ts';
import type { CallContext, LabState } from './lab.state.ts';
import { paced } from './paced.ts';
import type { Series, SeriesMember } from './protocol.compare.ts';

interface Member extends OpenSide {
  readonly name: string;
  readonly epoch: number | null;
  readonly step: number | null;
}

/** Compares each member with the one before it; only two are read at a time. */
export async function compareSeries(
  state: LabState,
  members: readonly SeriesMember[],
  { signal, progress }: CallContext<'compareSeries'>,
): Promise<Series> {
  const inOrder = members.map((member) => memberOf(state, member)).sort(compareAge);
  const [first] = inOrder;
  if (!first) return { members: [], tensors: [] };
  // Places in each member of the tensors of the first one.
  const places = inOrder.map(({ tensors }) => placesIn(first.tensors, tensors));
  const tensors = first.tensors.map(({ name, tensor: { shape } }) => ({
    ...{ name: label(name), shape },
    norms: inOrder.map((): number | null => null),
    moves: inOrder.map((): number | null => null),
  }));
  const steps = inOrder.slice(1).map((member, at) => {
    const [before, after] = [places[at]!, places[at + 1]!];
    return tensors.flatMap((_, index) => {
      const [from, to] = [before.get(index), after.get(index)];
      if (from === undefined || to === undefined) return [];
      const one = inOrder[at]!.tensors[from]!;
      const other = member.tensors[to]!;
      return obstacleOf(one, other) === null
        ? { index, pair: [one.tensor, other.tensor] as TensorPair }
        : [];
    });
  });
  const total = bytesOf(steps.flat().map(({ pair }) => pair));
  const report = paced(progress);
  let bytes = 0;
  const onBytes = (more: number) => report({ bytes: (bytes += more), total });
  for (const [at, step] of steps.entries()) {
    const outcomes = compareTensors(
      step.map(({ pair }) => pair),
      { signal, onBytes },
    );
    let next = 0;
    for await (const outcome of outcomes) {
      const { norms, moves } = tensors[step[next++]!.index]!;
      if (outcome instanceof Error || !outcome.measured) continue;
      const { measured } = outcome;
      norms[at] = measured.norms[0];
      norms[at + 1] = measured.norms[1];
      moves[at + 1] = measured.norm;
    }
  }
  return { members: inOrder.map(({ name, epoch, step }) => ({ name, epoch, step })), tensors };
}

function memberOf(state: LabState, member: SeriesMember): Member {
  const side = openSide(state, member);
  const { root } = side.checkpoint;
  const { name } = member;
  return { ...side, name, epoch: countOf(root, COUNTS.epoch), step: countOf(root, COUNTS.step) };
}

function countOf(root: Value, keys: readonly string[]): number | null {
  const held = isDict(root) ? keys.map((key) => root.get(key)).find(isCount) : undefined;
  return held === undefined ? null : Number(held);
}

/** By epochs, then steps, as far as both tell; then by names, with numbers in them as numbers. */
function compareAge(a: Member, b: Member): number {
  const order = (one: number | null, other: number | null) =>
    one === null || other === null ? 0 : one - other;
  return (
    order(a.epoch, b.epoch) ||
    order(a.step, b.step) ||
    a.name.localeCompare(b.name, 'en', { numeric: true })
  );
}

/** Where the tensors of one list are in another, by their names or those behind its prefixes. */
function placesIn(
  first: readonly NamedTensor[],
  tensors: readonly NamedTensor[],
): ReadonlyMap<number, number> {
  return new Map(pairTensors(first, tensors, detectRules(first, tensors)).pairs);
}
