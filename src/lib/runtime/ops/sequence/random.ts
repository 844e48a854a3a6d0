import { standard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';

/** Numbers from the run's seed, other ones in each pass and node; not those that torch would draw. */
export const random: OpFunction<'random'> = (_, { distribution, low, high }, context) => {
  const shape = [...context.node.shape];
  const seed = context.dropoutSeed();
  if (distribution === 'uniform')
    return standard(tf.randomUniform(shape, low, high, 'float32', seed));
  const rng = seedNumber(seed);
  return standard(tf.randomNormal(shape, 0, 1, 'float32', rng));
};

/** tfjs's normal generator takes a number. */
function seedNumber(text: string): number {
  let hash = 0;
  for (const character of text) hash = (Math.imul(hash, 31) + character.codePointAt(0)!) | 0;
  return hash;
}
