/** The inside of a model for the page: what a pass costs part by part, and the tensors in it. */
import { attentionGraph } from '#lib/architecture/attention.ts';
import type { Graph } from '#lib/architecture/graph.ts';
import { picturesOf } from '#lib/inspect/pictures.ts';
import { arrayStatistics } from '#lib/inspect/tensor_statistics.ts';
import type { Tokenizer } from '#lib/inputs/tokenizer.ts';
import type { Model, Numbers } from '#lib/runtime/model.ts';
import type { ProfileContext } from '#lib/runtime/profile.ts';
import type { Values } from './arrays.ts';
import { partsOf } from './graph_parts.ts';
import type { Calls, MeasuredGraph, ModelTask, SeenTensor } from './protocol.ts';
import type { Runner } from './running.ts';
import { checkIds, textInputs, windowOf } from './writing.ts';

/** The tokens of a text as a model's inputs: as many of the last ones as it takes. */
export function tokensForGraph(
  text: string,
  runner: Runner,
  tokenizer: Tokenizer,
  task: ModelTask,
): { inputs: Values[]; tokens: string[] } {
  const ids = tokenizer.encode(text).slice(-windowOf(runner, task));
  checkIds(ids, tokenizer, task);
  return {
    inputs: textInputs(task.inputs, ids),
    tokens: ids.map((id) => tokenizer.decode([id])),
  };
}

interface Read {
  readonly key: string;
  readonly model: Model;
  readonly numbers: Numbers;
  readonly seen: Omit<SeenTensor, 'pictures'>;
}

export class GraphView {
  readonly #graph: Graph;
  readonly #inputs: readonly Values[];
  /** The tensor that was read last: its pictures come in pages. */
  #last: Read | null = null;

  private constructor(graph: Graph, inputs: readonly Values[]) {
    this.#graph = graph;
    this.#inputs = inputs;
  }

  /** Takes a pass over `inputs` and measures it. */
  static async measure(
    { module, graph: trace, model: load, backend }: Runner,
    inputs: readonly Values[],
    tokens: string[] | null,
    context: ProfileContext,
  ): Promise<{ view: GraphView; measured: MeasuredGraph }> {
    const graph = trace(inputs);
    const model = await load(context.signal);
    const profile = await model.profile(graph, inputs, context);
    const { check, ...shown } = backend;
    check();
    const measured = {
      parts: partsOf(module, graph, profile),
      inputs: graph.inputs.map((id, at) => {
        const node = graph.nodes[id]!;
        const name = node.op === 'input' ? node.attrs.name : String(at);
        return `${name} [${node.shape.join(', ')}]`;
      }),
      tokens,
      whole: profile.whole,
      passes: profile.passes,
      wait: profile.wait,
      weightBytes: model.bytes,
      peakBytes: Math.max(0, ...profile.bytes),
      backend: shown,
    };
    return { view: new GraphView(graph, inputs), measured };
  }

  /** Runs the model as far as a node and reads what it gives. */
  async look(
    { model: load, backend }: Runner,
    { node, what, start, count }: Calls['look']['args'],
    signal: AbortSignal,
  ): Promise<SeenTensor> {
    const model = await load(signal);
    const key = `${node} ${what} ${model.step}`;
    if (this.#last?.key !== key || this.#last.model !== model) {
      const [numbers] = await model.predict(this.#upTo(node, what), this.#inputs);
      backend.check();
      signal.throwIfAborted();
      this.#last = { key, model, numbers: numbers!, seen: describe(numbers!) };
    }
    const { numbers, seen } = this.#last;
    return {
      ...seen,
      pictures: picturesOf(numbers.values, numbers.shape, { start, count, by: 'mean' }),
    };
  }

  #upTo(node: number, what: 'output' | 'attention'): Graph {
    const graph = this.#graph;
    if (!graph.nodes[node]) throw new Error(`graph: there is no node ${node}`);
    if (what === 'attention') return attentionGraph(graph, node);
    return { ...graph, nodes: graph.nodes.slice(0, node + 1), outputs: [node] };
  }
}

function describe({ values, shape, dtype }: Numbers): Omit<SeenTensor, 'pictures'> {
  const { histogram, ...statistics } = arrayStatistics(values, dtype);
  return { shape: [...shape], dtype, statistics, histogram };
}
