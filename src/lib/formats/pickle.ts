/**
 * A file that is a pickle and nothing around it, as `pickle.dump` writes it: read to show its plain
 * values and to say what it names.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Format } from './format.ts';
import { interpret } from './torch.interpret.ts';
import { judgedPickle } from './torch.safety.ts';

/** A bare pickle lies in memory as a whole. */
const MAX_SIZE = 2 ** 30;

export const pickle: Format = {
  name: 'pickle',
  title: 'Python pickle',
  extensions: ['.pkl'],
  /** PROTO 2 to 5; or protocol 0 and 1, which begin with a MARK, a container or a GLOBAL. */
  match: ({ head }) =>
    (head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5) ||
    /^(\(|\]|\}|c[\w.]+\n[\w.]+\n)/.test(String.fromCharCode(...head.subarray(0, 200))),

  async read({ source }, signal) {
    if (source.size > MAX_SIZE) {
      throw new Error(`pickle: the file takes ${source.size} bytes, the limit is ${MAX_SIZE}`);
    }
    const bytes = await source.read(0, source.size, signal);
    const { pickle, findings, calls } = judgedPickle(bytes);
    const { value, protocol } = pickle;
    return {
      name: source.name,
      format: 'pickle',
      size: source.size,
      root: interpret(value, ({ key }) => {
        throw new FindingError({
          code: 'pickle-storage',
          message: `pickle: storage ${JSON.stringify(key)} lies outside of the pickle`,
          advice: 'It is a part of a checkpoint, such as its data.pkl: open the checkpoint itself.',
        });
      }),
      metadata: new Map([['pickle protocol', String(protocol)]]),
      findings,
      calls,
    };
  },
};
