/** Rows of gather, scatter and their like. */
import { row } from './rows.ts';

const index = (shape: number[], values: number[]) => ({ shape, dtype: 'int64' as const, values });

export const pickingRows = [
  row('torch.gather(x, 1, i), x.gather(-1, i)', {
    x: [2, 4],
    i: index([2, 3], [0, 3, 3, 2, 1, 0]),
  }),
  row('x.gather(0, i)', { x: [3, 4], i: index([2, 3], [0, 2, 1, 2, 1, 0]) }),
  row('x.gather(dim=2, index=i)', { x: [2, 3, 4], i: index([2, 2, 1], [3, 0, 1, 2]) }),
  row('x.gather(3, i)', {
    x: [1, 2, 1, 3, 2],
    i: index([1, 2, 1, 2, 2], [0, 2, 1, 1, 2, 0, 0, 1]),
  }),
  row('torch.index_select(x, 0, i), x.index_select(1, i), x.index_select(-1, i)', {
    x: [3, 4, 5],
    i: index([4], [2, 0, 0, 1]),
  }),
  row('x.index_select(3, i), x.index_select(0, i)', {
    x: [3, 1, 2, 3, 2, 2],
    i: index([2], [2, 0]),
  }),
  row('torch.take_along_dim(x, i, 1), torch.take_along_dim(x, i)', {
    x: [2, 3],
    i: index([2, 1], [2, 0]),
  }),
  row('torch.take(x, i)', { x: [2, 3], i: index([2, 2], [5, 0, -1, 3]) }),
  row('torch.scatter(x, 1, i, y), x.scatter(1, i, 2.5)', {
    x: [2, 4],
    y: [2, 2],
    i: index([2, 2], [0, 3, 2, 1]),
  }),
  row('x.scatter(0, i, y)', { x: [3, 4], y: [2, 3], i: index([2, 3], [0, 2, 1, 2, 1, 0]) }),
  // Of integers: PyTorch has no gradient where src is larger than the index, or of reduce.
  row('x.scatter(0, i, y), x.scatter_add(1, i, y), x.scatter(1, i, y, reduce="add")', {
    x: { shape: [3, 4], dtype: 'int64', low: -5, high: 5 },
    y: { shape: [2, 4], dtype: 'int64', low: -5, high: 5 },
    i: index([2, 3], [0, 2, 1, 2, 1, 0]),
  }),
  row('x.scatter_add(1, i, y), torch.scatter_add(x, 0, j, y)', {
    x: [3, 4],
    y: [2, 3],
    i: index([2, 3], [0, 3, 0, 2, 2, 2]),
    j: index([2, 3], [0, 2, 1, 0, 1, 1]),
  }),
  row('x = x.clone()\nx.scatter_(1, i, y)\nx.scatter_add_(0, i, y)\nreturn x', {
    x: [2, 4],
    y: [2, 2],
    i: index([2, 2], [0, 1, 1, 0]),
  }),
  row('x.index_put((i, j), y), x.index_put((i,), y, accumulate=True)', {
    x: [3, 3],
    y: [3],
    i: index([3], [0, 2, 1]),
    j: index([3], [1, 1, 0]),
  }),
  row('x = x.clone()\nreturn x.index_put_((i,), y, accumulate=True)', {
    x: [3, 2],
    y: [3, 2],
    i: index([3], [0, 2, 0]),
  }),
  row('x.index_add(1, i, y), torch.index_copy(x, 1, j, y), x.index_fill(0, j, 1.5)', {
    x: [3, 3],
    y: [3, 2],
    i: index([2], [1, 1]),
    j: index([2], [2, 0]),
  }),
  row('torch.select_scatter(x, y, 1, 0)', { x: [2, 3], y: [2] }),
];
