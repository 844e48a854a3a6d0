/** The weights of attention as an output of a graph: ops of attention compute them on their way. */
import type { Graph, GraphNode, NodeId } from './graph.ts';

type Attention<K extends GraphNode['op']> = Extract<GraphNode, { op: K }>;

/** Whether a node computes attention in one op. */
export function isAttention({ op }: GraphNode): boolean {
  return op === 'scaled_dot_product_attention' || op === 'multi_head_attention';
}

/**
 * A graph up to node `id`, an op of attention, with its weights as the only output: (…, L, S) of
 * scaled_dot_product_attention, (N, heads, L, S) or (heads, L, S) of nn.MultiheadAttention.
 */
export function attentionGraph(graph: Graph, id: NodeId): Graph {
  const before = graph.nodes.slice(0, id);
  const node = graph.nodes[id]!;
  if (node.op === 'scaled_dot_product_attention') return weightsOfProduct(graph, before, node);
  if (node.op === 'multi_head_attention') return weightsOfHeads(graph, before, node);
  throw new Error(`attention: node ${id} is a ${node.op}`);
}

/** softmax(…) v is the softmax itself where v is the identity. */
function weightsOfProduct(
  graph: Graph,
  before: readonly GraphNode[],
  node: Attention<'scaled_dot_product_attention'>,
): Graph {
  const [query, key, , mask] = node.inputs;
  const keys = before[key]!.shape.at(-2)!;
  const values = new Float32Array(keys * keys);
  for (let at = 0; at < keys; at++) values[at * (keys + 1)] = 1;
  const { origin, dtype } = node;
  const shape = [keys, keys];
  const identity = { op: 'constant', inputs: [], attrs: { values }, shape, dtype, origin } as const;
  const weights = {
    ...node,
    inputs: [query, key, before.length, mask] as const,
    shape: [...node.shape.slice(0, -1), keys],
  };
  return { ...graph, nodes: [...before, identity, weights], ...only(before.length + 1) };
}

/** The layer gives its weights itself, if it is asked to. */
function weightsOfHeads(
  graph: Graph,
  before: readonly GraphNode[],
  node: Attention<'multi_head_attention'>,
): Graph {
  const { num_heads: heads, batch_first: isBatchFirst, add_zero_attn: hasZero } = node.attrs;
  const [query, key] = [node.inputs[0]!, node.inputs[1]!].map((input) => before[input]!.shape);
  const isBatched = query!.length === 3;
  const lengthAxis = isBatched && isBatchFirst ? 1 : 0;
  const keys = key![lengthAxis]! + (node.inputs[8] == null ? 0 : 1) + (hasZero ? 1 : 0);
  const batch = isBatched ? [query![1 - lengthAxis]!] : [];
  const asked = {
    ...node,
    attrs: { ...node.attrs, need_weights: true, average_attn_weights: false },
  };
  const weights = {
    op: 'pick',
    inputs: [before.length],
    attrs: { index: 1 },
    shape: [...batch, heads, query![lengthAxis]!, keys],
    dtype: node.dtype,
    origin: node.origin,
  } as const;
  return { ...graph, nodes: [...before, asked, weights], ...only(before.length + 1) };
}

function only(output: NodeId): Pick<Graph, 'outputs' | 'outputNames'> {
  return { outputs: [output], outputNames: ['weights'] };
}
