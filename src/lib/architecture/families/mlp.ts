import { list, tuple } from '#lib/checkpoint/value.ts';
import type { Family } from './family.ts';
import source from './mlp.py?raw';

/** Nothing but linear layers, each of which takes what the one before gives. */
export const mlp: Family = {
  name: 'mlp',
  source,
  propose(shapes) {
    const names = shapes.keys
      .filter((key) => key.endsWith('.weight'))
      .map((key) => key.slice(0, -7));
    const known = new Set(names.flatMap((name) => [`${name}.weight`, `${name}.bias`]));
    if (names.length === 0 || shapes.keys.some((key) => !known.has(key))) return [];
    const layers = names.map((name) => ({ name, shape: shapes.of(`${name}.weight`) }));
    const isChain = layers.every(
      ({ shape }, at) => shape.length === 2 && (at === 0 || shape[1] === layers[at - 1]!.shape[0]),
    );
    if (!isChain) return [];
    const sizes = [layers[0]!.shape[1]!, ...layers.map(({ shape }) => shape[0]!)];
    return [
      {
        title: `MLP ${sizes.join('–')}`,
        model: 'MLP',
        args: {
          layers: list(
            ...layers.map(({ name, shape }) =>
              tuple(name, BigInt(shape[1]!), BigInt(shape[0]!), shapes.has(`${name}.bias`)),
            ),
          ),
          activation: 'relu',
        },
        ...(layers.length > 1 && {
          assumed: ['ReLU between the layers'],
          origins: { activation: 'custom' as const },
        }),
      },
    ];
  },
};
