/**
 * First values: `torch.nn.init`, and what layers give their parameters by it. Formulas and the order
 * of the draws are those of PyTorch's documentation and sources.
 */
import { numel } from '#lib/checkpoint/tensor.ts';
import { raised, unsupported } from '../python/errors.ts';
import { NativeFunction } from '../python/functions.ts';
import type { PyValue } from '../python/object.ts';
import { Given } from './arguments.ts';
import { drawnTensor, unknownTensor } from './drawn.ts';
import type { Distribution } from './draws.ts';
import { hostTensor } from './emit.ts';
import { erf } from './host/special.ts';
import { orthonormal } from './host/orthonormal.ts';
import { isInteger } from './promotion.ts';
import type { PyTensor } from './tensor.ts';

/** Gives a tensor random numbers, in place. */
function draw(tensor: PyTensor, what: string, distribution: Distribution): PyTensor {
  const { shape, dtype } = tensor;
  const drawn = drawnTensor(tensor, what, shape, dtype, distribution);
  // Such a view is filled in the order of its memory, which is not known here.
  const reason = `${what} of a view whose elements do not lie in order is not worked out`;
  const isKnown = tensor.isInOrder;
  tensor.become(isKnown ? drawn : unknownTensor(tensor, what, shape, dtype, reason));
  return tensor;
}

export function fillUniform(tensor: PyTensor, low: number, high: number, what = 'uniform_') {
  if (low > high) throw raised('RuntimeError', `${what}: from ${low} is above to ${high}`);
  return draw(tensor, what, { kind: 'uniform', low, high });
}

export function fillNormal(tensor: PyTensor, mean: number, std: number, what = 'normal_') {
  if (std < 0) throw raised('RuntimeError', `${what}: std must not be negative, it is ${std}`);
  return draw(tensor, what, { kind: 'normal', mean, std, isInOrder: tensor.isInOrder });
}

/** Gives a tensor one number, in place. */
export function fillConstant(tensor: PyTensor, value: number): PyTensor {
  const { shape, dtype } = tensor;
  if (isInteger(dtype) && !Number.isInteger(value)) {
    throw raised('RuntimeError', `fill_: ${value} does not fit into ${dtype}`);
  }
  const numbers = () => new Float64Array(numel(shape)).fill(value);
  const init = { kind: 'constant', value } as const;
  tensor.become(hostTensor(tensor, 'Tensor.fill_', shape, dtype, numbers, { init }));
  return tensor;
}

function fillTruncated(tensor: PyTensor, mean: number, std: number, low: number, high: number) {
  const below = (x: number): number => (1 + erf((x - mean) / std / Math.SQRT2)) / 2;
  const share = below(high) - below(low);
  return draw(tensor, 'trunc_normal_', { kind: 'trunc_normal', mean, std, low, high, share });
}

/** How many inputs an output has, and how many outputs an input: (outputs, inputs, …kernel). */
function fans({ shape }: PyTensor): { fan_in: number; fan_out: number } {
  const [outputs, inputs, ...kernel] = shape;
  if (outputs === undefined || inputs === undefined) {
    throw raised('ValueError', 'fan in and fan out need a tensor of at least 2 dimensions');
  }
  return { fan_in: inputs * numel(kernel), fan_out: outputs * numel(kernel) };
}

const modes = ['fan_in', 'fan_out'] as const;

/** The factor of `torch.nn.init.calculate_gain`. */
function gainOf(nonlinearity: string, param: number | null): number {
  if (/^(linear|sigmoid|conv(_transpose)?[123]d)$/.test(nonlinearity)) return 1;
  switch (nonlinearity) {
    case 'tanh':
      return 5 / 3;
    case 'relu':
      return Math.SQRT2;
    case 'leaky_relu':
      return Math.sqrt(2 / (1 + (param ?? 0.01) ** 2));
    case 'selu':
      return 3 / 4;
    default:
      throw raised('ValueError', `calculate_gain: unsupported nonlinearity "${nonlinearity}"`);
  }
}

function kaiming(tensor: PyTensor, given: Given): number {
  const fan = fans(tensor)[given.word('mode', modes)];
  return gainOf(String(given.value('nonlinearity')), given.float('a')) / Math.sqrt(fan);
}

function xavier(tensor: PyTensor, gain: number): number {
  const { fan_in: inputs, fan_out: outputs } = fans(tensor);
  return gain * Math.sqrt(2 / (inputs + outputs));
}

