import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { Dict, list, tuple, type Call, type Value } from '#lib/checkpoint/value.ts';
import { readPickle } from './read.ts';
import { writePickle } from './write.ts';

const ascii = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));
const read = (text: string) => readPickle(ascii(text)).value;

const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.bigInt(),
    fc.double(),
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('a', '\ud800', '\udfff', 'é', '😀') }),
    fc.array(tie('value')).map((items) => list(...items)),
    fc.array(tie('value')).map((items) => tuple(...items)),
    fc.array(fc.tuple(fc.string(), tie('value'))).map((entries) => new Dict(entries)),
  ),
})).value;

describe('pickle', () => {
  it('reads back what it writes', () => {
    fc.assert(
      fc.property(value, (value) => {
        expect(shape(readPickle(writePickle(value)).value)).toEqual(shape(value));
      }),
      { numRuns: 500 },
    );
  });

  it('keeps what is shared shared, and lists that contain themselves', () => {
    const shared = list(1n);
    const self = list(shared, shared);
    self.items.push(self);
    const back = readPickle(writePickle(self)).value as typeof self;
    expect(back.items[0]).toBe(back.items[1]);
    expect(back.items[2]).toBe(back);
  });

  it('survives a million nested tuples and writes them again', () => {
    const depth = 1_000_000;
    const bytes = new Uint8Array(depth + 4).fill(0x85);
    bytes.set([0x80, 2, 0x29]);
    bytes[depth + 3] = 0x2e;
    const { value } = readPickle(bytes);
    expect(writePickle(value).length).toBeGreaterThan(depth);
  });

  it('keeps calls as data and counts them', () => {
    const { value, calls } = readPickle(ascii('cos\nsystem\n(S"echo hi"\ntR.'));
    expect(value).toMatchObject({
      kind: 'call',
      how: 'reduce',
      callable: { kind: 'global', module: 'os', name: 'system' },
      args: { kind: 'tuple', items: ['echo hi'] },
    });
    expect(calls).toMatchObject([{ name: 'os.system', count: 1, offset: 24 }]);
  });

  it('sees a call that is popped again', () => {
    expect(readPickle(ascii('(cos\nsystem\nS"x"\no0N.')).calls).toMatchObject([
      { name: 'os.system' },
    ]);
  });

  it('reads the texts of protocol 0', () => {
    expect(read("(lp0\nI42\naI01\naL-7L\naF1e-3\naS'a\\n\\x41'\naV\\u00e9\na.")).toEqual(
      list(42n, true, -7n, 1e-3, 'a\nA', 'é'),
    );
  });

  it('reads the strings of Python 2 as UTF-8, else as bytes', () => {
    expect(read("S'caf\\xc3\\xa9'\n.")).toBe('café');
    const bytes = { kind: 'bytes', bytes: Uint8Array.of(0xff), mutable: false };
    expect(read("S'\\xff'\n.")).toEqual(bytes);
    expect(read('U\x01\xff.')).toEqual(bytes);
  });

  it('holds 1, 1.0 and True for one key and __proto__ for a key like any', () => {
    const keys = read('}(I1\nS"a"\nF1.0\nS"b"\nI01\nS"c"\nS"__proto__"\nI2\nu.') as Dict;
    expect([...keys.entries()]).toEqual([
      [1n, 'c'],
      ['__proto__', 2n],
    ]);
  });

  it.each([
    ['', 'byte 0: .*bounds|byte 0: 1 bytes'],
    ['(', 'byte 1: '],
    ['N', 'byte 1: '],
    ['0.', 'the stack is empty'],
    ['g7\n.', 'memo 7 was never set'],
    ['}N.', 'leaves 1 values'],
    ['(N.', 'open MARK'],
    ['\x8e\x00\x00\x00\x00\x00\x00\x00\x40.', '4611686018427387904 bytes are needed'],
    ['\x8b\xff\xff\xff\xff.', 'negative length -1'],
    ['\x8b\x01\x00\x01\x00', 'an int of 65537 bytes'],
    ['\x95\xff\x00\x00\x00\x00\x00\x00\x00N.', 'bytes are needed'],
    ['\xff', 'unknown opcode 0xff'],
    ['I1\n(Nub.', 'key without a value|no dict'],
    ['Nb.', 'stack is empty|BUILD'],
    ['NNb.', 'BUILD on a value that no call made'],
  ])('refuses %j with the byte', (text, message) => {
    let error: unknown;
    try {
      read(text);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(FindingError);
    expect((error as FindingError).message).toMatch(/^pickle: byte \d+: /);
    expect((error as FindingError).message).toMatch(new RegExp(message));
  });

  it('stops at ten million objects, before memory does', () => {
    const bytes = new Uint8Array(20_000_002).map((_, at) => (at % 2 ? 0x30 : 0x7d)); // } and POP
    expect(() => readPickle(bytes)).toThrow('pickle: byte 20000000: more than 10000000 objects');
  });

  it('never crashes on arbitrary bytes', () => {
    const opcodeHeavy = fc.array(
      fc.oneof(fc.constantFrom(...ascii('(]}l)tuasbeRcdopq012.NIG\x85\x86\x94h')), fc.nat(255)),
    );
    fc.assert(
      fc.property(opcodeHeavy, (bytes) => {
        try {
          readPickle(Uint8Array.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(FindingError);
        }
      }),
      { numRuns: 5000 },
    );
  });
});

/** Values as plain nested arrays, so that vitest compares Dicts by content and -0 by sign. */
function shape(value: Value): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Dict) return ['dict', [...value.entries()].map((pair) => pair.map(shape))];
  if (value.kind === 'list' || value.kind === 'tuple') return [value.kind, value.items.map(shape)];
  return value as Call;
}
