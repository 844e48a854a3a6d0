/**
 * Model sources, built and traced by the lab and by PyTorch: the same state_dict, the same order
 * of parameters, and a graph that gives the same outputs, gradients and running statistics when it
 * is replayed op by op.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Graph, ParameterSpec } from '#lib/architecture/graph.ts';
import { readSource, type ModuleTree } from '#lib/architecture/source.ts';
import { list, tuple, type Value } from '#lib/checkpoint/value.ts';
import { runPython } from '../python.ts';

interface Case {
  readonly file: string;
  readonly model: string;
  readonly inputs: readonly (readonly number[])[];
  /** Constructor arguments, for the lab and as Python text. */
  readonly values?: Record<string, Value>;
  readonly arguments?: string;
  /** Modules that the judge does not have. */
  readonly stubs?: readonly string[];
}

const images = [[2, 3, 32, 32]];

const cases: Case[] = [
  { file: 'sequential', model: 'model', inputs: [[3, 1, 28, 28]] },
  { file: 'lenet', model: 'LeNet', inputs: [[2, 1, 28, 28]] },
  { file: 'batchnorm_cnn', model: 'SmallCNN', inputs: images },
  {
    file: 'batchnorm_cnn',
    model: 'SmallCNN',
    inputs: images,
    values: { num_classes: 3n, width: 5n },
    arguments: 'num_classes=3, width=5',
  },
  { file: 'resnet', model: 'tiny_resnet', inputs: images },
  {
    file: 'resnet',
    model: 'TinyResNet',
    inputs: images,
    values: {
      block: { kind: 'global', module: '', name: 'BasicBlock' },
      layers: list(1n, 3n),
    },
    arguments: 'block=BasicBlock, layers=[1, 3]',
  },
  { file: 'ordered_dict', model: 'Named', inputs: [[2, 1, 16, 18]] },
  {
    file: 'constructor_arguments',
    model: 'Configurable',
    inputs: [[4, 12]],
    values: { sizes: tuple(5n) },
    arguments: 'sizes=(5,)',
  },
  {
    file: 'constructor_arguments',
    model: 'Configurable',
    inputs: [
      [4, 12],
      [1, 9],
    ],
    values: { sizes: list(7n, 9n), size: 'large', scale: 0.3, bias: false },
    arguments: 'sizes=[7, 9], size="large", scale=0.3, bias=False',
  },
  { file: 'helpers', model: 'Helped', inputs: [[2, 1, 9, 9]] },
  { file: 'inheritance', model: 'Derived', inputs: [[3, 3, 8, 8]] },
  { file: 'tied', model: 'Tied', inputs: [[5, 8]] },
  { file: 'list_built', model: 'vgg', inputs: images },
  { file: 'module_list', model: 'Stack', inputs: [[4, 6]] },
  {
    file: 'in_place',
    model: 'InPlace',
    inputs: [
      [2, 2, 3, 3],
      [2, 2, 3, 3],
    ],
  },
  {
    file: 'training_script',
    model: 'model',
    inputs: [[2, 8]],
    stubs: ['matplotlib', 'matplotlib.pyplot'],
  },
];

const fixture = (name: string) => resolve(import.meta.dirname, `../fixtures/models/${name}.py`);

