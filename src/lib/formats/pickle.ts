/**
 * A file that is a pickle and nothing around it: a bare `pickle.dump`, or `torch.save` before 1.6.
 * It is read to say what it names; tensors of the old torch format are not in it but behind it.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Format } from './format.ts';
import { interpret } from './torch.interpret.ts';
import { judgedPickle } from './torch.safety.ts';

/** A bare pickle lies in memory as a whole. */
const MAX_SIZE = 2 ** 30;
/** The first pickle of torch's old files (torch/serialization.py, MAGIC_NUMBER). */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;

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
    if (value === LEGACY_MAGIC) {
      throw new FindingError({
        code: 'torch-legacy',
        message:
          'torch: this file has the format from before PyTorch 1.6, which the lab does not read',
        advice:
          'In PyTorch: torch.save(torch.load("old.pth", map_location="cpu"), "new.pth"), then open new.pth.',
      });
    }
    return {
      name: source.name,
      format: 'pickle',
      size: source.size,
      root: interpret(value, ({ key }) => {
        throw new Error(`pickle: storage ${JSON.stringify(key)} lies outside of the pickle`);
      }),
      metadata: new Map([['pickle protocol', String(protocol)]]),
      findings,
      calls,
    };
  },
};
