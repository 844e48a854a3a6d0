import type { Edit, MergeHow, Other } from '#lib/worker/protocol.ts';

/** The numbers of a merge follow its others: one for each, and one for the open checkpoint where it is weighed. */
export type MergeEdit = Extract<Edit, { kind: 'merge' }>;

/** The same others, merged in another way, with numbers that mean the same for each. */
export function withHow(edit: MergeEdit, kind: MergeHow['kind']): MergeEdit {
  return { ...edit, how: howOf(kind, edit.others.length) };
}

function howOf(kind: MergeHow['kind'], others: number): MergeHow {
  switch (kind) {
    case 'disjoint':
      return { kind };
    case 'weighted':
      return { kind, weights: average(others) };
    case 'slerp':
      return { kind, t: 0.5 };
    case 'ema':
      return { kind, decay: 0.999 };
    case 'task':
      return { kind, scales: new Array<number>(Math.max(0, others - 1)).fill(1) };
    default:
      return kind satisfies never;
  }
}

/** Equal weights that come to 1. */
function average(others: number): number[] {
  return new Array<number>(others + 1).fill(1 / (others + 1));
}

/** One more; an average stays an average. */
export function withOther(edit: MergeEdit, other: Other): MergeEdit {
  const others = [...edit.others, { other, in: null }];
  const { how } = edit;
  if (how.kind === 'weighted') {
    const isAverage = how.weights.every((it) => it === how.weights[0]);
    const weights = isAverage ? average(others.length) : [...how.weights, 0];
    return { ...edit, others, how: { ...how, weights } };
  }
  if (how.kind === 'task')
    return { ...edit, others, how: { ...how, scales: fit(how.scales, others.length - 1) } };
  return { ...edit, others };
}

export function withoutOther(edit: MergeEdit, at: number): MergeEdit {
  const others = edit.others.toSpliced(at, 1);
  const { how } = edit;
  if (how.kind === 'weighted') {
    const isAverage = how.weights.every((it) => it === how.weights[0]);
    const weights = isAverage ? average(others.length) : how.weights.toSpliced(at + 1, 1);
    return { ...edit, others, how: { ...how, weights } };
  }
  if (how.kind === 'task') {
    const scales = fit(how.scales.toSpliced(at, 1), Math.max(0, others.length - 1));
    return { ...edit, others, how: { ...how, scales } };
  }
  return { ...edit, others };
}

function fit(scales: readonly number[], count: number): number[] {
  return Array.from({ length: count }, (_, at) => scales[at] ?? 1);
}
