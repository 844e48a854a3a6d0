/**
 * Follows the examples of a batch through a graph, to tell whether they stay apart: whether each
 * gives its own part of the output, whatever the others are. Then a short batch may be filled up to
 * the size that a graph was traced for. The same model is traced for two batch sizes; where a value
 * holds its examples follows from the op that makes it, and has to agree with both shapes. What is
 * not known to keep examples apart mixes them.
 */
import type { Graph, GraphNode, NodeId } from '#lib/architecture/graph.ts';
import { isSame, type Place, type Step } from './batch_axis.place.ts';
import { rules } from './batch_axis.rules.ts';

/** Output number `output` of `graph`, which was traced as `other` was, for another batch size. */
export function keepsExamplesApart(graph: Graph, other: Graph, output: number): boolean {
  if (graph.nodes.length !== other.nodes.length) return false;
  const [batch, otherBatch] = [graph, other].map(
    ({ nodes, inputs }) => nodes[inputs[0]!]!.shape[0] ?? 1,
  ) as [number, number];
  const places: (Place | readonly Place[])[] = [];
  for (const [id, node] of graph.nodes.entries()) {
    const twin = other.nodes[id]!;
    if (!isSamePart(node, twin)) return false;
    if (movesStatistics(node)) return false;
    const step: Step = {
      node,
      other: twin,
      batch,
      otherBatch,
      places: node.inputs.map((input) => (input === null ? null : single(places[input]!))),
      shapes: node.inputs.map((input) => (input === null ? [] : graph.nodes[input]!.shape)),
    };
    places[id] =
      node.op === 'pick'
        ? checked(picked(places, node.inputs[0], node.attrs.index), step)
        : follow(step);
  }
  const place = single(places[graph.outputs[output]!]!);
  return typeof place === 'object' && place.axis === 0 && place.outer === 1;
}

/** Normalising by the batch mixes it, and leaves its mark on the model. */
function movesStatistics(node: GraphNode): boolean {
  if (node.op === 'batch_norm') return node.attrs.training;
  return node.op === 'instance_norm' && node.inputs[3] !== null;
}

function isSamePart(node: GraphNode, other: GraphNode): boolean {
  return (
    node.op === other.op &&
    node.shape.length === other.shape.length &&
    isSame(node.inputs, other.inputs)
  );
}

function single(place: Place | readonly Place[]): Place {
  return Array.isArray(place) ? (place as readonly Place[])[0]! : (place as Place);
}

function picked(places: readonly (Place | readonly Place[])[], from: NodeId, index: number): Place {
  const place = places[from]!;
  return Array.isArray(place) ? (place as readonly Place[])[index]! : (place as Place);
}

/** Where a node holds the examples; one for each output where these differ. */
function follow(step: Step): Place | readonly Place[] {
  const { node, other, places } = step;
  if (places.includes('mixed')) return 'mixed';
  const isFree = places.every((place) => place === null || place === 'free');
  if (isFree && isSame(node.shape, other.shape) && isSame(node.attrs, other.attrs)) return 'free';
  const rule = rules[node.op] as ((step: Step) => Place | readonly Place[]) | undefined;
  const result = rule ? rule(step) : 'mixed';
  return Array.isArray(result) ? (result as Place[]) : checked(result as Place, step);
}

/** A place that both shapes agree with, or `mixed`. */
function checked(place: Place, { node, other, batch, otherBatch }: Step): Place {
  const size = (examples: number, axis: number): number | null =>
    typeof place === 'object' && axis === place.axis ? place.outer * examples * place.inner : null;
  const fits = node.shape.every((length, axis) => {
    const wanted = size(batch, axis);
    if (wanted === null) return length === other.shape[axis];
    return length === wanted && other.shape[axis] === size(otherBatch, axis);
  });
  const exists = typeof place === 'string' || place.axis < node.shape.length;
  return fits && exists ? place : 'mixed';
}
