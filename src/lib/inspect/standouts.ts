/**
 * What stands out among the tensors of a file, by their statistics: damage (NaN), what no gradient
 * has reached, layers that say nothing, and layers unlike the others in their place. A fresh model
 * has zeros and ones where PyTorch's layers begin with them; of these nothing is said.
 */
import { dtypes, type Dtype } from '#lib/checkpoint/dtype.ts';
import type { Finding } from '#lib/checkpoint/finding.ts';
import { formatCount, plural } from '#lib/checkpoint/figures.ts';
import { split } from './module_kinds.ts';
import type { TensorSummary } from './tensor_statistics.ts';

export interface Summarized {
  /** Full name, with dots. */
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** The parameter that it is an optimizer's state of. */
  readonly owner: string | null;
  /** An axis repeats its elements, so that they are alike by intent. */
  readonly expanded: boolean;
  readonly summary: TensorSummary;
  /** Of `tensor[0]`, `tensor[1]`, …, those that are all zeros; null where nobody has counted. */
  readonly zeroRows: number | null;
}

export const standoutCodes = [
  ...['nan', 'inf', 'no-gradient', 'zeros', 'zero-rows', 'constant', 'variance', 'std'],
  'denormal',
] as const;
export type StandoutCode = (typeof standoutCodes)[number];

export interface Standout extends Pick<Finding, 'severity' | 'message'> {
  readonly code: StandoutCode;
  /** Its place among the tensors. */
  readonly at: number;
}

/** Fewer equal elements say little: a scale of a head, a temperature. */
const LEAST_CONSTANT = 16;
/** Fewer tensors of one place have no usual std. */
const LEAST_ALIKE = 5;
/**
 * How far a std may be from that of its like. Layers in one place start alike, training moves them by
 * small factors, and the depth scaling that is in use (1 / √(2 · depth)) by less than 8 from the median
 * for up to 100 layers.
 */
const STD_FACTOR = 8;
/** Share of the elements that are denormal from which on a cast has cost precision. */
const DENORMAL_SHARE = 0.25;
/** Where one row of zeros is usual: embeddings have one for padding. */
const EMBEDDING = /emb|wte|wpe|tok|vocab|lookup/iu;
/** The second moments that grow with the first gradient, and momentum's sum. */
const MOMENTS = ['exp_avg_sq', 'exp_inf', 'square_avg', 'momentum_buffer'];

/** What stands out, the gravest first; null for tensors that nobody has summarized. */
export function standoutsOf(tensors: readonly (Summarized | null)[]): Standout[] {
  const found = tensors.flatMap((tensor, at) =>
    tensor ? standoutsOfOne(tensor).map((standout) => ({ ...standout, at })) : [],
  );
  const order = { error: 0, warning: 1, info: 2 } as const;
  return [...found, ...unlikeTheirLike(tensors)].sort(
    (a, b) => order[a.severity] - order[b.severity] || a.at - b.at,
  );
}

type Told = Omit<Standout, 'at'>;

function standoutsOfOne(tensor: Summarized): Told[] {
  if (dtypes[tensor.dtype].kind !== 'float' && dtypes[tensor.dtype].kind !== 'complex') return [];
  const { summary } = tensor;
  if (summary.count === 0) return [];
  if (isMask(tensor)) return [];
  if (summary.zeros === summary.count) return allZeros(tensor);
  return [
    ...broken(tensor),
    ...zeroRows(tensor),
    ...constant(tensor),
    ...variance(tensor),
    ...denormal(tensor),
  ];
}

/** Masks of attention are -inf where nothing may be seen, and 0 elsewhere. */
function isMask({ name, summary }: Summarized): boolean {
  const { negativeInfinities, zeros, count } = summary;
  const isAdded = negativeInfinities > 0 && negativeInfinities + zeros === count;
  return isAdded || (/mask/iu.test(split(name).key) && summary.nans === 0);
}

/** Whether it is what a layer multiplies with; tables, tokens and scales may well begin alike. */
function isWeight(name: string): boolean {
  return /weight|kernel/iu.test(split(name).key);
}

function broken({ summary }: Summarized): Told[] {
  const { nans, positiveInfinities, negativeInfinities, count } = summary;
  const told: Told[] = [];
  if (nans > 0) {
    told.push({ code: 'nan', severity: 'error', message: `${ofAll(nans, count)} NaN` });
  }
  const infinities = positiveInfinities + negativeInfinities;
  if (infinities > 0) {
    told.push({ code: 'inf', severity: 'error', message: `${ofAll(infinities, count)} infinite` });
  }
  return told;
}

