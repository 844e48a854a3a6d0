/** Pairs of low-rank matrices by the names that PEFT, diffusers and kohya's scripts give them. */
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { isTensor, type Dict } from '#lib/checkpoint/value.ts';

export interface LoraPair {
  /** What stands before `.lora_A`: the layer's path. */
  readonly path: string;
  /** (rank, inputs, …) */
  readonly a: Tensor;
  /** (outputs, rank, …) */
  readonly b: Tensor;
  /** kohya's scripts keep alpha beside each pair. */
  readonly alpha: Tensor | null;
  readonly isEmbedding: boolean;
}

export interface LoraPairs {
  readonly pairs: readonly LoraPair[];
  /** Keys that belong to a pair. */
  readonly keys: ReadonlySet<string>;
}

/** PEFT's `lora_A.weight` and `lora_A.default.weight`, kohya's `lora_down.weight`, diffusers' `lora.down.weight`. */
const PART = /^(.+)\.(?:lora_(A|B|down|up)|lora\.(down|up))(?:\.([^.]+))?\.weight$/;
/** PEFT's parameters of embeddings, which are no modules. */
const EMBEDDING = /^(.+)\.lora_embedding_(A|B)(?:\.([^.]+))?$/;
const ALPHA = /^(.+)\.alpha$/;
/** What needs other formulas: DoRA, LoCon's middle matrix, LoHa, LoKr, a pair's own bias, tokens. */
const OTHERS =
  /lora_magnitude_vector|lora_mid|dora_scale|\.hada_|\.lokr_|\.lora_[AB](\.[^.]+)?\.bias$|trainable_tokens/;

/** Throws a FindingError for a half of a pair, several adapters in one file, and other methods. */
export function loraPairs(dict: Dict): LoraPairs {
  const halves = new Map<string, { a?: Tensor; b?: Tensor; isEmbedding: boolean }>();
  const alphas = new Map<string, Tensor>();
  const [keys, adapters] = [new Set<string>(), new Set<string>()];
  for (const [key, value] of dict.entries()) {
    if (typeof key !== 'string' || !isTensor(value)) continue;
    if (OTHERS.test(key)) {
      throw refused(
        'method',
        `"${key}" belongs to another method than LoRA`,
        'Merge it with PEFT.',
      );
    }
    const alpha = ALPHA.exec(key);
    if (alpha) alphas.set(alpha[1]!, value);
    const [, path, part = '', inner = '', adapter = ''] = PART.exec(key) ?? [];
    const [, embedding, half = '', name = ''] = EMBEDDING.exec(key) ?? [];
    const layer = path ?? embedding;
    if (layer === undefined) continue;
    keys.add(key);
    adapters.add(adapter || name);
    const known = halves.get(layer) ?? { isEmbedding: embedding !== undefined };
    halves.set(layer, known);
    if (['A', 'down'].includes(part || inner || half)) known.a = value;
    else known.b = value;
  }
  if (adapters.size > 1) {
    throw refused(
      'adapters',
      `there are several adapters: ${[...adapters].join(', ')}`,
      'Drop the tensors of all but one.',
    );
  }
  const pairs = [...halves].map(([path, { a, b, isEmbedding }]): LoraPair => {
    const alpha = alphas.get(path) ?? null;
    if (alpha) keys.add(`${path}.alpha`);
    if (a && b) return { path, a, b, alpha, isEmbedding };
    throw refused(
      'half',
      `"${path}" has no lora_${a ? 'B' : 'A'}`,
      'Choose the file with the whole adapter.',
    );
  });
  return { pairs, keys };
}

export function refused(code: string, message: string, advice: string): FindingError {
  return new FindingError({ code: `lora-${code}`, message: `lora: ${message}`, advice });
}
