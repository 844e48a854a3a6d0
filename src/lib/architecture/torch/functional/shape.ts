/** Views and joins, as functions and as methods. */
import { raised } from '../../python/errors.ts';
import type { Functions } from '../natives.ts';
import * as ops from '../ops/index.ts';

export const tensor: Functions = {
  flatten: [
    'input, start_dim=0, end_dim=-1',
    (given) => ops.flatten(given.tensor('input'), given.int('start_dim'), given.int('end_dim')),
  ],
  reshape: [
    'input, shape',
    (given) => ops.reshape(given.tensor('input'), given.ints('shape'), 'reshape'),
  ],
  unsqueeze: [
    'input, dim',
    (given) => {
      const { shape } = given.tensor('input');
      const at = given.int('dim') < 0 ? given.int('dim') + shape.length + 1 : given.int('dim');
      if (at < 0 || at > shape.length) {
        throw raised('IndexError', `unsqueeze: dimension ${given.int('dim')} is out of range`);
      }
      return ops.reshape(given.tensor('input'), shape.toSpliced(at, 0, 1), 'unsqueeze');
    },
  ],
};
