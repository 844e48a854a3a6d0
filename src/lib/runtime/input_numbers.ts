/**
 * Checks integers on the host before they go to a backend: a GPU cannot throw, and would give zeros
 * or NaN where PyTorch raises IndexError, and other numbers where an integer is not exact there.
 */
import type { Graph, GraphNode, NodeId } from '#lib/architecture/graph.ts';
import { placed } from './place.ts';

interface Range {
  /** The node that picks, for the message. */
  readonly node: GraphNode;
  readonly low: number;
  /** The first number that is too large. */
  readonly end: number;
  /** A number that counts although it is outside. */
  readonly ignored?: number;
}

/** Ops that only move elements, so that every number of their input is one of their output. */
const moves: ReadonlySet<GraphNode['op']> = new Set<GraphNode['op']>([
  'reshape',
  'permute',
  'expand',
  'repeat',
  'repeat_interleave',
  'flip',
  'roll',
  'detach',
]);

/** Throws where a number of input `at` is one that the graph cannot pick by. */
export function checkIndices(graph: Graph, at: number, values: ArrayLike<number>): void {
  for (const { node, low, end, ignored } of rangesOf(graph, graph.inputs[at]!)) {
    for (let place = 0; place < values.length; place++) {
      const value = values[place]!;
      if ((value >= low && value < end) || value === ignored) continue;
      throw placed(
        node,
        new RangeError(`${node.op}: the index ${value} is not between ${low} and ${end - 1}`),
      );
    }
  }
}

/** Throws where an integer is not exact as a float32: GPUs round those above 2²⁴. */
export function checkExact(what: string, values: ArrayLike<number>): void {
  for (let place = 0; place < values.length; place++) {
    const value = values[place]!;
    if (Math.fround(value) === value) continue;
    throw new RangeError(`${what} holds ${value}: integers above 2**24 are not exact on a GPU`);
  }
}

/** What picks by an input, wherever its numbers are moved to first. */
function rangesOf(graph: Graph, input: NodeId): Range[] {
  const holders = new Set([input]);
  const ranges: Range[] = [];
  graph.nodes.forEach((node, id) => {
    const sizeOf = (index: number) => graph.nodes[node.inputs[index]!]!.shape;
    const holds = (index: number) => holders.has(node.inputs[index] ?? -1);
    if (moves.has(node.op) && holds(0)) holders.add(id);
    switch (node.op) {
      case 'embedding':
      case 'embedding_bag':
        if (holds(0)) ranges.push({ node, low: 0, end: sizeOf(1)[0]! });
        break;
      case 'one_hot':
        if (holds(0)) ranges.push({ node, low: 0, end: node.attrs.num_classes });
        break;
      case 'index_select':
      case 'gather':
      case 'scatter':
        if (holds(1)) ranges.push({ node, low: 0, end: sizeOf(0)[node.attrs.dim] ?? 1 });
        break;
      case 'index':
      case 'index_put': {
        const first = node.op === 'index' ? 1 : 2;
        node.attrs.dims.forEach((dim, order) => {
          const size = sizeOf(0)[dim]!;
          if (holds(first + order)) ranges.push({ node, low: -size, end: size });
        });
        break;
      }
      case 'cross_entropy':
      case 'nll_loss': {
        const classes = sizeOf(0).length === 1 ? 0 : 1;
        const end = sizeOf(0)[classes]!;
        if (holds(1) && graph.nodes[node.inputs[1]]!.dtype !== 'float32') {
          ranges.push({ node, low: 0, end, ignored: node.attrs.ignore_index });
        }
        break;
      }
      default:
        break;
    }
  });
  return ranges;
}