/** Said of what a fresh layer does not have: matrices and filters, and moments after a step. */
function allZeros({ name, shape, owner, summary }: Summarized): Told[] {
  const { key } = split(name);
  if (owner !== null) {
    if (!MOMENTS.includes(key) || summary.count < 2) return [];
    const message = `all zeros: no gradient has reached ${owner}`;
    return [{ code: 'no-gradient', severity: 'warning', message }];
  }
  // Biases and running means begin with zeros, and so does the last norm of a residual block.
  if (shape.length < 2) return [];
  // Adapters begin with zeros on one side (LoRA's B).
  const isAdapter = /lora_(B|embedding_B)/u.test(name);
  return [
    {
      code: 'zeros',
      severity: isAdapter || !isWeight(name) ? 'info' : 'warning',
      message: isAdapter
        ? `all ${formatCount(summary.count)} elements are zero: the adapter changes nothing yet`
        : `all ${formatCount(summary.count)} elements are zero`,
    },
  ];
}

function zeroRows({ name, shape, owner, zeroRows: rows }: Summarized): Told[] {
  if (!rows || owner !== null) return [];
  const count = shape[0]!;
  const isPadding = rows === 1 && shape.length === 2 && EMBEDDING.test(name);
  const what = shape.length > 2 ? 'filters' : 'rows';
  return [
    {
      code: 'zero-rows',
      severity: isPadding || !isWeight(name) ? 'info' : 'warning',
      message: isPadding
        ? `1 of ${plural(count, 'row')} is all zeros, as one for padding is`
        : `${formatCount(rows)} of ${formatCount(count)} ${what} ${rows === 1 ? 'is' : 'are'} all zeros${isWeight(name) ? ': dead or pruned' : ''}`,
    },
  ];
}

function constant({ name, shape, owner, expanded, summary }: Summarized): Told[] {
  const { min, max, count, nans, positiveInfinities, negativeInfinities } = summary;
  const isWhole = nans + positiveInfinities + negativeInfinities === 0;
  // Norms begin with ones; what an axis repeats is alike by intent.
  if (owner !== null || expanded || shape.length < 2 || count < LEAST_CONSTANT) return [];
  if (!isWhole || min !== max || summary.of !== 'elements') return [];
  const message = `all ${formatCount(count)} elements are ${short(Number(min))}`;
  return [{ code: 'constant', severity: isWeight(name) ? 'warning' : 'info', message }];
}

/** Of BatchNorm: no variance is below zero, and none is zero where the input changes. */
function variance({ name, summary }: Summarized): Told[] {
  if (split(name).key !== 'running_var') return [];
  const { min, zeros, count } = summary;
  if (min !== null && min < 0) {
    const message = `its least variance is ${short(Number(min))}, below zero`;
    return [{ code: 'variance', severity: 'error', message }];
  }
  if (zeros === 0) return [];
  const message = `${formatCount(zeros)} of ${plural(count, 'channel')} had no variance: what they take never changed`;
  return [{ code: 'variance', severity: 'warning', message }];
}

/** Of half precision alone: float32's denormals are tiny, whatever was meant. */
function denormal({ dtype, shape, summary }: Summarized): Told[] {
  const { denormals, count } = summary;
  if (dtype !== 'float16' || shape.length === 0 || denormals < DENORMAL_SHARE * count) return [];
  const message = `${ofAll(denormals, count)} below 6.1e-5, the least normal float16: they have lost digits`;
  return [{ code: 'denormal', severity: 'info', message }];
}

/** Weights whose std is far from that of the same place in other blocks. */
function unlikeTheirLike(tensors: readonly (Summarized | null)[]): Standout[] {
  const groups = new Map<string, { at: number; std: number }[]>();
  tensors.forEach((tensor, at) => {
    if (!tensor || tensor.owner !== null || tensor.shape.length < 2) return;
    const { std } = tensor.summary;
    if (std === null || !(std > 0) || dtypes[tensor.dtype].kind !== 'float') return;
    const key = `${placeOf(tensor.name)} ${tensor.shape.join()}`;
    const group = groups.get(key);
    if (group) group.push({ at, std });
    else groups.set(key, [{ at, std }]);
  });
  return [...groups.values()].flatMap((group) => {
    if (group.length < LEAST_ALIKE) return [];
    const stds = group.map(({ std }) => std).sort((a, b) => a - b);
    const median = stds[stds.length >> 1]!;
    return group.flatMap(({ at, std }): Standout[] => {
      const factor = Math.max(std / median, median / std);
      if (factor <= STD_FACTOR) return [];
      const message = `its std ${short(std)} is ${short(factor, 2)} times ${std > median ? 'that' : 'below that'} of ${placeOf(tensors[at]!.name)}: ${short(median)}, the median of ${group.length}`;
      return [{ code: 'std', severity: 'warning', at, message }];
    });
  });
}

/** The name with `#` for its numbers: the same place in each of several blocks. */
function placeOf(name: string): string {
  return name.replace(/(?<=^|\.)\d+(?=\.|$)/gu, '#');
}

function ofAll(some: number, count: number): string {
  const verb = some === 1 ? 'is' : 'are';
  return `${formatCount(some)} of ${plural(count, 'element')} ${verb}`;
}

function short(value: number, digits = 3): string {
  return String(Number(value.toPrecision(digits)));
}
