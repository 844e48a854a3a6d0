/** What a configuration and tied weights change in what is recognised; numbers are compared elsewhere. */
import { describe, expect, it } from 'vitest';
import { tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { Dict, type Value } from '#lib/checkpoint/value.ts';
import { int, sourceFile } from './family.ts';
import { llama } from './llama.ts';
import { recognise } from './recognise.ts';
import { readSource } from '../source.ts';

/** The state_dict of a Llama with 6 heads of 8 numbers in 2 groups, all zero. */
function weights(change: Record<string, Value> = {}): Dict {
  const sizes = { vocabulary: 11, width: 48, depth: 1, heads: 6, groups: 2, size: 8, hidden: 20 };
  const read = readSource([sourceFile(llama)]);
  if (!read.ok) throw new Error(read.findings[0]!.message);
  const args = new Map(Object.entries({ ...int(sizes), ...change }));
  const built = read.source.build('HFLlamaLanguageModel', args);
  if (!built.ok) throw new Error(built.findings[0]!.message);
  return new Dict(
    built.module.state.map(({ key, shape, dtype }) => {
      const bytes = new Uint8Array(4 * shape.reduce((a, b) => a * b, 1));
      return [key, tensorFromBytes(bytes, dtype, shape)];
    }),
  );
}

const proposal = (state: Dict, hints: Record<string, Value> = {}) =>
  recognise(state, new Map(Object.entries(hints)))?.proposal;

describe('a Llama', () => {
  it('has the heads of the configuration', () => {
    const hints = { num_attention_heads: 6n, rope_theta: 500n, rms_norm_eps: 1e-5 };
    const found = proposal(weights(), { ...hints, model_type: 'llama' })!;
    expect(found.args).toMatchObject({ heads: 6n, groups: 2n, size: 8n, theta: 500, eps: 1e-5 });
    expect(found).toMatchObject({ assumed: [], origins: { heads: 'configuration' } });
  });

  it('has heads by custom without one, which is said', () => {
    const found = proposal(weights())!;
    expect(found.args).toMatchObject({ heads: 3n, groups: 1n, size: 16n });
    expect(found.origins).toEqual({ heads: 'custom', theta: 'custom', eps: 'custom' });
    expect(found.assumed).toContain('3 attention heads of 16 numbers');
  });

  it.each<[name: string, hints: Record<string, Value>, refused: string]>([
    ['another model', { model_type: 'gemma' }, 'a model of type gemma'],
    ['other places', { rope_type: 'llama3' }, 'RoPE of type llama3'],
    ['scaled places', { rope_scaling: new Dict([['factor', 2]]) }, 'RoPE that is scaled'],
    ['another activation', { hidden_act: 'gelu' }, 'the activation gelu'],
  ])('is refused where the configuration asks for %s', (_, hints, refused) => {
    expect(proposal(weights(), hints)?.refused).toBe(refused);
  });

  it('is tied where its head lies in the place of its embedding', () => {
    const state = weights();
    expect(proposal(state)?.args).toMatchObject({ tied: false, kept: true });
    state.set('lm_head.weight', state.get('model.embed_tokens.weight')!);
    expect(proposal(state)?.args).toMatchObject({ tied: true, kept: true });
    state.delete('lm_head.weight');
    expect(proposal(state)?.args).toMatchObject({ tied: false, kept: false });
  });

  it('is another model with a key more or less', () => {
    const state = weights();
    state.delete('model.norm.weight');
    expect(proposal(state)).toBeUndefined();
  });
});