export function xavierUniform(tensor: PyTensor, gain = 1): PyTensor {
  const bound = Math.sqrt(3) * xavier(tensor, gain);
  return fillUniform(tensor, -bound, bound);
}

export function xavierNormal(tensor: PyTensor, gain = 1): PyTensor {
  return fillNormal(tensor, 0, xavier(tensor, gain));
}

/** The weight and bias of linear layers and convolutions: within ±1 / √fan_in. */
export function linearDefaults(weight: PyTensor, bias: PyTensor | null): void {
  const { fan_in: inputs } = fans(weight);
  const bound = (Math.sqrt(3) * gainOf('leaky_relu', Math.sqrt(5))) / Math.sqrt(inputs);
  if (weight.numel > 0) fillUniform(weight, -bound, bound);
  if (bias && inputs > 0) fillUniform(bias, -1 / Math.sqrt(inputs), 1 / Math.sqrt(inputs));
}

/** Normal numbers, and zeros for the padding's row. */
export function embeddingDefaults(weight: PyTensor, padding: number | null): void {
  fillNormal(weight, 0, 1);
  if (padding === null) return;
  const { shape, dtype } = weight;
  const drawn = weight.value!;
  const [, width = 0] = shape;
  const numbers = () =>
    drawn
      .numbers()
      .slice()
      .fill(0, padding * width, (padding + 1) * width);
  weight.become(hostTensor(weight, 'Embedding', shape, dtype, numbers, { from: [drawn] }));
}

/** Products that take as long as a step; a square matrix of 2,048 rows is possible. */
const perStep = 2 ** 13;

/** Draws one matrix and makes its columns, or of a wide one its rows, orthonormal. */
function fillOrthogonal(tensor: PyTensor, gain: number): PyTensor {
  const { shape, dtype } = tensor;
  if (shape.length < 2) throw raised('ValueError', 'orthogonal_: at least 2 dimensions are needed');
  if (tensor.numel === 0) return tensor;
  const [rows] = shape as [number];
  const normal = { kind: 'normal', mean: 0, std: 1, isInOrder: true } as const;
  const drawn = drawnTensor(tensor, 'orthogonal_', shape, dtype, normal).value!;
  const { interpreter } = tensor.session;
  const numbers = () => {
    interpreter.step(Math.ceil((Math.min(rows, tensor.numel / rows) * tensor.numel) / perStep));
    return orthonormal(drawn.numbers(), rows).map((value) => Math.fround(value) * gain);
  };
  const options = { from: [drawn], init: { kind: 'orthogonal', gain } } as const;
  tensor.become(hostTensor(tensor, 'orthogonal_', shape, dtype, numbers, options));
  return tensor;
}

/** Normal numbers; in each column the share `sparsity` of them, at random places, is zero. */
function fillSparse(tensor: PyTensor, sparsity: number, std: number): PyTensor {
  const { shape, dtype } = tensor;
  const [rows, columns] = shape;
  if (rows === undefined || columns === undefined || shape.length !== 2) {
    throw raised('ValueError', 'sparse_: only tensors with 2 dimensions are supported');
  }
  const zeros = Math.ceil(sparsity * rows);
  fillNormal(tensor, 0, std);
  const drawn = tensor.value!;
  tensor.session.interpreter.step(columns);
  const orders = Array.from(
    { length: columns },
    () => drawnTensor(tensor, 'randperm', [rows], 'float32', { kind: 'permutation' }).value!,
  );
  const numbers = () => {
    const values = drawn.numbers().slice();
    orders.forEach((order, column) => {
      for (const row of order.numbers().slice(0, zeros)) values[row * columns + column] = 0;
    });
    return values;
  };
  const options = { from: [drawn, ...orders] };
  tensor.become(hostTensor(tensor, 'sparse_', shape, dtype, numbers, options));
  return tensor;
}

/** Ones where `isOne` says so for an element's place in each axis, zeros elsewhere. */
function fillOnes(tensor: PyTensor, isOne: (place: readonly number[]) => boolean): PyTensor {
  const { shape, dtype } = tensor;
  const numbers = () =>
    Float64Array.from({ length: numel(shape) }, (_, at) => {
      let rest = at;
      const place = shape.map(() => 0);
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        place[axis] = rest % shape[axis]!;
        rest = Math.floor(rest / shape[axis]!);
      }
      return Number(isOne(place));
    });
  tensor.become(hostTensor(tensor, 'an initialiser', shape, dtype, numbers));
  return tensor;
}

