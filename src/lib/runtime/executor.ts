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
import { placed } from './place.ts';
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
  /** What random numbers are drawn by, of which 32 bits count: the run, and the pass in it. */
  readonly seed: number;
  readonly step: number;
}

/** More than a graph has nodes: keeps the streams of random numbers of different nodes apart. */
const STREAMS = 2 ** 24;

/** Runs `graph` on `inputs`; gives its outputs in torch's layout. Call inside of `tf.tidy`. */
export function execute(
  graph: Graph,
  inputs: readonly tf.Tensor[],
  bindings: Bindings,
): tf.Tensor[] {
  const pass = new Pass(graph, inputs, bindings);
  try {
    for (const id of graph.nodes.keys()) pass.step(id);
    return pass.outputs();
  } finally {
    pass.end();
  }
}

/** A pass that is taken node by node, each of them in its turn. Outside of gradients it needs no tidy. */
export class Pass {
  readonly #graph: Graph;
  readonly #inputs: readonly tf.Tensor[];
  readonly #bindings: Bindings;
  readonly #lifetimes: Lifetimes;
  readonly #counters: ReadonlySet<NodeId>;
  readonly #values: Value[] = [];
  readonly #shared = new Map<string, tf.Tensor>();
  #outputs: tf.Tensor[] = [];
  #counter: tf.Tensor1D | null = null;

  constructor(graph: Graph, inputs: readonly tf.Tensor[], bindings: Bindings) {
    this.#graph = graph;
    this.#inputs = inputs;
    this.#bindings = bindings;
    this.#lifetimes = new Lifetimes(graph);
    this.#counters = countersOf(graph);
  }

  /**
   * Gives node `id` its value and disposes what nobody uses any more. `made` is called while the
   * tensors that an op makes on its way are still there.
   */
  step(id: NodeId, made: () => void = () => {}): void {
    const node = this.#graph.nodes[id]!;
    const values = this.#values;
    switch (node.op) {
      case 'input':
        values[id] = standard(checkInput(this.#inputs[node.attrs.index], node));
        break;
      case 'parameter':
        if (!this.#counters.has(id)) values[id] = standard(this.#bindings.weight(node.attrs.key));
        break;
      case 'pick':
        values[id] = (values[node.inputs[0]] as readonly Activation[])[node.attrs.index]!;
        break;
      default:
        values[id] = named(node, () =>
          this.#lifetimes.run(() => {
            const value = this.#compute(node, id);
            made();
            return value;
          }),
        );
    }
    const value = values[id];
    if (value) this.#lifetimes.hold(value, node.op === 'input' || node.op === 'parameter');
    this.#lifetimes.after(id, values);
  }

  #compute(node: GraphNode, id: NodeId): Value {
    const operands = node.inputs.map((input) => (input === null ? null : this.#valueOf(input)));
    const run = opFunction(node.op) as unknown as (
      operands: readonly (Activation | null)[],
      attrs: object,
      context: OpContext,
    ) => Value;
    return detached(run(operands, node.attrs, this.#contextOf(node, id)));
  }

  /** The outputs, once every node has its value. */
  outputs(): tf.Tensor[] {
    this.#outputs = this.#graph.outputs.map((id) => toStandard(this.#valueOf(id)));
    return this.#outputs;
  }

  /** Disposes what is left but for the outputs, wherever the pass has come to. */
  end(): void {
    this.#lifetimes.end(this.#outputs);
    this.#counter?.dispose();
  }

  /** Seed and step on the backend, put there once in a pass where something is drawn. */
  #count(): tf.Tensor1D {
    const { seed, step } = this.#bindings;
    this.#counter ??= tf.keep(tf.tensor1d([seed | 0, step | 0], 'int32'));
    return this.#counter;
  }

  #valueOf(id: NodeId): Activation {
    return this.#values[id] as Activation;
  }

  #contextOf(node: GraphNode, id: NodeId): OpContext {
    const keyOf = (other: NodeId) => {
      const known = this.#graph.nodes[other]!;
      return known.op === 'parameter' ? known.attrs.key : '';
    };
    return {
      node,
      draws: (stream = 0) => ({ counter: this.#count(), stream: id + stream * STREAMS }),
      cached: (key, make) => {
        const known = this.#shared.get(key) ?? this.#lifetimes.keep(make());
        this.#shared.set(key, known);
        return known;
      },
      updateBuffer: (buffer, value) => {
        this.#bindings.updateBuffer(keyOf(buffer), value);
        // A module that is called twice goes on from its first call's statistics.
        this.#values[buffer] = standard(this.#lifetimes.keep(value));
        this.#lifetimes.hold(this.#values[buffer]);
      },
      countBatch: (counter) => this.#bindings.countBatch(keyOf(counter)),
    };
  }
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
    throw placed(node, cause as Error);
  }
}
