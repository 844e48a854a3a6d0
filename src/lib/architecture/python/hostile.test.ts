/** Sources that are made to hang, to overflow, or to reach JavaScript. None may do so. */
import { afterAll, describe, expect, it } from 'vitest';
import { costs, measured, parsing, refusal, tracing } from '../../../../tests/hostile_sources.ts';
import { tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { dict } from '#lib/checkpoint/value.ts';
import { proposeArguments } from '../propose_arguments.ts';
import { readSource } from '../source.ts';

afterAll(() => console.log(costs()));

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
    ['the digits of a large int', ['x = 10**1000', 'for i in range(10**6): str(x)'], 6],
    ['a large dict, copied', ['x = {i: i for i in range(10**6)}', 'while True: x.copy()'], 5],
    ['large sets, joined', ['x = set(range(10**6))', 'while True: y = x | x'], 6],
    ['large tensors, counted', ['x = torch.arange(2**24)', '(x * 3 + 1).sum().item()'], 6],
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
    ['a slice that grows', ['x = list(range(10**5))', 'while True: x[0:1] = [1, 2]'], 6],
    ['a long str, stripped', ['x = " " * 10**6', 'while True: x.strip()'], 6],
    ['a dict, copied', ['x = dict.fromkeys(range(10**5))', 'while True: x.copy()'], 6],
    ['combinations', ['import itertools', 'list(itertools.combinations(range(99), 50))'], 6],
    ['products', ['import itertools', 'list(itertools.product(range(99), repeat=99))'], 6],
    ['a cycle', ['import itertools', 'list(itertools.cycle([1]))'], 6],
    ['a generator that never ends', ['def g():', '    while True: yield 1', 'list(g())'], 7],
    ['a call of itself', ['class A:', '    def __call__(self): return self()', 'A()()'], 6],
    ['a repr of itself', ['class A:', '    def __repr__(self): return repr(self)', 'repr(A())'], 6],
    [
      'an attribute of itself',
      ['class A:', '    def __getattr__(self, n): return self.a', 'A().b'],
      6,
    ],
    ['a wide ljust', ['"a".ljust(10**9)'], 5],
    ['a tower of powers', ['2 ** 10 ** 9'], 5],
    ['a factorial', ['math.factorial(10**6)'], 5],
    ['nested chains', ['x = iter([1])', 'for i in range(10**5): x = map(abs, x)', 'list(x)'], 7],
    [
      'a tensor of lists that double',
      ['x = [[]]', 'for i in range(60): x = [x] * 2', 'torch.tensor(x)'],
      7,
    ],
    ['a tensor, picked to pieces', ['for y in torch.zeros(10**9): pass'], 5],
    ['a tensor, split to pieces', ['torch.zeros(10**9).split(1)'], 5],
    ['no tensor in many pieces', ['torch.zeros(0).chunk(10**9)'], 5],
    [
      'numbers that double',
      ['x = torch.zeros(2)', 'for i in range(60): x = torch.cat([x, x])', 'x.sum().item()'],
      7,
    ],
    ['numbers of a large tensor', ['torch.zeros(10**12).tolist()'], 5],
    ['an LSTM of endless layers', ['self.a = nn.LSTM(1, 1, 10**9)'], 5],
    ['a module in itself', ['self.a = self'], 2],
    ['a list of one module', ['self.a = nn.ModuleList([nn.ReLU()] * 3 * 10**5)'], 2],
  ])('stop %s', (name, lines, line) => {
    const finding = measured(name, () => refusal(...lines));
    expect(finding.code).toBe('python-budget');
    expect(finding.where).toBe(`model.py line ${line}`);
  });

  it.each([
    ['a wide format', ['"%1000000000d" % 1'], 5],
    ['a wide f-string', ['f"{1:1000000000}"'], 5],
    ['a wide str.format', ['"{:{}}".format(1, 10**9)'], 5],
    ['many digits', ['"%.1000000000f" % 1.5'], 5],
  ])('refuse %s', (name, lines, line) => {
    expect(measured(name, () => refusal(...lines)).where).toBe(`model.py line ${line}`);
  });

  it.each([
    ['an endless loop', ['while True: x = x + 1'], 8],
    ['forward in forward', ['return self(x)'], 8],
    ['pieces that double', ['y = [x]', 'for i in range(99): y = y + y', 'return y'], 9],
    ['pieces that grow', ['y = [x]', 'for z in y: y.append(z + 1)', 'return x'], 9],
    ['a tensor, picked to pieces', ['for y in torch.zeros(10**9): x = x + y', 'return x'], 8],
  ])('stop %s in forward', (name, lines, line) => {
    const finding = measured(name, () => tracing(...lines));
    expect(finding).toMatchObject({ code: 'python-budget', where: `model.py line ${line}` });
  });

  it('stop a generator of itself, wherever the stack is full', () => {
    const finding = refusal('def g():', '    yield from g()', 'list(g())');
    expect(finding.code).toBe('python-budget');
    expect(finding.where).toMatch(/^model\.py line [567]$/);
  });

  it('let sizes be large that nobody counts', () => {
    const finding = tracing('return nn.functional.pad(x, (10**12, 0))');
    expect(finding).toBeNull();
  });

  it('hold for all that is tried to find arguments', () => {
    const text = [
      'import torch.nn as nn',
      'class Net(nn.Module):',
      '    def __init__(self, a, b=2, c=3):',
      '        super().__init__()',
      '        while True: pass',
    ].join('\n');
    const read = readSource([{ name: 'model.py', text }]);
    if (!read.ok) throw new Error(read.findings[0]!.message);
    const { source } = read;
    let builds = 0;
    const counted = {
      ...source,
      build: (...args: Parameters<typeof source.build>) => {
        builds++;
        return source.build(...args);
      },
    };
    const { candidates } = source;
    const sizes = dict({ 'a.weight': tensorFromBytes(new Uint8Array(480), 'float32', [4, 5, 6]) });
    measured('a search for arguments', () =>
      proposeArguments(counted, candidates[0]!, sizes, new Map()),
    );
    expect(builds).toBeGreaterThan(1);
    expect(builds).toBeLessThan(6);
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
  const parse = (text: string) => parsing({ name: 'model.py', text });
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
  it.each([
    ['a list on one line', `x = [${'1,'.repeat(120_000)}]`],
    ['texts on one line', `x = [${'"",'.repeat(80_000)}]`],
    ['letters with accents', 'é = [1, 2]\n'.repeat(30_000)],
    ['statements on one line', 'x=1;'.repeat(60_000)],
    ['an f-string of many parts', `x = f"${'é{1}'.repeat(50_000)}"`],
    ['a million empty lines', '\n'.repeat(999_999)],
    ['one long name', `${'a'.repeat(999_990)} = 1`],
    ['one long number', `x = ${'9'.repeat(300_000)}`],
    ['one long text', `x = "${'a'.repeat(999_000)}"`],
    ['a text without an end', `x = '''${'a'.repeat(999_000)}`],
    ['quotes without an end', `'''\\`.repeat(100_000)],
    ['functions that return one another', makers(10_000)],
    ['many arguments', arguments_(20_000)],
    ['many dots', `import a${'.a'.repeat(200_000)}`],
    ['nested f-strings', `x = ${'f"{'.repeat(2000)}1${'}"'.repeat(2000)}`],
    ['formats in formats', `x = f"${'{1:'.repeat(3000)}1${'}'.repeat(3000)}"`],
    ['a NUL', 'x = 1\0\n'],
  ])('reads or refuses %s', (name, text) => {
    const finding = measured(name, () => parse(text));
    if (finding) expect(finding.where).toBe('model.py line 1');
  });
  it('refuses more than a million signs in all files', () => {
    const text = 'x = 1\n'.repeat(160_000);
    const parts = Array.from({ length: 3 }, (_, index) => ({ name: `m${index}.py`, text }));
    const read = measured('many signs', () => readSource(parts));
    expect(read.ok && read.warnings).toMatchObject([
      { code: 'python-budget', where: expect.stringMatching(/^m2\.py line \d+$/) },
    ]);
  });
  it('says where tabs and spaces disagree', () => {
    expect(parse('if 1:\n\tx = 1\n        y = 2\n')).toMatchObject({
      code: 'python-syntax',
      where: 'model.py line 3',
      message: 'syntax error: inconsistent use of tabs and spaces in indentation',
    });
    expect(parse('if 1:\n\tx = (1,\n  2)\n\ty = 1 + \\\n 2\n\n  # so\n\tz = 3\n')).toBeNull();
  });
  it('reads form feeds', () => {
    expect(parse('\fx = 1\n\f\nif x:\n    y = 1\n\f\n    z = 2\n')).toBeNull();
  });
  it('says where the syntax is wrong', () => {
    expect(parse('x = 1\ndef f(:\n    pass')).toMatchObject({
      code: 'python-syntax',
      where: 'model.py line 2',
      message: 'syntax error: Expected parameter name',
    });
    expect(parse('x = 1\nprint "a"')).toMatchObject({ where: 'model.py line 2' });
    expect(parse('x = "a')).toMatchObject({ where: 'model.py line 1' });
    expect(parse('x = 1\ny = 0x')).toMatchObject({
      where: 'model.py line 2',
      message: 'syntax error: a number has no digits',
    });
  });
  it('reads Windows line ends, a byte order mark, and text that is not ASCII', () => {
    expect(parse('\uFEFFx = 1\r\nyé = "ü"; z = 2.0\r\nw = f"é{1} {2.5}"')).toBeNull();
  });
});

