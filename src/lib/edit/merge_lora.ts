/** LoRA put into the weights that it stands beside: W + alpha / rank · B·A. */

export interface LoraLayer {
  /** The layer's path; its own weight is `path.base_layer.weight`. */
  readonly path: string;
  /** Whether the weight lies (inputs, outputs), as that of GPT-2's Conv1D. */
  readonly turned: boolean;
}

const { fround } = Math;

/**
 * The weights under the names of the model without LoRA. Rounded to float32 where PyTorch rounds:
 * the product (summed here in doubles), the scaled update, the sum. `floats` are row-major, by
 * state_dict key; what belongs to no layer of `layers` is passed on as it is. Throws where a layer
 * lacks a tensor.
 */
export function mergeLora(
  floats: ReadonlyMap<string, Float32Array<ArrayBuffer>>,
  layers: readonly LoraLayer[],
  { rank, alpha }: { readonly rank: number; readonly alpha: number },
): Map<string, Float32Array<ArrayBuffer>> {
  const byPath = new Map(layers.map((layer) => [layer.path, layer]));
  const merged = new Map<string, Float32Array<ArrayBuffer>>();
  for (const [key, values] of floats) {
    const [, path = '', part = ''] = /^(.*?)\.(base_layer|lora_[AB])\.[^]*$/.exec(key) ?? [];
    const layer = byPath.get(path);
    if (!layer) merged.set(key, values);
    else if (part === 'base_layer') {
      const isWeight = key === `${path}.base_layer.weight`;
      const name = key.replace('.base_layer.', '.');
      merged.set(name, isWeight ? withUpdate(values, floats, layer, rank, alpha / rank) : values);
    }
  }
  return merged;
}

function withUpdate(
  weight: Float32Array,
  floats: ReadonlyMap<string, Float32Array>,
  { path, turned }: LoraLayer,
  rank: number,
  scaling: number,
): Float32Array<ArrayBuffer> {
  const [a, b] = ['lora_A', 'lora_B'].map((part) => floats.get(`${path}.${part}.default.weight`));
  if (!a || !b) throw new Error(`lora: "${path}" has no weights to merge`);
  const [inputs, outputs] = [a.length / rank, b.length / rank];
  if (weight.length !== inputs * outputs) {
    throw new Error(`lora: "${path}" has ${weight.length} weights, not ${outputs} × ${inputs}`);
  }
  const result = new Float32Array(weight);
  addLowRank(result, 0, lowRank(a, b, rank, turned), scaling);
  return result;
}

type Floats = Float32Array | Float64Array;

/** The update as two matrices, row-major: (rows, rank) and (rank, columns), as the weight lies. */
export interface LowRank {
  readonly left: Floats;
  readonly right: Floats;
  readonly rank: number;
}

/** A is (rank, inputs), B (outputs, rank); `turned` for a weight that lies (inputs, outputs). */
export function lowRank(a: Floats, b: Floats, rank: number, turned: boolean): LowRank {
  return turned
    ? { left: transposed(a, rank), right: transposed(b, b.length / rank), rank }
    : { left: b, right: a, rank };
}

function transposed(matrix: Floats, rows: number): Floats {
  const columns = matrix.length / rows;
  return matrix.map((_, at) => matrix[(at % rows) * columns + Math.floor(at / rows)]!);
}

/** Adds scaling · left · right to weights in place, of which element `at` and what follows is given. */
export function addLowRank(
  weights: Floats,
  at: number,
  { left, right, rank }: LowRank,
  scaling: number,
): void {
  const round = weights instanceof Float32Array ? fround : (value: number) => value;
  const [columns, scale] = [right.length / rank, round(scaling)];
  const products = new Float64Array(columns);
  for (let done = 0; done < weights.length;) {
    const [row, from] = [Math.floor((at + done) / columns), (at + done) % columns];
    const count = Math.min(columns - from, weights.length - done);
    products.fill(0);
    for (let step = 0; step < rank; step++) {
      const factor = left[row * rank + step]!;
      const start = step * columns + from;
      for (let column = 0; column < count; column++) {
        products[column]! += factor * right[start + column]!;
      }
    }
    for (let column = 0; column < count; column++) {
      weights[done + column]! += round(round(products[column]!) * scale);
    }
    done += count;
  }
}
