/** For each op that can keep examples apart: where its result holds them. */
import type { GraphNode, Op } from '#lib/architecture/graph.ts';
import {
  areFree,
  from,
  hasSameAttrs,
  isAlike,
  isAt,
  isSame,
  isSpread,
  moved,
  product,
  type Place,
  type Spread,
  type Step,
} from './batch_axis.place.ts';

type NodeOf<K extends Op> = Extract<GraphNode, { op: K }>;
type Rules = { readonly [K in Op]?: (step: Step<NodeOf<K>>) => Place | readonly Place[] };
type Rule = (step: Step) => Place | readonly Place[];

/** Each element of the result from the same element of the first input. */
const pointwise: Rule = (step) => {
  const [place, ...others] = step.places;
  return hasSameAttrs(step) && isSpread(place) && areFree(others) ? place : 'mixed';
};

/** Where operands of these shapes hold the examples together, as axes of a result of `rank` axes. */
function together(
  places: readonly (Place | null)[],
  shapes: readonly (readonly number[])[],
  rank: number,
): Place {
  const found = places.flatMap((place, at): Spread[] =>
    isSpread(place) ? [moved(place, place.axis + rank - shapes[at]!.length)] : [],
  );
  const [first] = found;
  if (!first || !found.every((place) => isAlike(place, first))) return 'mixed';
  const isShared = places.every((place, at) => {
    if (place !== 'free') return true;
    const axis = first.axis - rank + shapes[at]!.length;
    return axis < 0 || shapes[at]![axis] === 1;
  });
  return isShared ? first : 'mixed';
}

const broadcast: Rule = (step) =>
  hasSameAttrs(step) ? together(step.places, step.shapes, step.node.shape.length) : 'mixed';

/** Taking `dims` together; they vanish unless `keepdim`. */
function reduced(place: Place, dims: readonly number[], keepdim: boolean): Place {
  if (!isSpread(place) || dims.includes(place.axis)) return 'mixed';
  return keepdim ? place : moved(place, place.axis - dims.filter((dim) => dim < place.axis).length);
}

type Reduction =
  'sum' | 'mean' | 'prod' | 'amax' | 'amin' | 'var' | 'std' | 'norm' | 'logsumexp' | 'any' | 'all';
const reduction = (step: Step<NodeOf<Reduction>>): Place => {
  const { dims, keepdim } = step.node.attrs;
  return hasSameAttrs(step) ? reduced(pointwise(step) as Place, dims, keepdim) : 'mixed';
};

type Extreme = 'argmax' | 'argmin' | 'max' | 'min';
const extreme = (step: Step<NodeOf<Extreme>>): Place => {
  const { dim, keepdim } = step.node.attrs;
  return reduced(pointwise(step) as Place, [from(dim, step.shapes[0]!.length)], keepdim);
};

/** Each line along `dim` for itself. */
type Along =
  'cumsum' | 'cumprod' | 'softmax' | 'log_softmax' | 'normalize' | 'topk' | 'sort' | 'glu';
const along = (step: Step<NodeOf<Along>>): Place =>
  reduced(pointwise(step) as Place, [from(step.node.attrs.dim, step.shapes[0]!.length)], true);

const alongAll = (step: Step<NodeOf<'roll' | 'flip'>>): Place => {
  const { dims } = step.node.attrs;
  return dims.length > 0 ? reduced(pointwise(step) as Place, dims, true) : 'mixed';
};

/** Images: whatever happens, it happens behind the first axis. */
const ofImages: Rule = (step) => {
  const place = pointwise(step);
  return isAt(place as Place, 0) ? place : 'mixed';
};

/** The last `count` axes are computed with, those before are kept. */
const before =
  (count: (step: Step) => number): Rule =>
  (step) => {
    const place = pointwise(step) as Place;
    return isSpread(place) && place.axis < step.shapes[0]!.length - count(step) ? place : 'mixed';
  };

