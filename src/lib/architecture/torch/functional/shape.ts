/** Views, as functions and as methods. */
import { PyList, PyTuple } from '../../python/collections.ts';
import { raised } from '../../python/errors.ts';
import { isNumeric } from '../../python/numbers.ts';
import type { PyValue } from '../../python/object.ts';
import { Given } from '../arguments.ts';
import type { Functions, Methods } from '../natives.ts';
import * as ops from '../ops/index.ts';
import { PyTensor } from '../tensor.ts';

/** `x.permute(0, 2, 1)`, `x.permute((0, 2, 1))` and `x.permute(dims=(0, 2, 1))`. */
export function intsOf(given: Given, rest: readonly PyValue[], name: string): number[] {
  const named = given.value(name);
  const spread = rest.length === 1 && !isNumeric(rest[0]!) ? rest[0]! : new PyTuple(rest);
  return new Given(name, new Map([[name, named ?? spread]])).ints(name);
}

/** torch returns tuples from everything that splits. */
export function tupleOf(tensors: readonly PyTensor[]): PyTuple {
  return new PyTuple(tensors);
}

const transpose: Functions[string] = [
  'input, dim0, dim1',
  (given) => ops.transpose(given.tensor('input'), given.int('dim0'), given.int('dim1')),
];

const movedim: Functions[string] = [
  'input, source, destination',
  (given) => ops.movedim(given.tensor('input'), given.ints('source'), given.ints('destination')),
];

/** Functions of `torch` that are methods, too. */
export const tensor: Functions = {
  flatten: [
    'input, start_dim=0, end_dim=-1',
    (given) => ops.flatten(given.tensor('input'), given.int('start_dim'), given.int('end_dim')),
  ],
  ravel: ['input', (given) => ops.flatten(given.tensor('input'), 0, -1)],
  reshape: [
    'input, shape',
    (given) => ops.reshape(given.tensor('input'), given.ints('shape'), 'reshape'),
  ],
  unflatten: [
    'input, dim, sizes',
    (given) => ops.unflatten(given.tensor('input'), given.int('dim'), given.ints('sizes')),
  ],
  squeeze: [
    'input, dim=None',
    (given) => ops.squeeze(given.tensor('input'), given.intsOrNone('dim')),
  ],
  unsqueeze: ['input, dim', (given) => ops.unsqueeze(given.tensor('input'), given.int('dim'))],
  permute: ['input, dims', (given) => ops.permute(given.tensor('input'), given.ints('dims'))],
  transpose,
  swapaxes: ['input, axis0, axis1', (given) => swap(given, 'axis0', 'axis1')],
  swapdims: ['input, dim0, dim1', (given) => swap(given, 'dim0', 'dim1')],
  t: ['input', (given) => ops.t(given.tensor('input'))],
  adjoint: ['input', (given) => ops.matrixTranspose(given.tensor('input'), 'adjoint')],
  movedim,
  moveaxis: movedim,
  broadcast_to: [
    'input, size',
    (given) => ops.expand(given.tensor('input'), given.ints('size'), 'broadcast_to'),
  ],
  narrow: [
    'input, dim, start, length',
    (given) =>
      ops.narrow(given.tensor('input'), given.int('dim'), given.int('start'), given.int('length')),
  ],
  select: [
    'input, dim, index',
    (given) => ops.select(given.tensor('input'), given.int('dim'), given.int('index')),
  ],
  split: [
    'input, split_size_or_sections, dim=0',
    (given) => split(given, 'split_size_or_sections'),
  ],
  split_with_sizes: ['input, split_sizes, dim=0', (given) => split(given, 'split_sizes')],
  chunk: [
    'input, chunks, dim=0',
    (given) => tupleOf(ops.chunk(given.tensor('input'), given.int('chunks'), given.int('dim'))),
  ],
  tensor_split: [
    'input, indices_or_sections, dim=0',
    (given) => {
      const where = given.value('indices_or_sections');
      const places = given.ints('indices_or_sections');
      const isList = where instanceof PyList || where instanceof PyTuple;
      const borders = isList ? places : places[0]!;
      return tupleOf(ops.tensorSplit(given.tensor('input'), borders, given.int('dim')));
    },
  ],
  hsplit: ['input, indices_or_sections', (given) => axisSplit(given, 1)],
  vsplit: ['input, indices_or_sections', (given) => axisSplit(given, 0)],
  dsplit: ['input, indices_or_sections', (given) => axisSplit(given, 2)],
  unbind: ['input, dim=0', (given) => tupleOf(ops.unbind(given.tensor('input'), given.int('dim')))],
  diagonal: [
    'input, offset=0, dim1=0, dim2=1',
    (given) =>
      ops.diagonal(
        given.tensor('input'),
        given.int('offset'),
        given.int('dim1'),
        given.int('dim2'),
      ),
  ],
  clone: ['input, *, memory_format=None', (given) => ops.clone(given.tensor('input'))],
};

