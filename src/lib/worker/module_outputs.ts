import type { Graph, NodeId } from '#lib/architecture/graph.ts';

/**
 * The nodes of what a module's call gave, of several calls the last; null for what nothing needs. In
 * a graph that does not say, as of torch.export, the last node that the module's code made.
 */
export function moduleOutputs(graph: Graph, path: string): readonly (NodeId | null)[] {
  if (graph.modules?.size) return graph.modules.get(path) ?? [];
  if (path === '') return graph.outputs;
  const isInside = (module: string) => module === path || module.startsWith(`${path}.`);
  const last = graph.nodes.findLastIndex(({ origin }) => isInside(origin.module));
  return last === -1 ? [] : [last];
}