/** The only axis whose size the batch decides, as a multiple of it; all examples are alike there. */
function copied({ node, other, batch, otherBatch }: Step): Place {
  const differing = node.shape.flatMap((size, axis) => (size === other.shape[axis] ? [] : [axis]));
  const [axis] = differing;
  if (axis === undefined || differing.length > 1) return 'mixed';
  const inner = node.shape[axis]! / batch;
  const fits = Number.isInteger(inner) && other.shape[axis] === inner * otherBatch;
  return fits ? { axis, outer: 1, inner } : 'mixed';
}

function constant(step: Step<NodeOf<'constant'>>): Place {
  const place = copied(step);
  if (!isSpread(place)) return 'mixed';
  const { node, other } = step;
  const width = product(node.shape.slice(place.axis + 1));
  // Both hold the same numbers, over and over along the axis.
  const repeats = ({ attrs: { values }, shape }: NodeOf<'constant'>) =>
    values.every((value, at) => {
      const [line, within] = [Math.floor(at / (width * shape[place.axis]!)), at % width];
      const first = node.attrs.values[line * width * node.shape[place.axis]! + within];
      return Object.is(value, first);
    });
  return repeats(node) && repeats(other) ? place : 'mixed';
}

/** Row-major order stays: as many numbers before and behind an example as there were. */
function reshape({ node, other, places, shapes, batch, otherBatch }: Step): Place {
  const [place] = places;
  if (!isSpread(place)) return 'mixed';
  const before = place.outer * product(shapes[0]!.slice(0, place.axis));
  const behind = place.inner * product(shapes[0]!.slice(place.axis + 1));
  const axis = node.shape.findIndex((size, at) => size !== other.shape[at]);
  if (axis < 0) return 'mixed';
  const outer = before / product(node.shape.slice(0, axis));
  const inner = behind / product(node.shape.slice(axis + 1));
  const isWhole = Number.isInteger(outer) && Number.isInteger(inner);
  const fits =
    node.shape[axis] === outer * batch * inner && other.shape[axis] === outer * otherBatch * inner;
  return isWhole && fits ? { axis, outer, inner } : 'mixed';
}

function expand(step: Step): Place {
  const [place] = step.places;
  if (!isSpread(place)) return copied(step);
  return moved(place, place.axis + step.node.shape.length - step.shapes[0]!.length);
}

function repeat(step: Step<NodeOf<'repeat'>>): Place {
  const { node, other, places, shapes, batch } = step;
  const [place] = places;
  const more = node.shape.length - shapes[0]!.length;
  const { repeats } = node.attrs;
  if (!isSpread(place)) {
    const copies = copied(step);
    return isSpread(copies) && repeats[copies.axis]! % batch === 0 ? copies : 'mixed';
  }
  const axis = place.axis + more;
  const times = repeats[axis]!;
  if (other.attrs.repeats[axis] !== times) return 'mixed';
  return { ...place, axis, outer: times * place.outer };
}

function repeatInterleave(step: Step<NodeOf<'repeat_interleave'>>): Place {
  const place = pointwise(step) as Place;
  const { repeats, dim } = step.node.attrs;
  if (!isSpread(place) || from(dim, step.shapes[0]!.length) !== place.axis) return place;
  return { ...place, inner: place.inner * repeats };
}

/** A slice takes every example. */
function takesAll({
  node,
  other,
  places,
  shapes,
}: Step<NodeOf<'slice' | 'slice_scatter'>>): boolean {
  const [place] = places;
  if (!isSpread(place)) return false;
  const { start, size, step } = node.attrs;
  const isWhole = start[place.axis] === 0 && step[place.axis] === 1;
  const isSameElsewhere = size.every(
    (length, axis) =>
      start[axis] === other.attrs.start[axis] &&
      step[axis] === other.attrs.step[axis] &&
      (axis === place.axis || length === other.attrs.size[axis]),
  );
  return isWhole && isSameElsewhere && size[place.axis] === shapes[0]![place.axis];
}

