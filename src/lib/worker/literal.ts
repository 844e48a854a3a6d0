/** A tensor as Python that makes it again: `torch.tensor([[1.0, 2.0]], dtype=torch.float32)`. */
import { dtypes } from '#lib/checkpoint/dtype.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import { cellsOf } from './cells.ts';

/** More is no text that anyone pastes. */
const MOST_ELEMENTS = 10_000;

/** Every element reads back to its own bits, but for the payload of NaN. Throws a FindingError. */
export async function literalOf(tensor: Tensor, signal?: AbortSignal): Promise<string> {
  const { dtype, shape } = tensor;
  const { kind } = dtypes[dtype];
  const count = numel(shape);
  if (count > MOST_ELEMENTS) {
    throw new FindingError({
      code: 'literal-size',
      message: `copy: ${count.toLocaleString('en-US')} elements are more than ${MOST_ELEMENTS.toLocaleString('en-US')}`,
      advice: 'Pick a part with an index, such as [:100, :100], or download it as .npy.',
    });
  }
  if (kind === 'packed' || kind === 'quantized') {
    throw new FindingError({
      code: 'literal-dtype',
      message: `copy: torch.tensor makes no tensor of ${dtype}`,
      advice: 'Save the tensor as .pt instead.',
    });
  }
  if (count === 0) return `torch.empty((${tuple(shape)}), dtype=torch.${dtype})`;
  const start = 'torch.tensor(';
  const cells = (await cellsOf(tensor, signal)).map(pythonNumber);
  return `${start}${nested(cells, shape, start.length)}, dtype=torch.${dtype})`;
}

function tuple(shape: readonly number[]): string {
  return shape.length === 1 ? `${shape[0]},` : shape.join(', ');
}

/** A complex literal of Python is a sum, which may turn the sign of a zero: the parts stand apart. */
function pythonNumber(text: string): string {
  const [, real, imaginary] =
    /^\((.+?)(?<!e)([+-](?:nan|inf|[^e]+(?:e[+-]\d+)?))j\)$/.exec(text) ?? [];
  if (real === undefined || imaginary === undefined) return named(text);
  return `complex(${named(real)}, ${named(imaginary.replace(/^\+/, ''))})`;
}

function named(text: string): string {
  return text.replace(/^(-?)(nan|inf)$/, '$1torch.$2');
}

/** Lists in lists; the innermost ones on a line each, below one another. */
function nested(cells: readonly string[], shape: readonly number[], indent: number): string {
  const [size, ...inner] = shape;
  if (size === undefined) return cells[0]!;
  if (inner.length === 0) return `[${cells.join(', ')}]`;
  const length = numel(inner);
  const parts = Array.from({ length: size }, (_, at) =>
    nested(cells.slice(at * length, (at + 1) * length), inner, indent + 1),
  );
  return `[${parts.join(`,${'\n'.repeat(inner.length)}${' '.repeat(indent + 1)}`)}]`;
}
