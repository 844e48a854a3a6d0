/** What `tensorStatistics` says of the numbers of a tensor, whatever its dtype and size. */

/** int64 and uint64 beyond 2⁵³ do not fit a double. */
export type Exact = number | bigint;

/** Equally wide parts between the least and the largest finite number, as `numpy.histogram`. */
export interface LinearHistogram {
  readonly low: number;
  readonly high: number;
  readonly counts: readonly number[];
}

/** How many numbers have a magnitude of 2^exponent up to 2^(exponent + 1); zeros are apart. */
export interface MagnitudeHistogram {
  /** Exponent of the first count. */
  readonly first: number;
  readonly counts: readonly number[];
}

export interface TensorSummary {
  /**
   * What is counted: the elements; of complex tensors their real and imaginary parts, each by
   * itself; of quantized ones the integers that are stored.
   */
  readonly of: 'elements' | 'parts' | 'integers';
  readonly count: number;
  readonly zeros: number;
  readonly nans: number;
  readonly positiveInfinities: number;
  readonly negativeInfinities: number;
  /** Finite numbers below the least normal one of the dtype, other than zero. */
  readonly denormals: number;
  /** Of the finite numbers, as all that follows; null where there are none. */
  readonly min: Exact | null;
  readonly max: Exact | null;
  readonly mean: number | null;
  /** `tensor.std()`: with Bessel's correction; null for fewer than two. */
  readonly std: number | null;
  /** Square root of the sum of squares. */
  readonly norm: number | null;
  readonly magnitudes: MagnitudeHistogram | null;
}

export interface TensorStatistics extends TensorSummary {
  /** `numpy.quantile`, linear: of 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99 in turn. */
  readonly quantiles: readonly { readonly at: number; readonly value: number }[];
  /** Distinct values, NaN as one, 0 and -0 as one; null where there are more than 65,536. */
  readonly distinct: number | null;
  readonly histogram: LinearHistogram | null;
}
