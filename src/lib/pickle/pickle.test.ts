import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { Dict, list, tuple, type Call, type Value } from '#lib/checkpoint/value.ts';
import { disassemble } from './decode.ts';
import { Budget, examinePickle, readPickle, type MadeCall } from './read.ts';
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

  it.each([
    ["(S'module'\ncnet\nNet\nNNtQ", 'net.Net'],
    ["(cnet\nNet\nS'net.py'\nS'class Net'\ntQ", 'net.Net'],
    ["(S'storage'\nctorch\nFloatStorage\ntQ", 'a value that the pickle computes'],
    ["S'5'\nQ", 'a value that the pickle computes'],
  ])('lists what is called by the persistent id %j as %s', (id, name) => {
    expect(readPickle(ascii(`${id})R.`)).calls).toMatchObject([{ name, count: 1 }]);
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

  it.each([
    ['I010\n.', 8n],
    ['L-0x1fL\n.', -31n],
    ['F-infinity\n.', -Infinity],
    ['V\xe9\\u00e9\\\\u0041\n.', 'éé\\\\u0041'],
    ['(N.', null],
    ['}N.', null],
    ['(0N.', null],
    ['N2\x86.', tuple(null, null)],
    ['NNb.', null],
    ['C\x01a\x98.', { kind: 'bytes', bytes: ascii('a'), mutable: false }],
    ['\x96\x01\0\0\0\0\0\0\0a\x98.', { kind: 'bytes', bytes: ascii('a'), mutable: false }],
    ['Np7\n0\x88\x94h\x01.', true],
  ] as [string, Value][])('reads %j as Python does', (text, value) => {
    expect(read(text)).toEqual(value);
  });

  it.each([
    ['cos\nenviron\nVA\nVb\ns.', ['os.environ.__setitem__']],
    ['cos\nenviron\n}b.', ['os.environ.__setstate__']],
    ['cos\nenviron\nNa.', ['os.environ.extend']],
    ['ca\nb\n)R}b}b.', ['a.b', 'a value that the pickle computes.__setstate__']],
    ['ca\nb\n)R)R.', ['a.b', 'a value that the pickle computes']],
    ['(NVx\nia\nb\n.', ['a.b']],
    ['(ca\nb\nNo0N.', ['a.b']],
    ['ca\nb\n)\x81.', ['a.b']],
    ['ca\nb\n)}\x92.', ['a.b']],
    ['\x82\x07)R.', ['copyreg.extension 7']],
    ['\x84\x07\0\0\0)R.', ['copyreg.extension 7']],
  ])('lists what %j would call', (text, calls) => {
    expect(readPickle(ascii(text)).calls.map(({ name }) => name)).toEqual(calls);
  });

  it('keeps what came before the place where it breaks off', () => {
    const reading = examinePickle(ascii('cos\nsystem\n(S"x"\ntR00N.'));
    expect(reading.value).toBeUndefined();
    expect(reading.problem).toMatchObject({ where: 'byte 20' });
    expect(reading).toMatchObject({ opcodes: 7, calls: [{ name: 'os.system', offset: 18 }] });
    expect(reading.names).toMatchObject([{ global: { module: 'os', name: 'system' }, offset: 0 }]);
  });

  it('shows the calls with their arguments to who looks on, until that is enough', () => {
    const seen: MadeCall[] = [];
    const call = (made: MadeCall) => seen.push(made) < 2;
    const bytes = ascii('ca\nb\n)Rca\nc\nN\x85Rca\nd\n)R.');
    const { value, problem } = examinePickle(bytes, 0, new Budget(), { call });
    expect([value, problem]).toEqual([undefined, undefined]);
    expect(seen.map(({ global, args }) => [global.name, args])).toEqual([
      ['b', tuple()],
      ['c', tuple(null)],
    ]);
  });

  it('lists its opcodes without running them', () => {
    const rows = [...disassemble(ascii('\x80\x02cos\nsystem\nq\x05K\x07\x850.'))];
    expect(rows.map(({ offset, name, argument }) => [offset, name, argument])).toEqual([
      [0, 'PROTO', 2],
      [2, 'GLOBAL', { kind: 'global', module: 'os', name: 'system' }],
      [13, 'BINPUT', 5],
      [15, 'BININT1', 7n],
      [17, 'TUPLE1', undefined],
      [18, 'POP', undefined],
      [19, 'STOP', undefined],
    ]);
    expect(() => [...disassemble(ascii('N\xff'))]).toThrow('unknown opcode 0xff');
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
    ['(.', 'the stack is empty'],
    ['\x8e\x00\x00\x00\x00\x00\x00\x00\x40.', '4611686018427387904 bytes are needed'],
    ['\x8b\xff\xff\xff\xff.', 'negative length -1'],
    ['\x8b\x01\x00\x01\x00', 'an int of 65537 bytes'],
    ['\x95\xff\x00\x00\x00\x00\x00\x00\x00N.', 'bytes are needed'],
    ['\xff', 'unknown opcode 0xff'],
    ['}(Nu.', 'a key without a value'],
    ['}]Ns.', 'as a key'],
    ['I1\n(Nub.', 'SETITEMS on a value that has no __setitem__'],
    ['Nb.', 'the stack is empty'],
    ['N}b.', 'BUILD on a value that has no __setstate__'],
    ['\x95\x03\0\0\0\0\0\0\0X\x01\0\0\0a.', 'straddles its frame'],
    [
      '\x95\x0a\x00\x00\x00\x00\x00\x00\x00N\x95\x00\x00\x00\x00\x00\x00\x00\x00.',
      'a frame inside of a frame',
    ],
    ['\x82\x00.', 'the extension code 0'],
    ['\x97.', 'NEXT_BUFFER refers to a buffer outside of the file'],
    ['V\\u12\n.', 'a broken escape'],
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
