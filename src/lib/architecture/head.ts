/** Finds the layer that classifies: the one to replace for other classes. */
import type { Graph, GraphNode } from './graph.ts';
import type { ModuleTree } from './source.ts';

export interface Head {
  /** Its path: `fc`. */
  readonly module: string;
  readonly outputs: number;
}

/**
 * The linear layer, or convolution over single pixels, that the model's first output comes from: by
 * the graph, through whatever takes one input (softmax, pooling, views), or without one the last such
 * layer of the tree. Null where there is none, as with a head that is the table of an embedding.
 */
export function headOf(module: ModuleTree, graph?: Graph): Head | null {
  const paths = graph ? [weightBehind(graph)?.replace(/\.weight$/, '')] : lastLayers(module);
  const types = new Map(module.modules.map((item) => [item.path, item]));
  for (const path of paths) {
    const found = path === undefined ? undefined : types.get(path);
    if (!found || !/^(NonDynamicallyQuantizable)?Linear$|^Conv2d$/.test(found.type)) continue;
    const weight = module.state.find(({ key }) => key === `${found.path}.weight`);
    if (weight && !isTied(module, weight.key))
      return { module: found.path, outputs: weight.shape[0]! };
  }
  return null;
}

function isTied({ state }: ModuleTree, key: string): boolean {
  return state.some((spec) => spec.tiedTo === key || (spec.key === key && spec.tiedTo));
}

/** The key of the weight that the first output is a product of. */
function weightBehind(graph: Graph): string | undefined {
  let node: GraphNode | undefined = graph.nodes[graph.outputs[0]!];
  while (node) {
    const inputs: readonly (number | null)[] = node.inputs;
    const [x, weight] = inputs;
    if (node.op === 'linear' || (node.op === 'conv2d' && isPointwise(graph, weight))) {
      const parameter = typeof weight === 'number' ? graph.nodes[weight] : undefined;
      return parameter?.op === 'parameter' ? parameter.attrs.key : undefined;
    }
    const isAlone = inputs.filter((input) => input !== null).length === 1;
    node = isAlone && typeof x === 'number' ? graph.nodes[x] : undefined;
  }
  return undefined;
}

function isPointwise(graph: Graph, weight: number | null | undefined): boolean {
  const shape = typeof weight === 'number' ? graph.nodes[weight]?.shape : undefined;
  return shape !== undefined && shape.slice(2).every((size) => size === 1);
}

function lastLayers({ modules }: ModuleTree): string[] {
  const attention = modules
    .filter(({ type }) => type === 'MultiheadAttention')
    .map(({ path }) => `${path}.out_proj`);
  return modules
    .filter(({ path, type, arguments: args }) => {
      const isPixels = type === 'Conv2d' && /^\d+, \d+, 1(,|$)/.test(args);
      return (type === 'Linear' || isPixels) && !attention.includes(path);
    })
    .map(({ path }) => path)
    .reverse();
}