function build(path: string, model: string, values: Record<string, Value> = {}): ModuleTree {
  const text = readFileSync(path, 'utf8');
  const read = readSource([{ name: path.replace(/^.*\//, ''), text }]);
  if (!read.ok) throw new Error(read.findings[0]?.message);
  const built = read.source.build(model, new Map(Object.entries(values)));
  if (!built.ok) throw new Error(`${built.findings[0]?.where}: ${built.findings[0]?.message}`);
  return built.module;
}

function trace(tree: ModuleTree, inputs: Case['inputs'], training: boolean): Graph {
  const specs = inputs.map((shape) => ({ shape, dtype: 'float32' as const }));
  const traced = tree.trace(specs, { training });
  if (!traced.ok) throw new Error(`${traced.findings[0]?.where}: ${traced.findings[0]?.message}`);
  return traced.graph;
}

interface Comparison {
  readonly shapes: readonly (readonly number[])[];
  readonly outputs: number;
  readonly gradients: number;
  readonly buffers: number;
}

interface Verdict {
  readonly error?: string | null;
  readonly state: [string, number[], string, boolean][];
  readonly parameters: string[];
  readonly eval: Comparison;
  readonly train: Comparison;
}

async function judge(asked: readonly object[]): Promise<Verdict[]> {
  const input = JSON.stringify(asked);
  const script = resolve(import.meta.dirname, 'replay_graph.py');
  return JSON.parse(await runPython(script, [], { input })) as Verdict[];
}

describe('models that PyTorch runs', async () => {
  const built = cases.map((item) => {
    const tree = build(fixture(item.file), item.model, item.values);
    const graphs = {
      eval: trace(tree, item.inputs, false),
      train: trace(tree, item.inputs, true),
    };
    return { item, tree, graphs };
  });
  const verdicts = await judge(
    built.map(({ item, graphs }) => ({
      ...item,
      values: undefined,
      path: fixture(item.file),
      graphs,
    })),
  );
  const specOf = (spec: ParameterSpec) => [spec.key, spec.shape, spec.dtype, spec.requiresGrad];

  built.forEach(({ item, tree, graphs }, index) => {
    const verdict = verdicts[index]!;
    describe(`${item.file}: ${item.model}(${item.arguments ?? ''})`, () => {
      it('has the same state_dict and parameters', () => {
        expect(verdict.error).toBeUndefined();
        expect(tree.state.map(specOf)).toEqual(verdict.state);
        expect(tree.parameterOrder).toEqual(verdict.parameters);
      });
      it.each(['eval', 'train'] as const)('computes the same in %s', (mode) => {
        const { shapes, outputs, gradients, buffers } = verdict[mode];
        const graph = graphs[mode];
        expect(graph.outputs.map((id) => graph.nodes[id]!.shape)).toEqual(shapes);
        expect(outputs).toBeLessThan(1e-6);
        expect(gradients).toBeLessThan(1e-5);
        expect(buffers).toBeLessThan(1e-6);
      });
    });
  });
});

/** Bodies of `__init__` and `forward` that PyTorch refuses, and a part of what the lab says. */
const refused: [name: string, init: string, forward: string, inputs: number[][], says: RegExp][] = [
  [
    'an unknown keyword',
    'self.a = nn.Linear(4, 2, width=3)',
    'self.a(x)',
    [[2, 4]],
    /line 7.*unexpected keyword argument "width"/,
  ],
  [
    'a missing argument',
    'self.a = nn.Conv2d(1, 2)',
    'self.a(x)',
    [[1, 1, 4, 4]],
    /line 7.*missing the argument "kernel_size"/,
  ],
  [
    'too many arguments',
    'self.a = nn.ReLU(True, 2)',
    'self.a(x)',
    [[2, 4]],
    /line 7.*3 were given/,
  ],
  [
    'a shape that does not fit',
    'self.fc1 = nn.Linear(400, 2)',
    'self.fc1(x)',
    [[2, 784]],
    /line 10.*input has 784 features, weight "fc1.weight" takes 400/,
  ],
  [
    'channels that do not fit',
    'self.a = nn.Conv2d(3, 4, 3)',
    'self.a(x)',
    [[2, 1, 8, 8]],
    /line 10.*input has 1 channels, weight "a.weight" takes 3/,
  ],
  [
    'groups that do not divide',
    'self.a = nn.Conv2d(3, 4, 3, groups=2)',
    'self.a(x)',
    [[2, 3, 8, 8]],
    /line 7.*divisible by groups 2/,
  ],
  [
    'a view that does not fit',
    'self.a = 1',
    'x.view(-1, 7)',
    [[2, 4]],
    /line 10.*shape \[-1, 7\] is invalid/,
  ],
  [
    'a sum that does not fit',
    'self.a = 1',
    'x + x.view(4, 2)',
    [[2, 4]],
    /line 10.*\[2, 4\] and \[4, 2\]/,
  ],
  [
    'a kernel that does not fit',
    'self.a = nn.MaxPool2d(5)',
    'self.a(x)',
    [[1, 1, 4, 4]],
    /line 10.*kernel of 5/,
  ],
  [
    'a child before super().__init__()',
    'self.__dict__; nn.Module.__setattr__(object(), "a", 1)',
    'x',
    [[1]],
    /line 7/,
  ],
  [
    'an undefined name',
    'self.a = nn.Linear(width, 2)',
    'self.a(x)',
    [[2, 4]],
    /line 7.*name "width" is not defined/,
  ],
  ['an unknown attribute', 'self.a = 1', 'self.b(x)', [[2, 4]], /line 10.*no attribute "b"/],
  ['an assertion', 'assert 1 > 2, f"width {3}"', 'x', [[2, 4]], /line 7.*width 3/],
  [
    'an exception',
    'raise ValueError("no " + "model")',
    'x',
    [[2, 4]],
    /line 7.*ValueError: no model/,
  ],
  [
    'a buffer over a module',
    'self.a = nn.ReLU(); self.register_buffer("a", torch.zeros(1))',
    'x',
    [[2]],
    /line 7.*"a" already exists/,
  ],
  [
    'a number for a module',
    'self.a = nn.ReLU(); self.a = 3',
    'x',
    [[2]],
    /line 7.*as child module "a"/,
  ],
  ['a probability of 2', 'self.a = nn.Dropout(2.0)', 'x', [[2]], /line 7.*between 0 and 1/],
  [
    'padding of more than half the kernel',
    'self.a = nn.MaxPool2d(2, padding=2)',
    'self.a(x)',
    [[1, 1, 4, 4]],
    /line 10.*more than half/,
  ],
  [
    'a stride with padding same',
    'self.a = nn.Conv2d(1, 1, 3, 2, "same")',
    'self.a(x)',
    [[1, 1, 4, 4]],
    /stride of 1/,
  ],
  [
    'a 2-d input for BatchNorm2d',
    'self.a = nn.BatchNorm2d(4)',
    'self.a(x)',
    [[2, 4]],
    /line 10.*expected 4-d/,
  ],
  [
    'flatten with start after end',
    'self.a = 1',
    'torch.flatten(x, 2, 1)',
    [[2, 4, 1]],
    /line 10.*comes after end_dim/,
  ],
  [
    'a dimension out of range',
    'self.a = 1',
    'F.softmax(x, dim=2)',
    [[2, 4]],
    /line 10.*dimension 2 is out of range/,
  ],
];

describe('models that PyTorch refuses', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weightroom-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const asked = refused.map(([name, init, forward, inputs], index) => {
    const path = join(folder, `refused${index}.py`);
    const lines = [
      'import torch',
      'import torch.nn as nn',
      'import torch.nn.functional as F',
      'class Net(nn.Module):',
      '    def __init__(self):',
      '        super().__init__()',
      `        ${init}`,
      '',
      '    def forward(self, x):',
      `        return ${forward}`,
    ];
    writeFileSync(path, lines.join('\n'));
    return { name, path, model: 'Net', inputs };
  });
  const verdicts = await judge(asked);
  asked.forEach(({ name, path, inputs }, index) => {
    it(`refuses ${name}`, () => {
      expect(verdicts[index]!.error).toEqual(expect.any(String));
      expect(() => trace(build(path, 'Net'), inputs, false)).toThrow(refused[index]![4]);
    });
  });
  it('refuses one value per channel in training', async () => {
    const path = fixture('batchnorm_cnn');
    const [verdict] = await judge([
      { path, model: 'SmallCNN', inputs: [[1, 3, 32, 32]], training: true },
    ]);
    expect(verdict!.error).toMatch(/more than 1 value per channel/);
    expect(() => trace(build(path, 'SmallCNN'), [[1, 3, 32, 32]], true)).toThrow(
      /line 40.*expected more than 1 value per channel when training/,
    );
  });
});

/** Expressions of which CPython and the evaluator give the same `repr`, or the same exception. */
const expressions = `
7 // 2 | -7 // 2 | 7 // -2 | -7 % 3 | 7 % -3 | -7.5 // 2 | -7.5 % 2 | 7.5 % -2 | 2 ** 10 | 2 ** -1 | 2 ** 0.5
0 ** 0 | 7 / 2 | 6 / 2 | 1 / 3 | 1 // 0 | 1 / 0 | 1 % 0 | 1.0 // 0 | 10 ** 20 | -2 ** 2 | (-8) ** 2
1e16 | 1e15 | 123456789012345678.0 | 1e-4 | 1e-5 | 0.1 + 0.2 | 1.0 | 100. | -0.0 | 1e100 | 5e-324 | 1_000.5 | 2.5e-10
float("inf") | float("-inf") | float("nan") | float("1e3") | int("42") | int(" -7 ") | int(3.99) | int(-3.99) | int("x") | int(True)
round(2.5) | round(3.5) | round(-2.5) | round(2.675, 2) | round(0.125, 2) | round(0.375, 2) | round(1.005, 2) | round(1234.5678, 1) | round(7) | round(2.5, 0)
True + True | True & False | True | 5 & 3 | 5 ^ 3 | 1 << 10 | ~5 | 1 == 1.0 | 1 is None | not [] | [] or 3 | 0 and 1 / 0
1 < 2 < 3 | 1 < 3 < 2 | "a" < "b" | [1, 2] < [1, 3] | (1, 2) == (1, 2) | [1] == (1,) | {1: 2} == {1.0: 2} | "abc" in "xabcx" | 2 in [1, 2] | "k" in {"k": 1}
2**53 + 1 == 2.0**53 | 9007199254740993 > 9007199254740992.0 | 10**30 < 1e31
"abc"[1] | "abc"[-1] | "abcdef"[1:4] | "abcdef"[::-1] | "abcdef"[-2:] | "abcdef"[4:1:-1] | [1, 2, 3, 4][1:-1] | (1, 2, 3)[:2] | [1, 2][5] | "x" * 3 | [0] * 3 | [1] + [2] | (1,) + (2,) | (1,) + [2]
[x * y for x in range(3) for y in range(2) if x != y] | {k: v for k, v in zip("ab", [1, 2])} | list(range(10, 0, -3)) | list(enumerate("ab", 1)) | sum([1, 2], 10) | sum([0.1] * 3) | max(3, 1, 2) | min([4, 2]) | max([]) | max([], default=0)
sorted([3, 1, 2], reverse=True) | sorted("bca", key=lambda c: -ord(c)) if False else 0 | sorted([(2, "a"), (1, "b")]) | list(reversed([1, 2])) | list(map(lambda v: v + 1, [1, 2])) | list(filter(None, [0, 1, 2])) | any([0, 1]) | all([]) | divmod(-7, 2) | abs(-3.5)
f"{3.14159:.2f}" | f"{42:05d}" | f"{42:>6}|{'a':<4}|{'b':^5}" | f"{1234567:,}" | f"{0.5:%}" | f"{255:x} {255:#x} {5:b}" | f"{1e-7}" | f"{12345.678:e}" | f"{0.00001234:g}" | f"{1e20:g}" | f"{'q'!r}" | f"{2.0}" | f"{True}" | f"{None}" | f"{-3:+d}" | f"{3:+}" | f"{1.5:8.3f}|" | f"{2.5:.0f}" | f"{0.125:.2f}" | f"{123456.0:.3g}" | f"{7:.2f}" | f"{-0.0:.1f}"
"%d-%s-%5.2f%%" % (3, "x", 2.5) | "conv%d" % 3 | "%02d" % 7 | "%r" % "a" | "%s" % [1, "a"] | "{} {}".format(1, 2) | "{1}{0}".format("a", "b") | "{x:.1f}".format(x=2.25) | "{{}}".format()
"a,b,c".split(",") | " a  b ".split() | "-".join(["a", "b"]) | "Conv2d".lower() | "abc".startswith("ab") | "abc".endswith(("x", "c")) | "a.b".replace(".", "_") | "  x ".strip() | "xxaxx".strip("x")
repr("it's") | repr('say "hi"') | repr("both ' and \\"") | repr("tab\\t") | str([1, 2.0, "a", None, True]) | str((1,)) | str({}) | str({"a": (1, 2)}) | repr([[]])
math.ceil(2.1) | math.floor(-2.1) | math.sqrt(2) | math.log(8, 2) | math.log2(8) | math.pi | math.prod([2, 3]) | math.sqrt(-1) | math.gcd(12, 18)
isinstance(True, int) | isinstance(1, (str, float)) | isinstance([], list) | len("héllo") | len({}) | type(1) is int | callable(len) | bool("") | list("ab") | tuple([1]) | dict(a=1) | dict([("a", 1)])
(lambda *a, **k: (a, k))(1, *[2], b=3, **{"c": 4}) | (lambda a, b=2, *, c=3: (a, b, c))(1, c=4) | (lambda a: a)() | (lambda a: a)(1, 2) | (lambda a: a)(b=1) | [*range(2), *"a"] | {**{"a": 1}, "b": 2} | (y := 5) + y
{"a": 1}["b"] | {"a": 1}.get("b", 2) | undefined_name | None.x | "a" + 1 | 1 + "a" | [] < 1 | len(5) | {}["__proto__"] | {"__proto__": 1}["__proto__"] | 0x1F + 0b11 + 0o7 | 1_000 | 1if True else 2 | (1 if [] else 2)
`
  .split(/ \| |\n/)
  .map((part) => part.trim())
  .filter((part) => part !== '');

describe('Python', async () => {
  const [verdicts] = (await judge([{ expressions }])) as unknown as string[][];
  it.each(expressions.map((expression, index) => [expression, verdicts![index]!]))(
    '%s is %s',
    (expression, expected) => {
      expect(show(expression)).toBe(expected);
    },
  );
});

/** The `repr` of an expression, or the name of its exception: a class raises it as its message. */
function show(expression: string): string {
  const text = `
import math
import torch.nn as nn
class Result(nn.Module):
    def __init__(self):
        super().__init__()
        try:
            value = repr(${expression})
        except Exception as error:
            value = error.__class__.__name__
        raise RuntimeError(value)
`;
  const read = readSource([{ name: 'expression.py', text }]);
  if (!read.ok) throw new Error(read.findings[0]?.message);
  const built = read.source.build('Result');
  if (built.ok) throw new Error('nothing was raised');
  return built.findings[0]!.message.replace(/^RuntimeError: /, '');
}
