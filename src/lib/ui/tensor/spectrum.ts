/** What the singular values of a matrix tell. */
export interface SpectrumFacts {
  readonly count: number;
  readonly largest: number;
  readonly least: number;
  /** The largest over the least: `torch.linalg.cond`. Infinity where the least is 0. */
  readonly condition: number;
  /** Values above largest × longest side × 2⁻²³: `torch.linalg.matrix_rank` of float32. */
  readonly rank: number;
  /** exp(entropy) of the values as shares of their sum (Roy and Vetterli 2007). */
  readonly effectiveRank: number;
  /** How many values have nine tenths of the sum of squares. */
  readonly nine: number;
}

/** Of values in falling order, of a matrix of that shape; null where there are none. */
export function describeSpectrum(
  values: Float64Array,
  shape: readonly number[],
): SpectrumFacts | null {
  const [largest, least] = [values[0], values.at(-1)];
  if (largest === undefined || least === undefined) return null;
  const sum = values.reduce((all, value) => all + value, 0);
  const squares = values.reduce((all, value) => all + value ** 2, 0);
  const limit = largest * Math.max(...shape) * 2 ** -23;
  let entropy = 0;
  for (const value of values) if (value > 0) entropy -= (value / sum) * Math.log(value / sum);
  let [nine, reached] = [0, 0];
  while (nine < values.length && reached < 0.9 * squares) reached += values[nine++]! ** 2;
  return {
    ...{ count: values.length, largest, least, nine },
    condition: largest === 0 ? NaN : largest / least,
    rank: values.filter((value) => value > limit).length,
    effectiveRank: sum === 0 ? 0 : Math.exp(entropy),
  };
}
