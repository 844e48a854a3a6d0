/** Ops that work element by element, broadcasting as PyTorch does. */
import type { NodeId } from '../graph.ts';

export type UnaryOp =
  | 'neg'
  | 'abs'
  | 'sign'
  | 'exp'
  | 'expm1'
  | 'log'
  | 'log2'
  | 'log10'
  | 'log1p'
  | 'sqrt'
  | 'rsqrt'
  | 'square'
  | 'reciprocal'
  | 'sin'
  | 'cos'
  | 'tan'
  | 'asin'
  | 'acos'
  | 'atan'
  | 'sinh'
  | 'cosh'
  | 'tanh'
  | 'sigmoid'
  | 'logsigmoid'
  | 'erf'
  | 'relu'
  | 'relu6'
  | 'selu'
  | 'silu'
  | 'mish'
  | 'softsign'
  | 'tanhshrink'
  | 'hardswish'
  | 'hardsigmoid'
  | 'round'
  | 'floor'
  | 'ceil'
  | 'trunc'
  | 'isnan'
  | 'isinf'
  | 'logical_not';

/**
 * x ∘ y; an operand that is a Python number is null and stands in `scalar`. Never both. Both have one
 * dtype, which is the result's too, except of comparisons. At ties, `maximum` and `minimum` give half
 * of the gradient to each.
 */
export type BinaryOp =
  | 'mul'
  | 'pow'
  | 'atan2'
  | 'remainder'
  | 'fmod'
  | 'maximum'
  | 'minimum'
  | 'eq'
  | 'ne'
  | 'lt'
  | 'le'
  | 'gt'
  | 'ge'
  | 'logical_and'
  | 'logical_or'
  | 'logical_xor';

interface Unary<Attrs extends object = object> {
  inputs: readonly [NodeId];
  attrs: Attrs;
}

interface Binary<Attrs extends object = object> {
  inputs: readonly [NodeId | null, NodeId | null];
  attrs: { scalar: number } & Attrs;
}

type Unaries = { [K in UnaryOp]: Unary };
type Binaries = { [K in BinaryOp]: Binary };

export interface ElementwiseOps extends Unaries, Binaries {
  /** x + alpha · y */
  add: Binary<{ alpha: number }>;
  /** x − alpha · y */
  sub: Binary<{ alpha: number }>;
  /** x / y; `floor` and `trunc` round the quotient (floor_divide is `floor`). */
  div: Binary<{ rounding_mode: 'floor' | 'trunc' | null }>;
  leaky_relu: Unary<{ negative_slope: number }>;
  elu: Unary<{ alpha: number }>;
  celu: Unary<{ alpha: number }>;
  gelu: Unary<{ approximate: 'none' | 'tanh' }>;
  softplus: Unary<{ beta: number; threshold: number }>;
  hardtanh: Unary<{ min_val: number; max_val: number }>;
  hardshrink: Unary<{ lambd: number }>;
  softshrink: Unary<{ lambd: number }>;
  threshold: Unary<{ threshold: number; value: number }>;
  /** [x, weight of one element or one for each channel (axis 1)] */
  prelu: { inputs: readonly [NodeId, NodeId]; attrs: object };
  /** The first half along `dim` times the sigmoid of the second. */
  glu: Unary<{ dim: number }>;
  clamp: Unary<{ min: number | null; max: number | null }>;
  nan_to_num: Unary<{ nan: number; posinf: number; neginf: number }>;
  /** [condition (bool), x or null, y or null]: x where true, y elsewhere; numbers stand in attrs. */
  where: {
    inputs: readonly [NodeId, NodeId | null, NodeId | null];
    attrs: { x: number; y: number };
  };
  /** A conversion to the node's dtype. */
  to: Unary;
  /** The same numbers, without a gradient. */
  detach: Unary;
}