function swap(given: Given, first: string, second: string): PyTensor {
  return ops.transpose(given.tensor('input'), given.int(first), given.int(second));
}

function split(given: Given, name: string): PyTuple {
  const x = given.tensor('input');
  const sizes = given.value(name);
  const dim = given.int('dim');
  const isList = sizes instanceof PyList || sizes instanceof PyTuple;
  return tupleOf(
    isList ? ops.splitSizes(x, given.ints(name), dim) : ops.split(x, given.int(name), dim),
  );
}

/** hsplit and its like: a number of sections has to divide the axis. */
function axisSplit(given: Given, dim: number): PyTuple {
  const x = given.tensor('input');
  const name = 'indices_or_sections';
  const axis = dim === 1 && x.shape.length === 1 ? 0 : dim;
  const where = given.value(name);
  if (where instanceof PyList || where instanceof PyTuple) {
    return tupleOf(ops.tensorSplit(x, given.ints(name), axis));
  }
  const sections = given.int(name);
  const size = x.shape[axis];
  if (size === undefined || size % sections !== 0) {
    throw raised('RuntimeError', `a dimension of size ${size} does not split into ${sections}`);
  }
  return tupleOf(ops.tensorSplit(x, sections, axis));
}

/** Functions of `torch` alone. */
export const functions: Functions = {
  broadcast_tensors: [
    'tensors, *others',
    (given, rest) => {
      const first = given.value('tensors');
      const all = first instanceof PyTensor ? [first, ...rest] : collected(first);
      return tupleOf(ops.broadcastTensors(tensorsOf('broadcast_tensors', all)));
    },
  ],
};

/** The tensors among some values, which are all of them. */
export function tensorsOf(what: string, values: readonly PyValue[]): PyTensor[] {
  return new Given(what, new Map([['tensors', new PyTuple(values)]])).tensors('tensors');
}

/** The items of a list or tuple. */
export function collected(value: PyValue): readonly PyValue[] {
  return value instanceof PyList || value instanceof PyTuple ? value.items : [value];
}

/** What only tensors have, and what takes its ints one by one there. */
export const methods: Methods = {
  view: [
    '*rest, size=None',
    (self, given, rest) => ops.view(self, intsOf(given, rest, 'size'), 'view'),
  ],
  reshape: [
    '*rest, shape=None',
    (self, given, rest) => ops.reshape(self, intsOf(given, rest, 'shape'), 'reshape'),
  ],
  view_as: ['other', (self, given) => ops.view(self, given.tensor('other').shape, 'view_as')],
  reshape_as: [
    'other',
    (self, given) => ops.reshape(self, given.tensor('other').shape, 'reshape_as'),
  ],
  permute: [
    '*rest, dims=None',
    (self, given, rest) => ops.permute(self, intsOf(given, rest, 'dims')),
  ],
  expand: [
    '*rest, size=None, implicit=False',
    (self, given, rest) => ops.expand(self, intsOf(given, rest, 'size')),
  ],
  expand_as: ['other', (self, given) => ops.expand(self, given.tensor('other').shape, 'expand_as')],
  contiguous: ['memory_format=None', (self) => ops.contiguous(self)],
};
