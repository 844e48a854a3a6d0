/**
 * How much a node multiplies and adds: what matrix products, convolutions, attention and recurrent
 * layers do, counted as PyTorch's FlopCounterMode does, which calls each one two operations. What
 * works element by element is left out, as it is there. Masked scores count like the others.
 */
import { numel } from '#lib/checkpoint/tensor.ts';
import type { Graph, GraphNode, NodeId } from './graph.ts';

/** A product of three indices or more in one einsum counts as if it were summed in one go. */
export function multiplyAdds({ nodes }: Graph, id: NodeId): number {
  const node = nodes[id]!;
  const shapeOf = (input: NodeId | null): readonly number[] => nodes[input!]!.shape;
  const size = numel(node.shape);
  switch (node.op) {
    case 'linear':
      return size * shapeOf(node.inputs[1])[1]!;
    case 'matmul':
      return size * shapeOf(node.inputs[0]).at(-1)!;
    case 'bilinear':
      return size * numel(shapeOf(node.inputs[2]).slice(1));
    case 'einsum':
      return indicesOf(node.attrs.equation, node.inputs.map(shapeOf));
    case 'conv1d':
    case 'conv2d':
    case 'conv3d':
      return size * numel(shapeOf(node.inputs[1]).slice(1));
    case 'conv_transpose1d':
    case 'conv_transpose2d':
    case 'conv_transpose3d':
      return numel(shapeOf(node.inputs[0])) * numel(shapeOf(node.inputs[1]).slice(1));
    case 'scaled_dot_product_attention': {
      const [query, key] = [shapeOf(node.inputs[0]), shapeOf(node.inputs[1])];
      return numel(node.shape.slice(0, -1)) * key.at(-2)! * (query.at(-1)! + node.shape.at(-1)!);
    }
    case 'multi_head_attention':
      return ofHeads(node, shapeOf);
    case 'lstm':
    case 'gru':
    case 'rnn':
    case 'lstm_cell':
    case 'gru_cell':
    case 'rnn_cell': {
      // Every matrix behind the states is used once for each step of each sequence.
      const states = node.op.startsWith('lstm') ? 2 : 1;
      const weights = node.inputs.slice(1 + states).filter((input) => input !== null);
      const matrices = weights.map(shapeOf).filter(({ length }) => length === 2);
      const steps = numel(shapeOf(node.inputs[0]!).slice(0, -1));
      return steps * matrices.reduce((sum, shape) => sum + numel(shape), 0);
    }
    default:
      return 0;
  }
}

/** The product of the sizes that an equation's letters stand for. */
function indicesOf(equation: string, shapes: readonly (readonly number[])[]): number {
  const sizes = new Map<string, number>();
  const operands = equation.split('->')[0]!.split(',');
  operands.forEach((letters, at) => {
    [...letters].forEach((letter, axis) => sizes.set(letter, shapes[at]![axis]!));
  });
  return numel([...sizes.values()]);
}

/** Three projections, scores and weighted values of all heads, and the projection of the result. */
function ofHeads(
  { inputs, attrs }: Extract<GraphNode, { op: 'multi_head_attention' }>,
  shapeOf: (input: NodeId | null) => readonly number[],
): number {
  const [query, key, value] = inputs.slice(0, 3).map(shapeOf) as Three;
  const width = attrs.embed_dim;
  const projected = numel(query) + numel(key) + numel(value) + numel(query);
  const lengthAxis = query.length === 3 && attrs.batch_first ? 1 : 0;
  const added = (inputs[8] == null ? 0 : 1) + (attrs.add_zero_attn ? 1 : 0);
  return width * projected + 2 * numel(query) * (key[lengthAxis]! + added);
}

type Three = [readonly number[], readonly number[], readonly number[]];
