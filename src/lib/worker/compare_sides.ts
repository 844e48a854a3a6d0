/** The two sides of a comparison: what is open, the tensors that count, and how they are paired. */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { isMeta, numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import type { RenameRule } from '#lib/edit/rename.ts';
import { arithmeticOf } from '#lib/inspect/compare/arithmetic.ts';
import type { TensorPair } from '#lib/inspect/compare/compare_tensors.ts';
import { namedTensors, type NamedTensor } from '#lib/inspect/compare/named_tensors.ts';
import { detectNaming, type Naming } from '#lib/inspect/compare/naming.ts';
import { haveSameShape, pairTensors, type Pairing } from '#lib/inspect/compare/pairing.ts';
import { pairFacts, type Described } from '#lib/inspect/compare/pair_facts.ts';
import { layoutOf } from '#lib/inspect/layout.ts';
import { label } from '#lib/inspect/repr.ts';
import type { LabState } from './lab.state.ts';
import type { CompareArgs, PairRow, Side, TensorRow } from './protocol.compare.ts';

export interface OpenSide {
  readonly checkpoint: Checkpoint;
  readonly tensors: readonly NamedTensor[];
}

/** Throws a FindingError where the side is not open any more. */
export function openSide(state: LabState, { checkpoint, stateDict }: Side): OpenSide {
  const opened = checkpoint === null ? state.need() : state.needBeside(checkpoint);
  const { root } = opened.checkpoint;
  if (stateDict === null) return { checkpoint: opened.checkpoint, tensors: namedTensors(root) };
  const candidate = opened.stateDicts[stateDict];
  if (!candidate) {
    throw new FindingError({
      code: 'compare-state-dict',
      message: `compare: ${opened.checkpoint.name} has no state_dict ${stateDict + 1}`,
      advice: 'Choose another one, or the whole file.',
    });
  }
  return { checkpoint: opened.checkpoint, tensors: namedTensors(candidate.dict) };
}

export interface Sides {
  readonly a: OpenSide;
  readonly b: OpenSide;
  readonly rules: readonly RenameRule[];
  readonly offered: readonly RenameRule[] | null;
  readonly choices: Naming['choices'];
  readonly pairing: Pairing;
  readonly rows: readonly PairRow[];
}

/** Opens both sides and pairs their tensors. Throws a FindingError where that cannot be done. */
export function pairSides(state: LabState, args: CompareArgs): Sides {
  const a = openSide(state, args.a);
  const b = openSide(state, args.b);
  const { rules: found, choices } = detectNaming(a.tensors, b.tensors);
  const rules = args.rules ?? found;
  const pairing = pairTensors(a.tensors, b.tensors, rules, args.chosen);
  const isBetter = () =>
    pairTensors(a.tensors, b.tensors, found, args.chosen).pairs.length > pairing.pairs.length;
  const offered = rules !== found && found.length > 0 && isBetter() ? found : null;
  return { a, b, rules, offered, choices, pairing, rows: rowsOf(a, b, pairing, args) };
}

function rowsOf(a: OpenSide, b: OpenSide, pairing: Pairing, { chosen }: CompareArgs): PairRow[] {
  const partners = new Map(pairing.pairs);
  const byHand = new Set(chosen.map(([place]) => place));
  const [describeA, describeB] = [describedIn(a), describedIn(b)];
  const rows = a.tensors.map((one, place): PairRow => {
    const partner = partners.get(place);
    if (partner === undefined) return { a: rowOf(one, place), b: null };
    const other = b.tensors[partner]!;
    const obstacle = obstacleOf(one, other);
    const facts = pairFacts(describeA(place), describeB(partner));
    return {
      a: rowOf(one, place),
      b: rowOf(other, partner),
      ...(byHand.has(place) && { chosen: true }),
      ...(facts.length > 0 && { facts }),
      ...(obstacle !== null && { obstacle }),
    };
  });
  return [
    ...rows,
    ...pairing.onlyB.map((place) => ({ a: null, b: rowOf(b.tensors[place]!, place) })),
  ];
}

/** Formats that pickle tensors, with whether they are parameters and require gradients. */
const withAttributes = new Set(['torch', 'torch-legacy', 'torch-tar', 'pickle']);

function describedIn({ checkpoint, tensors }: OpenSide): (place: number) => Described {
  const layouts = layoutOf(tensors.map(({ tensor }) => tensor));
  const hasAttributes = withAttributes.has(checkpoint.format);
  return (place) => {
    const { tiedWith } = layouts[place]!;
    const other = tiedWith === null ? null : label(tensors[tiedWith]!.name);
    return { tensor: tensors[place]!.tensor, tiedWith: other, hasAttributes };
  };
}

function rowOf({ name, tensor }: NamedTensor, place: number): TensorRow {
  const { dtype, shape, requiresGrad } = tensor;
  return { place, name: label(name), dtype, shape, requiresGrad };
}

/** What stands in the way of comparing the numbers of two tensors; null where nothing does. */
export function obstacleOf(a: NamedTensor, b: NamedTensor): string | null {
  if (!haveSameShape(a, b)) return 'another shape';
  const meta = [a, b].find(({ tensor }) => isMeta(tensor.storage));
  if (meta) return 'its file holds no elements';
  const [one, other] = [a.tensor.dtype, b.tensor.dtype];
  return arithmeticOf(one, other) ? null : `${one} and ${other} have no numbers in common`;
}

/** The pairs whose numbers can be compared, with the rows that they stand in. */
export function readablePairs({ a, b, rows }: Sides): { row: number; tensors: TensorPair }[] {
  return rows.flatMap((row, index) =>
    row.a && row.b && row.obstacle === undefined
      ? { row: index, tensors: [a.tensors[row.a.place]!.tensor, b.tensors[row.b.place]!.tensor] }
      : [],
  );
}

/** Bytes of the elements of pairs. */
export function bytesOf(pairs: readonly TensorPair[]): number {
  const bytes = ({ shape, dtype }: Tensor) => numel(shape) * itemsize(dtype);
  return pairs.reduce((sum, [a, b]) => sum + bytes(a) + bytes(b), 0);
}
