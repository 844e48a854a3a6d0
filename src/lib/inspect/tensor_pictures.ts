/** The pictures of a tensor of a file, however large: its numbers are read and drawn in pieces. */
import { dtypes } from '#lib/checkpoint/dtype.ts';
import { numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import { numbersOf, type Numbers, type Work } from './numbers.ts';
import {
  BarDrawing,
  indexOf,
  MapDrawing,
  mapsOf,
  planOf,
  type Map2d,
  type MapPlan,
  type Pictures,
  type Wish,
} from './pictures.ts';

/**
 * Of complex elements the absolute values are drawn, of quantized ones the stored integers. Throws a
 * FindingError for a dtype whose elements are no numbers.
 */
export async function tensorPictures(
  tensor: Tensor,
  { start, count, by }: Wish,
  { signal, progress }: Work = {},
): Promise<Pictures> {
  const plan = planOf(tensor.shape);
  const end = plan.kind === 'maps' ? Math.min(plan.total, start + count) : 0;
  const total = plan.kind === 'maps' ? Math.max(0, end - start) * plan.plane : numel(tensor.shape);
  let done = 0;
  const draw = async (part: Tensor, add: (values: Numbers) => void) => {
    for await (const numbers of numbersOf(part, signal)) {
      const values = dtypes[tensor.dtype].kind === 'complex' ? sizesOf(numbers) : numbers;
      add(values);
      progress?.({ done: (done += values.length), total });
    }
  };
  if (plan.kind === 'maps') {
    const maps: Map2d[] = [];
    for (let at = start; at < end; at++) {
      const drawing = new MapDrawing(plan, by);
      const index = indexOf(at, plan.leading);
      await draw(planeAt(tensor, plan, index), (values) => drawing.add(values));
      maps.push(drawing.done(index));
    }
    return mapsOf(plan, start, by, maps);
  }
  if (plan.kind === 'bars') {
    const drawing = new BarDrawing(plan);
    await draw(tensor, (values) => drawing.add(values));
    return drawing.done();
  }
  let value = NaN;
  await draw(tensor, (values) => (value = values[0]!));
  return { kind: 'number', value };
}

function planeAt(tensor: Tensor, { leading }: MapPlan, index: readonly number[]): Tensor {
  const { shape, strides, offset } = tensor;
  return {
    ...tensor,
    shape: shape.slice(leading.length),
    strides: strides.slice(leading.length),
    offset: index.reduce((sum, at, axis) => sum + at * strides[axis]!, offset),
  };
}

/** Of complex numbers, real and imaginary parts in turn, their absolute values. */
function sizesOf(parts: Numbers): Float64Array {
  const sizes = new Float64Array(parts.length / 2);
  for (let at = 0; at < sizes.length; at++)
    sizes[at] = Math.hypot(parts[2 * at]!, parts[2 * at + 1]!);
  return sizes;
}
