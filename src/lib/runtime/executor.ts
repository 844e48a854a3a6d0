/**
 * Runs a graph: one pass over its nodes in order, each op's numbers from `ops/`. Everything is
 * built of tfjs ops, so a surrounding `tf.variableGrads` gives the gradients.
 */
import * as tf from './tf.ts';
import type { Graph, GraphNode, NodeId } from '#lib/architecture/graph.ts';
import { standard, toStandard, type Activation } from './activation.ts';
import { Lifetimes, type Value } from './lifetimes.ts';
import type { OpContext } from './op.ts';
import { offTape } from './off_tape.ts';
import { tfDtype } from './tensors.ts';
import { opFunction } from './ops/index.ts';

/** What a graph needs beside its inputs. */
export interface Bindings {
  /** A parameter's or buffer's value by state_dict key. */
  weight(key: string): tf.Tensor;
  /** Takes a buffer's new value after a training pass. */
  updateBuffer(key: string, value: tf.Tensor): void;
  /** Adds one to the `num_batches_tracked` of that key and gives the new count. */
  countBatch(key: string): number;
  /** A seed for a dropout node's mask in this pass. */
  dropoutSeed(node: NodeId): string;
}

/** Runs `graph` on `inputs`; gives its outputs in torch's layout. Call inside of `tf.tidy`. */
export function execute(
  graph: Graph,
  inputs: readonly tf.Tensor[],
  bindings: Bindings,
): tf.Tensor[] {
  const lifetimes = new Lifetimes(graph);
  let outputs: tf.Tensor[] = [];
  try {
    outputs = pass(graph, inputs, bindings, lifetimes);
    return outputs;
  } finally {
    lifetimes.end(outputs);
  }
}

function pass(
  graph: Graph,
  inputs: readonly tf.Tensor[],
  bindings: Bindings,
  lifetimes: Lifetimes,
): tf.Tensor[] {
  const values: Value[] = [];
  const valueOf = (id: NodeId): Activation => values[id] as Activation;
  const keyOf = (id: NodeId) => {
    const node = graph.nodes[id]!;
    return node.op === 'parameter' ? node.attrs.key : '';
  };
  const shared = new Map<string, tf.Tensor>();
  const cached = (key: string, make: () => tf.Tensor): tf.Tensor => {
    const known = shared.get(key) ?? lifetimes.keep(make());
    shared.set(key, known);
    return known;
  };
  const contextOf = (node: GraphNode, id: NodeId): OpContext => ({
    node,
    dropoutSeed: () => bindings.dropoutSeed(id),
    cached,
    updateBuffer: (buffer, value) => {
      bindings.updateBuffer(keyOf(buffer), value);
      // A module that is called twice goes on from its first call's statistics.
      values[buffer] = standard(lifetimes.keep(value));
      lifetimes.hold(values[buffer]);
    },
    countBatch: (counter) => bindings.countBatch(keyOf(counter)),
  });
  const counters = countersOf(graph);

  graph.nodes.forEach((node, id) => {
    switch (node.op) {
      case 'input':
        values[id] = standard(checkInput(inputs[node.attrs.index], node));
        break;
      case 'parameter':
        if (!counters.has(id)) values[id] = standard(bindings.weight(node.attrs.key));
        break;
      case 'pick':
        values[id] = (values[node.inputs[0]] as readonly Activation[])[node.attrs.index]!;
        break;
      default: {
        const operands = node.inputs.map((input) => (input === null ? null : valueOf(input)));
        const run = opFunction(node.op) as unknown as (
          operands: readonly (Activation | null)[],
          attrs: object,
          context: OpContext,
        ) => Value;
        const context = contextOf(node, id);
        values[id] = named(node, () =>
          lifetimes.run(() => detached(run(operands, node.attrs, context))),
        );
      }
    }
    const value = values[id];
    if (value) lifetimes.hold(value, node.op === 'input' || node.op === 'parameter');
    lifetimes.after(id, values);
  });
  return graph.outputs.map((id) => toStandard(valueOf(id)));
}

/** Integers and bools have no gradient, and tfjs asks how they came about if they are on its tape. */
function detached<T extends Value>(result: T): T {
  const detach = (item: Activation): Activation =>
    item.tensor.dtype === 'float32' ? item : { ...item, tensor: offTape(item.tensor) };
  return (Array.isArray(result) ? result.map(detach) : detach(result as Activation)) as T;
}

/** The nodes that only count batches: they have no tensor, they live on the host. */
function countersOf(graph: Graph): ReadonlySet<NodeId> {
  const counters = new Set<NodeId>();
  for (const node of graph.nodes) {
    if (node.op === 'batch_norm' && node.inputs[5] !== null) counters.add(node.inputs[5]);
  }
  return counters;
}

function checkInput(tensor: tf.Tensor | undefined, node: GraphNode): tf.Tensor {
  const dtype = tfDtype(node.dtype);
  const fits = tensor && tf.util.arraysEqual(tensor.shape, [...node.shape]);
  if (fits && tensor.dtype === dtype) return tensor;
  const given = tensor ? `${tensor.dtype} [${tensor.shape.join(', ')}]` : 'nothing';
  throw new Error(
    `executor: the graph was traced for an input ${dtype} [${node.shape.join(', ')}], given was ${given}`,
  );
}

/** Adds the place in the model to an error of an op. */
function named<T>(node: GraphNode, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    const { module, file, line } = node.origin;
    const place = [module && `module ${module}`, line && `${file ?? 'line'} line ${line}`];
    const where = place.filter(Boolean).join(', ');
    throw new Error(`${where ? `${where}: ` : ''}${(cause as Error).message}`, { cause });
  }
}