function index(step: Step<NodeOf<'index'>>): Place {
  const { node, places, shapes } = step;
  const [place, ...indices] = places;
  const { dims } = node.attrs;
  if (!hasSameAttrs(step)) return 'mixed';
  const rank = Math.max(...shapes.slice(1).map(({ length }) => length));
  const isTogether = dims.every((dim, at) => at === 0 || dim === dims[at - 1]! + 1);
  const first = isTogether ? dims[0]! : 0;
  if (isSpread(place)) {
    if (!areFree(indices) || dims.includes(place.axis)) return 'mixed';
    const kept = place.axis - dims.filter((dim) => dim < place.axis).length;
    return moved(place, kept < first ? kept : kept + rank);
  }
  const picked = together(indices, shapes.slice(1), rank);
  return isSpread(picked) ? moved(picked, first + picked.axis) : 'mixed';
}

function indexSelect(step: Step<NodeOf<'index_select'>>): Place {
  const [place, indices] = step.places;
  const dim = from(step.node.attrs.dim, step.shapes[0]!.length);
  if (!hasSameAttrs(step)) return 'mixed';
  if (isSpread(place)) return areFree([indices!]) && place.axis !== dim ? place : 'mixed';
  return isSpread(indices) ? moved(indices, dim) : 'mixed';
}

/** Every operand holds the examples alike, on another axis than `dim`. */
function elementwiseAlong(step: Step<NodeOf<'gather' | 'scatter' | 'cat'>>): Place {
  const [place] = step.places;
  const dim = from(step.node.attrs.dim, step.shapes[0]!.length);
  const areAlike = step.places.every((other) => other === null || isAlike(other, place!));
  return hasSameAttrs(step) && areAlike && isSpread(place) && place.axis !== dim ? place : 'mixed';
}

function stack(step: Step<NodeOf<'stack'>>): Place {
  const [place] = step.places;
  const dim = from(step.node.attrs.dim, step.node.shape.length);
  if (!isSpread(place) || !step.places.every((other) => isAlike(other, place))) return 'mixed';
  return moved(place, place.axis + (dim <= place.axis ? 1 : 0));
}

function matmul({ places, shapes, node }: Step): Place {
  const [a, b] = places as [Place, Place];
  const [rankA, rankB] = shapes.map(({ length }) => length) as [number, number];
  const rank = node.shape.length;
  if (rankA === 1 || rankB === 1) {
    const [matrix, vector, contracted] = rankB === 1 ? [a, b, rankA - 1] : [b, a, rankB - 2];
    return vector === 'free' ? reduced(matrix, [contracted], false) : 'mixed';
  }
  const isRow = isSpread(a) && a.axis === rankA - 2;
  const isColumn = isSpread(b) && b.axis === rankB - 1;
  if (isRow) return b === 'free' ? moved(a, rank - 2) : 'mixed';
  if (isColumn) return a === 'free' ? moved(b, rank - 1) : 'mixed';
  const place = together([a, b], shapes, rank);
  return isSpread(place) && place.axis < rank - 2 ? place : 'mixed';
}

function einsum(step: Step<NodeOf<'einsum'>>): Place {
  if (!hasSameAttrs(step)) return 'mixed';
  const [left, right] = step.node.attrs.equation.replaceAll(' ', '').split('->') as [
    string,
    string,
  ];
  const terms = left.split(',');
  const found = step.places.flatMap((place, at) =>
    isSpread(place) ? [{ place, letter: terms[at]![place.axis]! }] : [],
  );
  const [first] = found;
  if (!first) return 'mixed';
  const { letter, place } = first;
  const areAlike = terms.every((term, at) => {
    const own = step.places[at];
    const count = term.split(letter).length - 1;
    if (!isSpread(own)) return count === 0;
    return (
      count === 1 &&
      term[own.axis] === letter &&
      isAlike({ ...own, axis: 0 }, { ...place, axis: 0 })
    );
  });
  const axis = right.indexOf(letter);
  return areAlike && axis >= 0 ? moved(place, axis) : 'mixed';
}

function bilinear({ places, shapes }: Step): Place {
  const [a, b, ...weights] = places;
  const fits = isSpread(a) && isAlike(a, b!) && areFree(weights) && a.axis < shapes[0]!.length - 1;
  return fits ? a : 'mixed';
}