describe('many files', () => {
  it('that import one another are read once each', () => {
    const cycle = Array.from({ length: 50 }, (_, index) => ({
      name: `m${index}.py`,
      text: `from m${(index + 1) % 50} import *\nx${index} = 1\n`,
    }));
    expect(readSource(cycle).ok).toBe(true);
  });
  it('in a long line of imports are refused with the line', () => {
    const line = Array.from({ length: 1000 }, (_, index) => ({
      name: `m${index}.py`,
      text: `x = 1\nfrom m${index + 1} import x\n`,
    }));
    expect(measured('a thousand files', () => readSource(line))).toMatchObject({
      ok: false,
      findings: [{ code: 'python-budget', where: 'm99.py line 2' }],
    });
  });
  it('may be called anything', () => {
    const names = ['__proto__.py', 'constructor.py', 'toString/__init__.py', '..py', '.py', ''];
    const files = names.map((name) => ({ name, text: 'from __proto__ import x\nx = 1\n' }));
    expect(readSource(files).ok).toBe(true);
  });
});

/** Functions of which each returns what the next one makes, the last one a module. */
function makers(count: number): string {
  const lines = Array.from({ length: count }, (_, at) => `def f${at}(): return f${at + 1}()`);
  return ['import torch.nn as nn', ...lines, `def f${count}(): return nn.ReLU()`].join('\n');
}

/** A constructor with so many arguments on one line. */
function arguments_(count: number): string {
  const all = Array.from({ length: count }, (_, at) => `a${at}: int = len(b)`).join(', ');
  return `import torch.nn as nn\nclass A(nn.Module):\n  def __init__(self, ${all}): pass`;
}

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
