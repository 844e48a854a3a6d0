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
  const result = new Float32Array(weight.length);
  for (let output = 0; output < outputs; output++) {
    for (let input = 0; input < inputs; input++) {
      let product = 0;
      for (let at = 0; at < rank; at++) product += b[output * rank + at]! * a[at * inputs + input]!;
      const place = turned ? input * outputs + output : output * inputs + input;
      result[place] = weight[place]! + fround(fround(product) * fround(scaling));
    }
  }
  return result;
}