function attention(step: Step<NodeOf<'scaled_dot_product_attention'>>): Place {
  const rank = step.node.shape.length;
  const place = broadcast(step) as Place;
  const kept = step.node.attrs.enable_gqa ? 3 : 2;
  return isSpread(place) && place.axis < rank - kept ? place : 'mixed';
}

/** Query, key and value hold the examples where `batch_first` says; masks come with each or for all. */
function multiHeadAttention(step: Step<NodeOf<'multi_head_attention'>>): readonly Place[] | Place {
  const { attrs } = step.node;
  const [q, k, v] = step.places as [Place, Place, Place];
  const [padding, mask] = [step.places[12] ?? null, step.places[13] ?? null];
  const isBatched = step.shapes[0]!.length === 3;
  const fits =
    hasSameAttrs(step) &&
    isBatched &&
    isAt(q, attrs.batch_first ? 0 : 1) &&
    isAlike(q, k) &&
    isAlike(q, v) &&
    areFree(step.places.slice(3, 12));
  if (!fits) return 'mixed';
  const ofHeads = { ...moved(q, 0), inner: q.inner * attrs.num_heads };
  const masksFit =
    (padding === null || isAlike(padding, moved(q, 0))) &&
    (mask === null || mask === 'free' || isAlike(mask, ofHeads));
  return masksFit ? [q, moved(q, 0)] : 'mixed';
}

/** Layers of steps; `states` before the weights have the batch on their second axis. */
const recurrent =
  (states: number) =>
  (step: Step<NodeOf<'lstm' | 'gru' | 'rnn'>>): readonly Place[] | Place => {
    const [x] = step.places as [Place];
    const initial = step.places.slice(1, 1 + states);
    const isBatched = step.shapes[0]!.length === 3;
    if (!isBatched || !isAt(x, step.node.attrs.batch_first ? 0 : 1)) return 'mixed';
    const state = moved(x, 1);
    const fits =
      hasSameAttrs(step) &&
      initial.every((place) => place === null || isAlike(place, state)) &&
      areFree(step.places.slice(1 + states));
    return fits ? [x, ...initial.map(() => state)] : 'mixed';
  };

const cell =
  (states: number): Rule =>
  (step) => {
    const [x, ...rest] = step.places as [Place, ...Place[]];
    const fits =
      isAt(x, 0) &&
      step.shapes[0]!.length === 2 &&
      hasSameAttrs(step) &&
      rest.slice(0, states).every((place) => place === null || isAlike(place, x)) &&
      areFree(rest.slice(states));
    return fits ? x : 'mixed';
  };

const pointwiseOps = [
  ...(['neg', 'abs', 'sign', 'exp', 'expm1', 'log', 'log2', 'log10', 'log1p', 'sqrt'] as const),
  ...(['rsqrt', 'square', 'reciprocal', 'sin', 'cos', 'tan', 'asin', 'acos', 'atan'] as const),
  ...(['sinh', 'cosh', 'tanh', 'sigmoid', 'logsigmoid', 'erf', 'relu', 'relu6', 'selu'] as const),
  ...(['silu', 'mish', 'softsign', 'tanhshrink', 'hardswish', 'hardsigmoid', 'round'] as const),
  ...(['floor', 'ceil', 'trunc', 'isnan', 'isinf', 'logical_not', 'leaky_relu', 'elu'] as const),
  ...(['celu', 'gelu', 'softplus', 'hardtanh', 'hardshrink', 'softshrink', 'threshold'] as const),
  ...(['clamp', 'nan_to_num', 'to', 'detach', 'dropout', 'alpha_dropout'] as const),
  ...(['feature_dropout', 'embedding', 'one_hot'] as const),
];

const broadcastOps = [
  ...(['add', 'sub', 'mul', 'div', 'pow', 'atan2', 'remainder', 'fmod', 'maximum'] as const),
  ...(['minimum', 'eq', 'ne', 'lt', 'le', 'gt', 'ge', 'logical_and', 'logical_or'] as const),
  ...(['logical_xor', 'where'] as const),
];

