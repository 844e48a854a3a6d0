/** The parts of a model as a person thinks of them: modules in modules, with the ops between them. */
import { isAttention } from '#lib/architecture/attention.ts';
import type { Graph, GraphNode, NodeId, ParameterSpec } from '#lib/architecture/graph.ts';
import { multiplyAdds } from '#lib/architecture/multiply_adds.ts';
import type { ModuleSpec, ModuleTree } from '#lib/architecture/source.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import type { Profile } from '#lib/runtime/profile.ts';
import { moduleOutputs } from './module_outputs.ts';
import type { GraphPart } from './protocol.ts';

/** Nodes that compute nothing, or stand for an output of another one. */
const SILENT: ReadonlySet<GraphNode['op']> = new Set(['input', 'parameter', 'pick', 'constant']);

/** A module with what its own forward computes, and the modules in it. */
interface Branch {
  readonly spec: ModuleSpec;
  readonly nodes: NodeId[];
  readonly branches: Branch[];
}

export function partsOf(module: ModuleTree, graph: Graph, profile: Profile): GraphPart[] {
  const parts: GraphPart[] = [];
  const measured = measurer(graph, profile);
  const sized = parameterCounter(module.state);

  const addNode = (id: NodeId, parent: number): void => {
    const node = graph.nodes[id]!;
    parts.push({
      ...measured([id]),
      kind: node.op === 'input' ? 'input' : 'op',
      parent,
      name: node.op === 'input' ? node.attrs.name : node.op,
      path: node.origin.module,
      type: '',
      line: node.op === 'input' ? null : lineOf(node),
      ownParameters: 0,
      parameters: 0,
      outputs: outputsOf(graph, nodeOutputs(graph, id)),
      ran: true,
      attention: isAttention(node) ? id : null,
    });
  };
  const addBranch = (branch: Branch, parent: number | null): void => {
    const { spec, nodes, branches } = branch;
    const { path, type } = spec;
    const own = parts.length;
    const all = nodesIn(branch);
    // A layer of one op is that op.
    const only = branches.length === 0 && nodes.length === 1 ? graph.nodes[nodes[0]!]! : null;
    parts.push({
      ...measured(all),
      kind: 'module',
      parent,
      name: nameOf(path, parent === null ? null : parts[parent]!.path, module.name),
      path,
      type: spec.arguments ? `${type}(${spec.arguments})` : type || (only?.op ?? ''),
      line: only && lineOf(only),
      ...sized(path),
      outputs: outputsOf(graph, moduleOutputs(graph, path)),
      ran: all.length > 0,
      attention: only && isAttention(only) ? nodes[0]! : null,
    });
    if (path === '') for (const id of graph.inputs) addNode(id, own);
    if (only) return;
    const steps = [
      ...nodes.map((id) => ({ at: id, add: () => addNode(id, own) })),
      ...branches.map((inner) => ({
        at: Math.min(...nodesIn(inner)), // Infinity where it does not run
        add: () => addBranch(inner, own),
      })),
    ];
    for (const { add } of steps.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))) add();
  };
  addBranch(branchesOf(module.modules, graph), null);
  return parts;
}

/** The modules as a tree, each with the ops of its own forward. */
function branchesOf(modules: readonly ModuleSpec[], { nodes }: Graph): Branch {
  const byPath = new Map(
    modules.map((spec) => [spec.path, { spec, nodes: [], branches: [] } as Branch]),
  );
  const root = byPath.get('')!;
  const above = (path: string): Branch => {
    const end = path.lastIndexOf('.');
    if (end === -1) return root;
    return byPath.get(path.slice(0, end)) ?? above(path.slice(0, end));
  };
  for (const [path, branch] of byPath) if (path !== '') above(path).branches.push(branch);
  for (const [id, { op, origin }] of nodes.entries()) {
    if (!SILENT.has(op)) (byPath.get(origin.module) ?? root).nodes.push(id);
  }
  return root;
}

function nodesIn({ nodes, branches }: Branch): NodeId[] {
  return [...nodes, ...branches.flatMap(nodesIn)];
}

/** What is left of a path below the module that it stands in; the model has its own name. */
function nameOf(path: string, above: string | null, whole: string): string {
  if (above === null) return whole;
  return above === '' ? path : path.slice(above.length + 1);
}

function lineOf({ origin: { file, line } }: GraphNode): string | null {
  return line === undefined || line === 0 ? null : `${file ?? 'source'} line ${line}`;
}

/** An op of several outputs has a node for each that is used. */
function nodeOutputs({ nodes }: Graph, id: NodeId): NodeId[] {
  const picks = [...nodes.keys()].filter((at) => {
    const node = nodes[at]!;
    return node.op === 'pick' && node.inputs[0] === id;
  });
  return picks.length > 0 ? picks : [id];
}

function outputsOf({ nodes }: Graph, given: readonly (NodeId | null)[]): GraphPart['outputs'] {
  return given
    .filter((node) => node !== null)
    .map((node) => ({ node, shape: [...nodes[node]!.shape], dtype: nodes[node]!.dtype }));
}

function measurer(graph: Graph, { milliseconds, bytes }: Profile) {
  type Figures = Pick<GraphPart, 'multiplyAdds' | 'milliseconds' | 'bytes'>;
  return (ids: readonly NodeId[]): Figures => ({
    multiplyAdds: ids.reduce((sum, id) => sum + multiplyAdds(graph, id), 0),
    milliseconds: ids.reduce((sum, id) => sum + milliseconds[id]!, 0),
    bytes: ids.reduce((most, id) => Math.max(most, bytes[id]!), 0),
  });
}

/** Counts as `sum(p.numel() for p in module.parameters())` does. */
function parameterCounter(state: readonly ParameterSpec[]) {
  const parameters = state.filter(({ kind }) => kind === 'parameter');
  const count = (keys: readonly ParameterSpec[]): number => {
    const once = new Map(keys.map(({ key, tiedTo, shape }) => [tiedTo ?? key, numel(shape)]));
    return [...once.values()].reduce((sum, size) => sum + size, 0);
  };
  return (path: string): Pick<GraphPart, 'ownParameters' | 'parameters'> => {
    const below = parameters.filter(({ key }) => path === '' || key.startsWith(`${path}.`));
    const start = path === '' ? 0 : path.length + 1;
    return {
      ownParameters: count(below.filter(({ key }) => !key.includes('.', start))),
      parameters: count(below),
    };
  };
}
