/** From the hidden states of a text model to one vector for each text, and how alike they are. */

export type Pooling = 'mean' | 'first';

/**
 * One vector of a sequence of hidden states (T, D) in row-major order: their mean over the tokens
 * whose mask is 1, as sentence-transformers' mean pooling; or the first one's, BERT's [CLS].
 */
export function pool(
  states: Float32Array,
  width: number,
  pooling: Pooling,
  mask?: readonly number[],
): Float32Array {
  const tokens = states.length / width;
  if (!Number.isInteger(tokens) || (mask && mask.length !== tokens)) {
    throw new RangeError(
      `embeddings: ${states.length} numbers are no states of ${width} for ${mask?.length ?? 'any'} tokens`,
    );
  }
  if (pooling === 'first') return states.slice(0, width);
  const sums = new Float64Array(width);
  let counted = 0;
  for (let token = 0; token < tokens; token++) {
    if (mask?.[token] === 0) continue;
    counted++;
    for (let at = 0; at < width; at++) sums[at]! += states[token * width + at]!;
  }
  return Float32Array.from(sums, (sum) => sum / Math.max(counted, 1));
}

/** The vector with length 1; torch's `normalize` likewise leaves a zero vector. */
export function unit(vector: Float32Array): Float32Array {
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return vector.map((value) => value / Math.max(norm, 1e-12));
}

/** Cosines of every vector with every other, row by row. */
export function cosines(vectors: readonly Float32Array[]): number[][] {
  const units = vectors.map(unit);
  return units.map((a) => units.map((b) => a.reduce((sum, value, at) => sum + value * b[at]!, 0)));
}
