/**
 * The next token from a model's logits, as nanoGPT and transformers choose it: divided by the
 * temperature, cut to the k largest, cut to the fewest that make up p, and drawn by what is left.
 */
import { uniform } from './random.ts';

export interface Sampling {
  /** 0 takes the largest logit always. */
  readonly temperature: number;
  /** The k largest, and what equals the smallest of them; null for all. */
  readonly topK: number | null;
  /** The most probable tokens that together reach this share; null for all. */
  readonly topP: number | null;
}

export interface Choice {
  readonly id: number;
  readonly probability: number;
}

/** What may come next, the likeliest first; ties by id. Probabilities add up to 1. */
export function choices(logits: Float32Array, { temperature, topK, topP }: Sampling): Choice[] {
  check(logits, temperature);
  const order = [...logits.keys()]
    .filter((id) => logits[id] !== -Infinity)
    .sort((a, b) => logits[b]! - logits[a]! || a - b);
  if (order.length === 0) throw new RangeError('sampling: every logit is -Infinity');
  if (temperature === 0) return [{ id: order[0]!, probability: 1 }];
  const smallest = topK === null ? -Infinity : logits[order[Math.min(topK, order.length) - 1]!]!;
  const kept = order.filter((id) => logits[id]! >= smallest);
  const highest = logits[kept[0]!]!;
  const candidates = normalised(
    kept.map((id) => ({ id, probability: Math.exp((logits[id]! - highest) / temperature) })),
  );
  return topP === null ? candidates : normalised(nucleus(candidates, topP));
}

function check(logits: Float32Array, temperature: number): void {
  if (!(temperature >= 0)) throw new RangeError(`sampling: the temperature is ${temperature}`);
  const odd = logits.findIndex((value) => Number.isNaN(value) || value === Infinity);
  if (odd !== -1) throw new RangeError(`sampling: logit ${odd} is ${logits[odd]}`);
}

/** A token stays while those before it fall short of `share`; the first one always does. */
function nucleus(candidates: readonly Choice[], share: number): Choice[] {
  let before = 0;
  return candidates.filter(({ probability }, rank) => {
    const stays = rank === 0 || before < share;
    before += probability;
    return stays;
  });
}

function normalised(candidates: readonly Choice[]): Choice[] {
  const sum = candidates.reduce((total, { probability }) => total + probability, 0);
  return candidates.map(({ id, probability }) => ({ id, probability: probability / sum }));
}

/** The choice at `point` of the line from 0 to 1 on which each has its probability as its length. */
export function pick(candidates: readonly Choice[], point: number): number {
  let end = 0;
  for (const { id, probability } of candidates) {
    end += probability;
    if (point < end) return id;
  }
  return candidates.at(-1)!.id;
}

/** Chooses one token after the other; the same seed chooses the same ones. */
export function sampler(sampling: Sampling, seed: number): (logits: Float32Array) => number {
  const draw = uniform(seed);
  return (logits) => pick(choices(logits, sampling), draw());
}
