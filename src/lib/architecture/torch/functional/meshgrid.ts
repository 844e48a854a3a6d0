/** `torch.meshgrid`: coordinates of a grid. */
import { PyList, PyTuple } from '../../python/collections.ts';
import { raised } from '../../python/errors.ts';
import { usable, type PyValue } from '../../python/object.ts';
import { emit } from '../emit.ts';
import type { Function } from '../natives.ts';
import * as ops from '../ops/index.ts';
import { PyTensor } from '../tensor.ts';

/** One tensor of the whole grid for each axis; `xy` swaps the first two axes of the results. */
function grid(axes: readonly PyTensor[], indexing: 'ij' | 'xy'): PyTensor[] {
  const places = axes.map((_, at) => at);
  if (indexing === 'xy' && axes.length > 1) [places[0], places[1]] = [1, 0];
  const shape = places.map((at) => axes[at]!.numel);
  return axes.map((axis, at) => {
    const own = shape.map((_, place) => (places[place] === at ? axis.numel : 1));
    const line = ops.reshape(axis, own, 'meshgrid');
    return emit('expand', [line], { shape }, shape, axis.dtype, { memory: axis.memory });
  });
}

function vectors(rest: readonly PyValue[]): PyTensor[] {
  const [first] = rest;
  const items = first instanceof PyList || first instanceof PyTuple ? first.items : rest;
  return items.map((item) => {
    const value = usable(item);
    if (value instanceof PyTensor && value.shape.length <= 1) return value;
    throw raised('TypeError', 'meshgrid: tensors with at most one dimension are needed');
  });
}

export const meshgrid: Function = [
  '*tensors, indexing=None',
  (given, rest) => {
    const indexing = given.value('indexing') === null ? 'ij' : given.word('indexing', ['ij', 'xy']);
    return new PyTuple(grid(vectors(rest), indexing));
  },
];
