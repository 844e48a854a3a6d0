/** Sources that are made to hang, to overflow, or to reach JavaScript. None may do so. */
import { describe, expect, it } from 'vitest';
import type { Finding } from '#lib/checkpoint/finding.ts';
import { readSource } from '../source.ts';

/** What building `Net` with this body of `__init__` is refused with. */
function refusal(...lines: string[]): Finding {
  const text = [
    'import torch, torch.nn as nn, math',
    'class Net(nn.Module):',
    '    def __init__(self):',
    '        super().__init__()',
    ...lines.map((line) => `        ${line}`),
    '        self.done = nn.Linear(1, 1)',
  ].join('\n');
  const read = readSource([{ name: 'model.py', text }]);
  if (!read.ok) return read.findings[0]!;
  const built = read.source.build('Net');
  if (built.ok) throw new Error('it was built');
  return built.findings[0]!;
}

describe('budgets', () => {
  it.each([
    ['an endless loop', ['while True: pass'], 5],
    ['an endless loop with a body', ['x = 0', 'while x < 1:', '    y = [1, 2, 3]'], 7],
    ['an endless list', ['x = [1]', 'for y in x: x.append(y)'], 6],
    ['a huge range', ['for i in range(10**12): pass'], 5],
    ['the list of a huge range', ['list(range(10**12))'], 5],
    ['the sum of a huge range', ['sum(range(10**12))'], 5],
    ['a huge zip', ['for a, b in zip(range(10**12), range(10**12)): pass'], 5],
    ['a huge comprehension', ['[i for i in range(10**9)]'], 5],
    ['a huge str', ['"x" * 10**10'], 5],
    ['a huge list', ['[0] * 10**10'], 5],
    ['a doubling str', ['x = "ab"', 'for i in range(100): x = x + x'], 6],
    ['a doubling list', ['x = [0]', 'for i in range(100): x += x'], 6],
    ['a join of doubling strs', ['x = "ab"', 'for i in range(99): x = x.join([x, x])'], 6],
    ['a replace of doubling strs', ['x = "aa"', 'for i in range(99): x = x.replace("a", x)'], 6],
    ['a huge int', ['10 ** 10 ** 10'], 5],
    ['a growing int', ['x = 3', 'while True: x = x * x'], 6],
    ['a huge shift', ['1 << 10**9'], 5],
    ['an endless recursion', ['f = lambda: f()', 'f()'], 5],
    ['a list that contains itself', ['x = []', 'x.append(x)', 'repr(x)'], 7],
    ['a repr that doubles', ['x = []', 'for i in range(99): x = [x, x]', 'repr(x)'], 7],
    ['an endless tuple', ['x = ()', 'for i in range(10**5): x = (x,)', '{x: 1}'], 7],
    ['a deep comparison', ['x = y = ()', 'for i in range(10**5): x = (x,); y = (y,)', 'x == y'], 7],
    ['a key that doubles', ['x = ()', 'for i in range(99): x = (x, x)', '{x: 1}'], 7],
    [
      'a comparison that doubles',
      ['x = y = ()', 'for i in range(99): x = (x, x); y = (y, y)', 'x == y'],
      7,
    ],
    ['classes that double', ['x = int', 'for i in range(99): x = (x, x)', 'isinstance("", x)'], 7],
    ['a long str, measured', ['x = "a" * 10**6', 'while True: len(x)'], 6],
    ['a long str as a key', ['x = "a" * 10**6', 'while True: {}.get(x)'], 6],
    ['a long str, searched', ['x = "a" * 10**6', 'while True: x.startswith(x)'], 6],
    [
      'a long str, read',
      ['x = "1" * 10**6 + "x"', 'while True:', '    try: int(x)', '    except ValueError: pass'],
      7,
    ],
    [
      'many keywords',
      ['x = {str(i): i for i in range(10**4)}', 'while True: (lambda **k: 0)(**x)'],
      6,
    ],
    ['many bases', ['A = object', 'while True:', '    class A(A): pass'], 7],
    [
      'a module tree that doubles',
      [
        'x = nn.Linear(1, 1)',
        'for i in range(99): x = nn.Sequential(x, x)',
        'self.x = x',
        'list(x.parameters())',
        'x.train()',
      ],
      9,
    ],
    [
      'a walk through a large tree',
      ['x = nn.ModuleList(nn.ReLU() for i in range(10**4))', 'while True: x[5]'],
      6,
    ],
    ['many dimensions', ['x = torch.zeros([1] * 10**5)'], 5],
    ['many parameters', ['for i in range(10**9): setattr(self, f"p{i}", nn.Linear(1, 1))'], 5],
  ])('stop %s', (_, lines, line) => {
    const started = performance.now();
    const finding = refusal(...lines);
    expect(finding.code).toBe('python-budget');
    expect(finding.where).toBe(`model.py line ${line}`);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it('hold for the top level of a file too', () => {
    const read = readSource([{ name: 'model.py', text: 'x = 1\nwhile x:\n    x += 1\n' }]);
    expect(read).toMatchObject({ ok: false, findings: [{ code: 'python-budget' }] });
  });

  it('hold in exception handlers', () => {
    expect(refusal('while True:', '    try: 1 / 0', '    except: pass').code).toBe('python-budget');
  });

  it('cannot be caught', () => {
    expect(refusal('try: "x" * 10**10', 'except BaseException: pass').code).toBe('python-budget');
    expect(refusal('try: "x" * 10**10', 'finally: raise ValueError("x")').code).toBe(
      'python-budget',
    );
  });
});

describe('the parser', () => {
  const parse = (text: string) => {
    const read = readSource([{ name: 'model.py', text }]);
    return read.ok ? null : read.findings[0]!;
  };
  it.each([
    ['parentheses', `x = 1\ny = ${'('.repeat(5000)}${')'.repeat(5000)}`, 2],
    ['brackets', `x = 1\ny = ${'['.repeat(5000)}${']'.repeat(5000)}`, 2],
    ['brackets over lines', `x = 1\ny = ${'[\n'.repeat(5000)}${']'.repeat(5000)}`, 102],
    ['minus signs', `x = 1\ny = ${'-'.repeat(50000)}1`, 2],
    ['not', `x = 1\ny = ${'not '.repeat(20000)}1`, 2],
    ['lambdas', `x = 1\ny = ${'lambda: '.repeat(20000)}1`, 2],
    ['attributes', `x = 1\ny = x${'.a'.repeat(50000)}`, 2],
    ['conditions', `x = 1\ny = ${'1 if x else '.repeat(20000)}1`, 2],
    ['powers', `x = 1\ny = ${'1 ** '.repeat(20000)}1`, 2],
    ['blocks', Array.from({ length: 300 }, (_, i) => `${' '.repeat(i)}if 1:`).join('\n'), 101],
  ])('refuses nested %s with a line', (_, text, line) => {
    const finding = parse(text);
    expect(finding).toMatchObject({ code: 'python-budget', where: `model.py line ${line}` });
  });
  it('lets long sums through to the evaluator, which stops them', () => {
    const read = readSource([{ name: 'model.py', text: `x = 1${' + 1'.repeat(5000)}` }]);
    expect(read).toMatchObject({ ok: false, findings: [{ code: 'python-budget' }] });
  });
  it('does not count brackets in strings and comments', () => {
    const open = '('.repeat(500);
    expect(parse(`x = "${open}"\n# ${open}\ny = """${open}\n"""\nz = '\\'${open}'`)).toBeNull();
  });
  it('refuses a file that is too long', () => {
    expect(parse(`# ${'x'.repeat(1_000_000)}`)).toMatchObject({ code: 'python-budget' });
  });
  it('says where the syntax is wrong', () => {
    expect(parse('x = 1\ndef f(:\n    pass')).toMatchObject({
      code: 'python-syntax',
      where: 'model.py line 2',
      message: 'syntax error: Expected parameter name',
    });
    expect(parse('x = 1\nprint "a"')).toMatchObject({ where: 'model.py line 2' });
    expect(parse('x = "a')).toMatchObject({ where: 'model.py line 1' });
  });
  it('reads Windows line ends, a byte order mark, and text that is not ASCII', () => {
    expect(parse('\uFEFFx = 1\r\nyé = "ü"; z = 2.0\r\nw = f"é{1} {2.5}"')).toBeNull();
  });
});

describe('names of JavaScript', () => {
  it.each([
    ['().__class__.__bases__[0].__subclasses__()', /no attribute "__bases__"/],
    ['self.__class__.__mro__[-1].__subclasses__()', /no attribute "__subclasses__"/],
    ['(lambda: 0).__globals__', /no attribute "__globals__"/],
    ['(lambda: 0).constructor("return this")()', /no attribute "constructor"/],
    ['"".constructor', /no attribute "constructor"/],
    ['[].constructor.constructor', /no attribute "constructor"/],
    ['{}.__proto__', /no attribute "__proto__"/],
    ['{}["constructor"]', /no key 'constructor'/],
    ['math.constructor', /math.constructor is not supported/],
    ['torch.__proto__.polluted', /torch.__proto__.polluted is not supported/],
    ['self.toString()', /no attribute "toString"/],
    ['hasOwnProperty', /name "hasOwnProperty" is not defined/],
    ['eval("1")', /name "eval" is not defined/],
    ['exec("1")', /name "exec" is not defined/],
    ['__import__("os")', /name "__import__" is not defined/],
    ['open("/etc/passwd")', /name "open" is not defined/],
    ['globals()', /name "globals" is not defined/],
    ['f"{self.constructor}"', /no attribute "constructor"/],
    ['"{0.constructor}".format(self)', /no attribute "constructor"/],
    ['"{0.__class__.__init__.__globals__}".format(self)', /no attribute "__globals__"/],
    ['getattr(self, "constructor")', /no attribute "constructor"/],
    ['self.__dict__.constructor', /no attribute "constructor"/],
    ['self.__dict__["constructor"]', /no key 'constructor'/],
    ['setattr(self, "__dict__", {})', /setting __dict__ is not supported/],
    ['setattr(self, "__class__", 1)', /setting __class__ is not supported/],
    ['setattr(nn.Linear, "forward", 1)', /setting Linear.forward is not supported/],
    ['setattr(nn, "Linear", 1)', /no attribute "Linear" to set/],
  ])('%s is refused', (expression, message) => {
    const { message: said, where } = refusal(
      expression === 'torch.__proto__.polluted' || expression === 'math.constructor'
        ? `(${expression})()`
        : expression,
    );
    expect(said).toMatch(message);
    expect(where).toBe('model.py line 5');
  });

  it('are names like any other', () => {
    const text = [
      'import torch.nn as nn',
      '__proto__ = 4',
      'constructor = {"__proto__": __proto__, "toString": 1}',
      'class Net(nn.Module):',
      '    hasOwnProperty = 2',
      '    def __init__(self, __proto__=constructor["__proto__"], valueOf=3):',
      '        super().__init__()',
      '        self.__proto__ = nn.Linear(__proto__, valueOf)',
      '        self.constructor = nn.Linear(self.hasOwnProperty, valueOf)',
      '    def forward(self, x, **toString):',
      '        return self.__proto__(x)',
    ].join('\n');
    const read = readSource([{ name: 'model.py', text }]);
    if (!read.ok) throw new Error(read.findings[0]!.message);
    const built = read.source.build('Net', new Map([['valueOf', 5n]]));
    if (!built.ok) throw new Error(built.findings[0]!.message);
    expect(built.module.state.map(({ key }) => key)).toEqual([
      '__proto__.weight',
      '__proto__.bias',
      'constructor.weight',
      'constructor.bias',
    ]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    const traced = built.module.trace([{ shape: [1, 4], dtype: 'float32' }], { training: false });
    expect(traced.ok).toBe(true);
  });
});