const imageOps = [
  ...(['conv1d', 'conv2d', 'conv3d', 'conv_transpose1d', 'conv_transpose2d'] as const),
  ...(['conv_transpose3d', 'max_pool1d', 'max_pool2d', 'max_pool3d', 'avg_pool1d'] as const),
  ...(['avg_pool2d', 'avg_pool3d', 'adaptive_avg_pool1d', 'adaptive_avg_pool2d'] as const),
  ...(['adaptive_avg_pool3d', 'adaptive_max_pool1d', 'adaptive_max_pool2d'] as const),
  ...(['adaptive_max_pool3d', 'interpolate', 'batch_norm', 'group_norm', 'prelu'] as const),
  ...(['instance_norm', 'local_response_norm', 'unfold', 'fold'] as const),
];

function allOf<K extends Op>(ops: readonly K[], rule: Rule): Rules {
  return Object.fromEntries(ops.map((op) => [op, rule]));
}

const normalizedAxes = ({ node }: Step) =>
  (node as NodeOf<'layer_norm' | 'rms_norm'>).attrs.normalized_shape.length;

export const rules: Rules = {
  ...allOf(pointwiseOps, pointwise),
  ...allOf(broadcastOps, broadcast),
  ...allOf(imageOps, ofImages),
  input: ({ node, other, batch, otherBatch }) =>
    node.shape[0] === batch && other.shape[0] === otherBatch
      ? { axis: 0, outer: 1, inner: 1 }
      : 'mixed',
  constant,
  random: copied,

  sum: reduction,
  mean: reduction,
  prod: reduction,
  amax: reduction,
  amin: reduction,
  var: reduction,
  std: reduction,
  norm: reduction,
  logsumexp: reduction,
  any: reduction,
  all: reduction,
  argmax: extreme,
  argmin: extreme,
  max: extreme,
  min: extreme,
  cumsum: along,
  cumprod: along,
  softmax: along,
  log_softmax: along,
  normalize: along,
  topk: along,
  sort: along,
  glu: along,
  roll: alongAll,
  flip: alongAll,
  matmul,
  einsum,
  bilinear,
  linear: before(() => 1),
  layer_norm: before(normalizedAxes),
  rms_norm: before(normalizedAxes),
  pixel_shuffle: before(() => 3),
  pixel_unshuffle: before(() => 3),
  tril: before(() => 2),
  triu: before(() => 2),

  reshape,
  expand,
  repeat,
  repeat_interleave: repeatInterleave,
  index,
  index_select: indexSelect,
  gather: elementwiseAlong,
  scatter: elementwiseAlong,
  cat: elementwiseAlong,
  stack,
  permute: (step) => {
    const place = pointwise(step) as Place;
    return isSpread(place) ? moved(place, step.node.attrs.dims.indexOf(place.axis)) : 'mixed';
  },
  pad: (step) => {
    const place = pointwise(step) as Place;
    return isSpread(place) && isSame(step.node.attrs.pad[place.axis], [0, 0]) ? place : 'mixed';
  },
  slice: (step) => (takesAll(step) ? step.places[0]! : 'mixed'),
  slice_scatter: (step) =>
    takesAll(step) && isAlike(step.places[0]!, step.places[1]!) ? step.places[0]! : 'mixed',

  embedding_bag: (step) => {
    const [indices, weight, offsets, perSample] = step.places;
    const fits =
      hasSameAttrs(step) &&
      isAt(indices, 0) &&
      step.shapes[0]!.length === 2 &&
      weight === 'free' &&
      offsets === null &&
      (perSample === null || isAlike(perSample!, indices));
    return fits ? indices : 'mixed';
  },
  cosine_similarity: (step) => {
    const rank = Math.max(...step.shapes.map(({ length }) => length));
    const place = hasSameAttrs(step) ? together(step.places, step.shapes, rank) : 'mixed';
    return reduced(place, [from(step.node.attrs.dim, rank)], false);
  },
  scaled_dot_product_attention: attention,
  multi_head_attention: multiHeadAttention,
  lstm: recurrent(2),
  gru: recurrent(1),
  rnn: recurrent(1),
  lstm_cell: cell(2),
  gru_cell: cell(1),
  rnn_cell: cell(1),
};
