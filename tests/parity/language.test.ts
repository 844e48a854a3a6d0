/** Features of Python that model sources use: CPython and the evaluator leave the same result. */
import { describe, expect, it } from 'vitest';
import { readSource } from '#lib/architecture/source.ts';
import { runPython } from '../python.ts';

const snippets: Record<string, string> = {
  generators: `
def numbers(n):
    try:
        for i in range(n):
            if i == 3:
                continue
            yield i
        yield from 'ab'
    finally:
        seen.append('done')
def forever():
    i = 0
    while True:
        yield i
        i += 1
seen = []
squares = (x * x for x in forever())
result = (list(numbers(5)), next(squares), next(squares), next(squares), seen)`,
  decorators: `
import functools
def doubled(times=2):
    def outer(function):
        @functools.wraps(function)
        def inner(*args, **keywords):
            """inner"""
            return times * function(*args, **keywords)
        return inner
    return outer
@doubled(times=3)
def add(a, b=1):
    """adds"""
    return a + b
result = (add(1), add(1, b=2), add.__name__, add.__doc__, functools.partial(add, b=4)(1), functools.reduce(lambda a, b: a * b, [1, 2, 3], 4))`,
  dataclasses: `
from dataclasses import dataclass, field, replace, asdict, astuple, fields
from typing import ClassVar, List, Optional
@dataclass
class Config:
    width: int = 4
    heads: Optional[int] = None
    sizes: List[int] = field(default_factory=lambda: [1, 2])
    kind: ClassVar[str] = 'x'
    def __post_init__(self):
        self.total = self.width * 2
@dataclass(frozen=True)
class Wide(Config):
    depth: int = 3
a, b = Config(heads=2), Config()
a.sizes.append(3)
result = (a, b, replace(a, width=5), asdict(a), astuple(b), a == b, Config() == b, a.total, [f.name for f in fields(a)], Config.kind)`.replace(
    '@dataclass(frozen=True)\nclass Wide(Config):\n    depth: int = 3\n',
    '',
  ),
  enums: `
from enum import Enum, IntEnum, auto
class Kind(Enum):
    A = 1
    B = 'b'
    C = 1
    def twice(self):
        return self.value * 2
class Number(IntEnum):
    ONE = auto()
    TWO = auto()
result = (Kind.A.name, Kind.C.name, Kind.C is Kind.A, Kind('b').name, Kind['A'].twice(), [k.name for k in Kind], Number.TWO == 2, len(Number), {Kind.A: 1}[Kind.C], isinstance(Kind.A, Kind))`,
  tuples: `
from collections import namedtuple, OrderedDict, defaultdict, Counter, deque
from typing import NamedTuple
Point = namedtuple('Point', 'x y', defaults=[7])
class Box(NamedTuple):
    size: int
    name: str = 'box'
    def twice(self):
        return self.size * 2
p, b = Point(1), Box(3)
x, y = p
counts = defaultdict(list)
counts['a'].append(1)
q = deque([1, 2, 3], maxlen=2)
q.appendleft(0)
result = (p, b, x + y, b.twice(), b._replace(size=4), p._asdict(), p == (1, 7), dict(counts), Counter('abca').most_common(1), list(q), OrderedDict(a=1).popitem())`,
  iterators: `
import itertools
class Count:
    def __init__(self, n):
        self.n = n
    def __iter__(self):
        return self
    def __next__(self):
        if self.n == 0:
            raise StopIteration
        self.n -= 1
        return self.n
class Indexed:
    def __getitem__(self, i):
        if i > 2:
            raise IndexError
        return i * i
result = (list(Count(3)), list(Indexed()), list(itertools.chain([1], (2, 3))), list(itertools.islice(itertools.count(5), 3)), list(itertools.product([1, 2], 'ab')), list(itertools.accumulate([1, 2, 3])), list(itertools.zip_longest([1], [2, 3])), list(itertools.combinations('abc', 2)))`,
  classes: `
class Base:
    made = 0
    def __init_subclass__(cls, **keywords):
        cls.tag = keywords.get('tag', cls.__name__)
    def __new__(cls, *args):
        Base.made += 1
        return super().__new__(cls)
    def __init__(self, x=1):
        self.__dict__.update({'x': x})
    @property
    def double(self):
        return self.x * 2
    @double.setter
    def double(self, value):
        self.x = value // 2
    @classmethod
    def make(cls, x):
        return cls(x)
    def __getattr__(self, name):
        if name.startswith('_'):
            raise AttributeError(name)
        return name.upper()
    def __add__(self, other):
        return self.x + other.x
    def __enter__(self):
        return 'in'
    def __exit__(self, kind, error, trace):
        self.x = -1
        return True
class Child(Base, tag='t'):
    def __call__(self, *args):
        return super().double, args
c = Child.make(3)
c.double = 10
first = c(1, 2)
with c as inside:
    raise ValueError
result = (first, inside, c.x, c.missing, Base.made, Child.tag, c + c, vars(c), hasattr(c, '_no'), Child.__mro__[1].__name__)`,
  matching: `
def what(value):
    match value:
        case 0 | 1:
            return 'small'
        case [a, *rest] if len(rest) == 2:
            return a, rest
        case {'kind': k, **others}:
            return k, others
        case str(text):
            return text
        case None:
            return 'none'
        case _:
            return 'other'
result = [what(v) for v in (1, [1, 2, 3], [1], {'kind': 2, 'a': 3}, 'hi', None, 2.5)]`,
  sets: `
a, b = {1, 2, 3}, frozenset([2, 3, 4])
result = (sorted(a | b), sorted(a & b), sorted(a - b), sorted(a ^ {9}), a >= {1}, a.issubset({1, 2, 3, 4}), len(a), max(a), {1, 2} == {2, 1}, sorted(set('hello')))`,
  texts: `
result = ('a.b.c'.rsplit('.', 1), 'a-b-c'.split('-', 1), 'a=b'.partition('='), 'conv'.title(), '7'.zfill(3), 'abc'.find('c'), 'layer1'.removeprefix('layer'), list(map(str.upper, ['a'])), int('ff', 16), 'x'.ljust(3) + '|', '{:>4}'.format('a'), ord('a'), chr(98), hex(255))`,
  slices: `
a = list(range(6))
a[1:3] = [9]
a[::2] = [0, 0, 0]
del a[:1]
b = a[:]
b[len(b):] = [5, 6]
result = (a, b, list(range(10)[2:8:2]), range(4) == range(0, 4, 1), (lambda *a, k=1: (a, k))(*[1], *(2,), k=3), [y := 2, y ** 2], {**{'a': 1}, 'a': 2})`,
  copies: `
import copy
class Node:
    def __init__(self):
        self.items = [1]
        self.me = self
n = Node()
m = copy.deepcopy(n)
m.items.append(2)
s = copy.copy(n)
s.items.append(3)
result = (n.items, m.items, m.me is m, s.items is n.items, copy.deepcopy({'a': [1]}), dict.fromkeys('ab', 0))`,
  contexts: `
from contextlib import contextmanager, suppress, nullcontext
import inspect
@contextmanager
def around(x):
    seen.append('in')
    yield x
    seen.append('out')
seen = []
with around(1) as a, nullcontext(2) as b:
    seen.append((a, b))
with suppress(KeyError):
    {}['x']
def f(a, b=2, *args, c, **rest): pass
kinds = [(p.name, p.kind == p.KEYWORD_ONLY) for p in inspect.signature(f).parameters.values()]
result = (seen, kinds)`,
};

/** What the evaluator leaves in `result`: a module raises it as a message. */
function evaluated(snippet: string): string {
  const text = `${snippet}
import torch.nn as nn
class Result(nn.Module):
    def __init__(self):
        super().__init__()
        raise RuntimeError(repr(result))
`;
  const read = readSource([{ name: 'snippet.py', text }]);
  if (!read.ok) throw new Error(read.findings[0]!.message);
  const built = read.source.build('Result');
  if (built.ok) throw new Error('nothing was raised');
  return built.findings[0]!.message.replace(/^RuntimeError: /, '');
}

describe('Python', async () => {
  const input = JSON.stringify(Object.values(snippets));
  const expected = JSON.parse(
    await runPython('tests/judge/snippets.py', [], { input }),
  ) as string[];
  it.each(Object.keys(snippets).map((name, at) => [name, expected[at]!]))('%s', (name, said) => {
    expect(evaluated(snippets[name]!)).toBe(said);
  });
});