function fillDirac(tensor: PyTensor, groups: number): PyTensor {
  const { shape } = tensor;
  const [outputs = 0] = shape;
  if (shape.length < 3 || shape.length > 5 || outputs % groups !== 0) {
    throw raised('ValueError', 'dirac_: 3 to 5 dimensions are needed, and groups of equal size');
  }
  return fillOnes(
    tensor,
    ([output, input, ...kernel]) =>
      output! % (outputs / groups) === input! &&
      kernel.every((at, axis) => at === Math.floor(shape[axis + 2]! / 2)),
  );
}

type Initialiser = readonly [signature: string, fill: (x: PyTensor, given: Given) => PyTensor];

const kaimingSignature = "a=0, mode='fan_in', nonlinearity='leaky_relu'";
const initialisers: Readonly<Record<string, Initialiser>> = {
  uniform_: ['a=0.0, b=1.0', (x, given) => fillUniform(x, given.float('a'), given.float('b'))],
  normal_: [
    'mean=0.0, std=1.0',
    (x, given) => fillNormal(x, given.float('mean'), given.float('std')),
  ],
  trunc_normal_: [
    'mean=0.0, std=1.0, a=-2.0, b=2.0',
    (x, given) => {
      const [mean, std, low, high] = ['mean', 'std', 'a', 'b'].map((name) => given.float(name));
      return fillTruncated(x, mean!, std!, low!, high!);
    },
  ],
  constant_: [
    'val',
    (x, given) => {
      const value = given.tensorOrNumber('val');
      return fillConstant(x, typeof value === 'number' ? value : value.item);
    },
  ],
  ones_: ['', (x) => fillConstant(x, 1)],
  zeros_: ['', (x) => fillConstant(x, 0)],
  eye_: [
    '',
    (x) => {
      if (x.shape.length === 2) return fillOnes(x, ([row, column]) => row === column);
      throw raised('ValueError', 'eye_: only tensors with 2 dimensions are supported');
    },
  ],
  dirac_: ['groups=1', (x, given) => fillDirac(x, given.size('groups', 1))],
  xavier_uniform_: ['gain=1.0', (x, given) => xavierUniform(x, given.float('gain'))],
  xavier_normal_: ['gain=1.0', (x, given) => xavierNormal(x, given.float('gain'))],
  kaiming_uniform_: [
    kaimingSignature,
    (x, given) => {
      if (x.numel === 0) return x;
      const bound = Math.sqrt(3) * kaiming(x, given);
      return fillUniform(x, -bound, bound);
    },
  ],
  kaiming_normal_: [
    kaimingSignature,
    (x, given) => (x.numel === 0 ? x : fillNormal(x, 0, kaiming(x, given))),
  ],
  orthogonal_: ['gain=1', (x, given) => fillOrthogonal(x, given.float('gain'))],
  sparse_: [
    'sparsity, std=0.01',
    (x, given) => fillSparse(x, given.float('sparsity'), given.float('std')),
  ],
};

/** The functions of `torch.nn.init`, by their names and by those without `_` that old code has. */
export function initFunctions(): Map<string, PyValue> {
  const names = new Map<string, PyValue>();
  for (const [name, [more, fill]] of Object.entries(initialisers)) {
    const what = `torch.nn.init.${name}`;
    const signature = ['tensor', more, 'generator=None'].filter(Boolean).join(', ');
    const run = new NativeFunction(what, signature, (_, { values }) => {
      const given = new Given(what, values);
      const tensor = given.tensor('tensor');
      tensor.session.buildOnly(what);
      if (given.value('generator') !== null) {
        throw unsupported(`${what} with a generator of its own is not supported`);
      }
      return fill(tensor, given);
    });
    names.set(name, run);
    names.set(name.slice(0, -1), run);
  }
  const signature = 'nonlinearity, param=None';
  const gain = new NativeFunction('torch.nn.init.calculate_gain', signature, (_, { values }) => {
    const given = new Given('calculate_gain', values);
    return gainOf(String(given.value('nonlinearity')), given.floatOrNone('param'));
  });
  return names.set('calculate_gain', gain);
}
