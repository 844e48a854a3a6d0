/** Each tensor of a model through several checkpoints of it: how large it is, how much it moved. */
import { previewRename } from '#lib/edit/rename.ts';
import type { Difference } from '#lib/inspect/compare/difference.ts';
import { compareTensors, type TensorPair } from '#lib/inspect/compare/compare_tensors.ts';
import type { NamedTensor } from '#lib/inspect/compare/named_tensors.ts';
import { detectRules } from '#lib/inspect/compare/naming.ts';
import { label } from '#lib/inspect/repr.ts';
import { bytesOf, obstacleOf, openSide } from './compare_sides.ts';
import type { CallContext, LabState } from './lab.state.ts';
import { paced } from './paced.ts';
import type { Series, SeriesMember } from './protocol.compare.ts';
import { ageOf, compareAge } from './series_age.ts';

/** A tensor in every member that has one of its name and shape. */
interface Line {
  readonly name: string;
  readonly shape: readonly number[];
  readonly tensors: (NamedTensor | null)[];
  readonly norms: (number | null)[];
  readonly moves: (number | null)[];
  /** Why a norm is not there. */
  readonly whys: (string | null)[];
}

/** A line between two members; or in one alone, where they are the same. */
interface Part {
  readonly line: Line;
  readonly from: number;
  readonly to: number;
}

/** Compares each member with the one before it; only two are read at a time. */
export async function compareSeries(
  state: LabState,
  members: readonly SeriesMember[],
  { signal, progress }: CallContext<'compareSeries'>,
): Promise<Series> {
  const inOrder = members
    .map((member) => {
      const { checkpoint, tensors } = openSide(state, member);
      const { name } = member;
      return { name, tensors, ...ageOf({ ...checkpoint, name }) };
    })
    .sort(compareAge);
  const lines = linesOf(inOrder.map(({ tensors }) => tensors));
  const report = paced(progress);
  let [bytes, total] = [0, 0];
  const onBytes = (more: number) => report({ bytes: (bytes += more), total });
  const read = async (parts: readonly Part[]) => {
    const pairs = parts.map(pairOf);
    total += bytesOf(pairs);
    let next = 0;
    for await (const outcome of compareTensors(pairs, { signal, onBytes })) {
      const part = parts[next++]!;
      if (outcome instanceof Error) part.line.whys[part.to] = label(outcome.message);
      else take(part, outcome);
    }
  };
  await read(inOrder.flatMap((_, at) => (at === 0 ? [] : stepsTo(lines, at))));
  // What no neighbour has is read by itself.
  await read(inOrder.flatMap((_, at) => lines.flatMap((line) => loneAt(line, at))));
  return {
    members: inOrder.map(({ name, epoch, step, isNamed }) => ({ name, epoch, step, isNamed })),
    tensors: lines.map(({ name, shape, norms, moves, whys }) => ({
      ...{ name: label(name), shape, norms, moves },
      gaps: whys.flatMap((why, member) => (why === null ? [] : { member, why })),
    })),
  };
}

/**
 * The tensors of all members, those of the first one first: one line for each name and shape, by the
 * names of the member that has it first.
 */
function linesOf(members: readonly (readonly NamedTensor[])[]): Line[] {
  const lines = new Map<string, Line>();
  const known: NamedTensor[] = [];
  const shapes = members.map(() => new Map<string, readonly number[]>());
  for (const [at, tensors] of members.entries()) {
    const names = tensors.map(({ name }) => name);
    const renamed = previewRename(names, detectRules(known, tensors));
    for (const [place, tensor] of tensors.entries()) {
      const { to: name } = renamed[place]!;
      const { shape } = tensor.tensor;
      shapes[at]!.set(name, shape);
      const key = JSON.stringify([name, shape]);
      if (!lines.has(key)) {
        const none = () => members.map((): null => null);
        lines.set(key, {
          ...{ name, shape, tensors: none(), norms: none(), moves: none(), whys: none() },
        });
        known.push({ name, tensor: tensor.tensor });
      }
      lines.get(key)!.tensors[at] = tensor;
    }
  }
  for (const { name, tensors, whys } of lines.values()) {
    tensors.forEach((tensor, at) => {
      const other = shapes[at]!.get(name);
      if (tensor) whys[at] = obstacleOf(tensor, tensor);
      else whys[at] = other ? `its shape is [${other.join(', ')}]` : 'it is not there';
    });
  }
  return [...lines.values()];
}

function stepsTo(lines: readonly Line[], to: number): Part[] {
  const from = to - 1;
  return lines.flatMap((line) => {
    const [one, other] = [line.tensors[from], line.tensors[to]];
    const isRead = one && other && line.whys[from] === null && line.whys[to] === null;
    return isRead && obstacleOf(one, other) === null ? { line, from, to } : [];
  });
}

function loneAt(line: Line, at: number): Part[] {
  return line.norms[at] === null && line.whys[at] === null ? [{ line, from: at, to: at }] : [];
}

function pairOf({ line: { tensors }, from, to }: Part): TensorPair {
  return [tensors[from]!.tensor, tensors[to]!.tensor];
}

/**
 * A norm counts where all that it is of is finite; so it does not where only the other one of the
 * pair has a place that is not.
 */
function take({ line, from, to }: Part, difference: Difference): void {
  const { nans, infinities, measured, count, of } = difference;
  const odd = [0, 1].map((side) => nans[side]! + infinities[side]!);
  [from, to].forEach((at, side) => {
    if (of === 'bytes') line.whys[at] = 'its elements are packed';
    else if (odd[side]! > 0) line.whys[at] = 'it holds NaN or infinity';
  });
  if (of === 'bytes' || odd[0]! + odd[1]! > 0) return;
  line.norms[from] = count === 0 ? 0 : measured!.norms[0];
  line.norms[to] = count === 0 ? 0 : measured!.norms[1];
  if (from !== to) line.moves[to] = count === 0 ? 0 : measured!.norm;
}
