/** Joins, repetitions, padding and turns, as functions and as methods. */
import { unsupported } from '../../python/errors.ts';
import type { Given } from '../arguments.ts';
import type { Functions, Methods } from '../natives.ts';
import * as ops from '../ops/index.ts';
import { PyTensor } from '../tensor.ts';
import { collected, intsOf, tensorsOf, tupleOf } from './shape.ts';

const cat: Functions[string] = [
  'tensors, dim=0, *, axis=None',
  (given) => ops.cat(given.tensors('tensors'), given.intOrNone('axis') ?? given.int('dim')),
];

const triangle = (op: 'tril' | 'triu'): Functions[string] => [
  'input, diagonal=0',
  (given) => ops.triangle(op, given.tensor('input'), given.int('diagonal')),
];

const triangleInPlace = (op: 'tril' | 'triu'): Methods[string] => [
  'diagonal=0',
  (self, given) => {
    self.become(ops.triangle(op, self, given.int('diagonal')));
    return self;
  },
];

const rot90: Functions[string] = [
  'input, k=1, dims=None',
  (given) => ops.rot90(given.tensor('input'), given.int('k'), given.intsOrNone('dims') ?? [0, 1]),
];

/** Functions of `torch` alone. */
export const functions: Functions = {
  cat,
  concat: cat,
  concatenate: cat,
  stack: ['tensors, dim=0', (given) => ops.stack(given.tensors('tensors'), given.int('dim'))],
  hstack: ['tensors', (given) => ops.hstack(given.tensors('tensors'))],
  vstack: ['tensors', (given) => ops.vstack(given.tensors('tensors'))],
  row_stack: ['tensors', (given) => ops.vstack(given.tensors('tensors'))],
  dstack: ['tensors', (given) => ops.dstack(given.tensors('tensors'))],
  column_stack: ['tensors', (given) => ops.columnStack(given.tensors('tensors'))],
  atleast_1d: atLeast(1),
  atleast_2d: atLeast(2),
  atleast_3d: atLeast(3),
};

function atLeast(rank: 1 | 2 | 3): Functions[string] {
  return [
    'tensors, *others',
    (given, rest) => {
      const first = given.value('tensors');
      if (first instanceof PyTensor && rest.length === 0) return ops.atLeast(first, rank);
      const all = tensorsOf(`atleast_${rank}d`, [...collected(first), ...rest]);
      return tupleOf(all.map((tensor) => ops.atLeast(tensor, rank)));
    },
  ];
}

/** Functions of `torch` that are methods, too. */
export const tensor: Functions = {
  tile: ['input, dims', (given) => ops.tile(given.tensor('input'), given.ints('dims'))],
  repeat_interleave: [
    'input, repeats, dim=None, *, output_size=None',
    (given) => repeatInterleave(given),
  ],
  roll: [
    'input, shifts, dims=None',
    (given) =>
      ops.roll(given.tensor('input'), given.ints('shifts'), given.intsOrNone('dims') ?? []),
  ],
  flip: ['input, dims', (given) => ops.flip(given.tensor('input'), given.ints('dims'))],
  fliplr: ['input', (given) => ops.flip(given.tensor('input'), [1])],
  flipud: ['input', (given) => ops.flip(given.tensor('input'), [0])],
  rot90,
  tril: triangle('tril'),
  triu: triangle('triu'),
  diag: ['input, diagonal=0', (given) => ops.diag(given.tensor('input'), given.int('diagonal'))],
};

function repeatInterleave(given: Given): PyTensor {
  const x = given.tensor('input');
  const dim = given.intOrNone('dim');
  const repeats = given.value('repeats');
  if (!(repeats instanceof PyTensor)) return ops.repeatInterleave(x, given.int('repeats'), dim);
  if (!repeats.hostValue) {
    throw unsupported(
      'repeat_interleave by a computed tensor is not supported: the shape depends on values',
    );
  }
  return ops.repeatEach(x, [...repeats.hostValue.data], dim);
}

/** `F.pad(x, (1, 1), mode='reflect')`. */
export function padded(given: Given, x: PyTensor): PyTensor {
  const mode = given.word('mode', ['constant', 'reflect', 'replicate', 'circular']);
  return ops.pad(x, given.ints('pad'), mode, given.floatOrNone('value') ?? 0);
}

export const functional: Functions = {
  pad: ["input, pad, mode='constant', value=None", (given) => padded(given, given.tensor('input'))],
};

export const methods: Methods = {
  repeat: [
    '*rest, repeats=None',
    (self, given, rest) => ops.repeat(self, intsOf(given, rest, 'repeats')),
  ],
  tile: ['*rest, dims=None', (self, given, rest) => ops.tile(self, intsOf(given, rest, 'dims'))],
  flip: ['*rest, dims=None', (self, given, rest) => ops.flip(self, intsOf(given, rest, 'dims'))],
  tril_: triangleInPlace('tril'),
  triu_: triangleInPlace('triu'),
};
