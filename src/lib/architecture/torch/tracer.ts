/** Collects the nodes of one forward pass. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import type { Graph, GraphNode, NodeId, Op, Ops, Origin } from '../graph.ts';
import type { PyInstance } from '../python/classes.ts';
import { unsupported } from '../python/errors.ts';
import { isOwn } from '../python/interpreter.ts';
import type { HostValue } from './host.ts';
import type { Session } from './session.ts';
import type { PyTensor } from './tensor.ts';

/** What the tracer knows of the module tree. */
export interface TracedTree {
  /** First path of every module: `features.0`. */
  readonly paths: ReadonlyMap<PyInstance, string>;
  /** state_dict key of every parameter and persistent buffer; a tied one has its first key. */
  readonly keys: ReadonlyMap<PyTensor, string>;
}

export class Tracer {
  readonly #session: Session;
  readonly #tree: TracedTree;
  readonly #nodes: GraphNode[] = [];
  readonly #parameters = new Map<string, NodeId>();
  readonly #constants = new Map<HostValue, NodeId>();
  readonly #returned = new Map<string, readonly NodeId[]>();

  /** True where the graph is for training. */
  readonly training: boolean;

  constructor(session: Session, tree: TracedTree, training: boolean) {
    this.#session = session;
    this.training = training;
    this.#tree = tree;
  }

  add<K extends Op>(
    op: K,
    inputs: Ops[K]['inputs'],
    attrs: Ops[K]['attrs'],
    shape: readonly number[],
    dtype: Dtype,
  ): NodeId {
    const node = { op, inputs, attrs, shape: [...shape], dtype, origin: this.#origin() };
    this.#session.interpreter.allocate(1);
    // The pairing of op, inputs and attrs is checked by this method's own type.
    return this.#nodes.push(node as unknown as GraphNode) - 1;
  }

  /** The node of a tensor, which for a parameter or buffer may have to be made. */
  nodeOf(tensor: PyTensor): NodeId {
    const known = tensor.nodeIn(this);
    if (known !== undefined) return known;
    const key = this.#tree.keys.get(tensor);
    if (key === undefined) return this.#constant(tensor);
    let node = this.#parameters.get(key);
    if (node === undefined) {
      node = this.add('parameter', [], { key }, tensor.shape, tensor.dtype);
      this.#parameters.set(key, node);
    }
    return node;
  }

  /** A node of numbers that the source made: one for each HostValue. */
  #constant(tensor: PyTensor): NodeId {
    const value = tensor.hostValue;
    if (!value) {
      throw unsupported(
        `the numbers of a tensor made by ${tensor.madeBy} are not known, and it is neither a parameter nor a buffer of the state_dict`,
      );
    }
    let node = this.#constants.get(value);
    if (node === undefined) {
      const attrs = { values: constantValues(value) };
      node = this.add('constant', [], attrs, value.shape, value.dtype);
      this.#constants.set(value, node);
    }
    return node;
  }

  /** The state_dict key of a tensor, if it has one. */
  keyOf(tensor: PyTensor): string | undefined {
    return this.#tree.keys.get(tensor);
  }

  #origin(): Origin {
    const { calls, interpreter } = this.#session;
    const module = calls.at(-1);
    const frame = interpreter.frames.findLast(isOwn);
    return {
      module: (module && this.#tree.paths.get(module)) ?? '',
      ...(frame ? { file: frame.file, line: frame.line } : {}),
    };
  }

  /** Notes what a module's call gave. */
  returned(module: PyInstance, tensors: readonly PyTensor[]): void {
    const path = this.#tree.paths.get(module);
    const traced = tensors.filter((tensor) => tensor.isTraced && tensor.isFresh);
    if (path !== undefined)
      this.#returned.set(
        path,
        traced.map((tensor) => tensor.nodeIn(this)!),
      );
  }

  /** The graph up to `outputs`, without nodes that nothing needs. */
  finish(
    inputs: readonly NodeId[],
    outputs: readonly { readonly name: string; readonly node: NodeId }[],
  ): Graph {
    const needed = new Set<NodeId>([...inputs, ...outputs.map(({ node }) => node)]);
    for (let id = this.#nodes.length - 1; id >= 0; id--) {
      const node = this.#nodes[id]!;
      if (!needed.has(id) && !updatesState(node)) continue;
      needed.add(id);
      for (const input of node.inputs) if (input !== null) needed.add(input);
    }
    const ids = new Map<NodeId, NodeId>();
    const nodes: GraphNode[] = [];
    for (const [id, node] of this.#nodes.entries()) {
      if (!needed.has(id)) continue;
      const renumbered = node.inputs.map((input) => (input === null ? null : ids.get(input)!));
      ids.set(id, nodes.push({ ...node, inputs: renumbered } as unknown as GraphNode) - 1);
    }
    const renumber = (id: NodeId): NodeId => ids.get(id)!;
    return {
      nodes,
      inputs: inputs.map(renumber),
      outputs: outputs.map(({ node }) => renumber(node)),
      outputNames: outputs.map(({ name }) => name),
      training: this.training,
      modules: new Map(
        [...this.#returned].map(([path, given]) => [path, given.map((id) => ids.get(id) ?? null)]),
      ),
    };
  }
}

function constantValues({ data, dtype }: HostValue): Float32Array | Int32Array | Uint8Array {
  switch (dtype) {
    case 'float32':
      return Float32Array.from(data);
    case 'bool':
    case 'uint8':
      return Uint8Array.from(data);
    case 'int8':
    case 'int16':
    case 'int32':
      return Int32Array.from(data);
    case 'int64': {
      const values = Int32Array.from(data);
      if (values.every((value, at) => value === data[at])) return values;
      throw unsupported('int64 numbers beyond 32 bits are not supported in forward');
    }
    default:
      throw unsupported(
        `a ${dtype} tensor in forward is not supported: the graph computes in float32`,
      );
  }
}

/** A batch_norm in training updates its running statistics even where nobody uses its result. */
function updatesState(node: GraphNode): boolean {
  return node.op === 'batch_norm' && node.attrs.training && node.inputs[3] !== null;
}
