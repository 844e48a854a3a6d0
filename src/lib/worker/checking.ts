/**
 * A file of what PyTorch gave, against the same pass here: the outputs, and where the file has
 * them, the outputs of modules by their paths. Relative error is the largest difference over the
 * largest number in the file, per tensor.
 */
import type { Graph, NodeId } from '#lib/architecture/graph.ts';
import { toFloat32 } from '#lib/checkpoint/elements.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import { isDict, isTensor, type Value } from '#lib/checkpoint/value.ts';
import { entriesOf } from '#lib/inputs/open_for_use.ts';
import { inputDtype, readValues, type Values } from './arrays.ts';
import { moduleOutputs } from './module_outputs.ts';
import type { Checked, CheckRow } from './protocol.ts';
import type { Runner } from './running.ts';

const INPUTS = ['input', 'inputs', 'x', 'input_ids', 'idx'];
const OUTPUTS = ['output', 'outputs', 'y', 'logits'];
const ACTIVATIONS = ['activations', 'intermediates', 'hooks'];
/** Numbers that one pass keeps for comparing; more modules are compared in further passes. */
const NUMBERS_AT_ONCE = 2 ** 26;

interface Pair {
  readonly name: string;
  readonly kind: CheckRow['kind'];
  readonly tensor: Tensor;
  /** The node that gives the same tensor here; null where there is none. */
  readonly node: NodeId | null;
}

export async function checkAgainst(
  runner: Runner,
  root: Value,
  name: string,
  context: { signal: AbortSignal; progress(progress: { done: number; total: number }): void },
): Promise<Checked> {
  const { signal, progress } = context;
  const given = tensorsUnder(root, INPUTS);
  const expected = tensorsUnder(root, OUTPUTS);
  if (given.length === 0 || expected.length === 0) throw incomplete(name, root);
  const inputs = await Promise.all(
    given.map(({ path, tensor }) => readValues(tensor, inputDtype(tensor.dtype), path, signal)),
  );
  const graph = runner.graph(inputs);
  const pairs = [
    ...expected.map(({ path, tensor }, at): Pair => {
      return { name: path, kind: 'output', tensor, node: graph.outputs[at] ?? null };
    }),
    ...modulePairs(graph, tensorsUnder(root, ACTIVATIONS)),
  ];
  const rows: CheckRow[] = [];
  for (const group of groups(graph, pairs)) {
    progress({ done: rows.length, total: pairs.length });
    rows.push(...(await compareGroup(runner, graph, inputs, group, signal)));
  }
  const { check, ...backend } = runner.backend;
  return { name, rows, backend };
}

interface Found {
  readonly path: string;
  readonly tensor: Tensor;
}

/** The tensors under the first of some names: itself, or those in its dict, list or tuple. */
function tensorsUnder(root: Value, names: readonly string[]): Found[] {
  if (!isDict(root)) return [];
  const loose = [...root.entries()].filter(([key]) => names.some((it) => isNumbered(key, it)));
  const name = names.find((key) => root.has(key));
  const value = name === undefined ? undefined : root.get(name);
  if (isTensor(value)) return [{ path: name!, tensor: value }];
  const items = value === undefined ? loose.map(([key, item]) => [String(key), item] as const) : [];
  return [...entriesOf(value), ...items].flatMap(([key, item]) => {
    const path = isDict(value) || value === undefined ? key : `${name}[${key}]`;
    if (isTensor(item)) return [{ path, tensor: item }];
    const inside = entriesOf(item).flatMap(([at, part]) =>
      isTensor(part) ? [{ path: `${path}[${at}]`, tensor: part }] : [],
    );
    return inside;
  });
}

/** An npz has no lists: `input0`, `input_1`; nor dicts: `activations.conv1`, `activations/conv1`. */
function isNumbered(key: Value, name: string): boolean {
  return (
    typeof key === 'string' &&
    key.startsWith(name) &&
    /^(_?\d+|[./].+)$/.test(key.slice(name.length))
  );
}

function incomplete(name: string, root: Value): FindingError {
  const keys = isDict(root) ? [...root.keys()].map(String).slice(0, 8).join(', ') : 'no dict';
  return new FindingError({
    code: 'check-incomplete',
    message: `check: ${name} lacks input or output; it holds ${keys || 'nothing'}`,
    advice: 'Make the file with the lines of Python on this page.',
  });
}

/** A module's outputs by its path; `conv1[1]` is the second item of its tuple. */
function modulePairs(graph: Graph, found: readonly Found[]): Pair[] {
  const pairs = found.map(({ path, tensor }): Pair => {
    const plain = path.replace(/^activations[./]/, '');
    const [, module, item] = /^(.*?)(?:\[(\d+)\])?$/.exec(plain)!;
    const nodes = moduleOutputs(graph, module!);
    return { name: plain, kind: 'module', tensor, node: nodes[Number(item ?? 0)] ?? null };
  });
  return pairs.sort((a, b) => (a.node ?? Infinity) - (b.node ?? Infinity));
}

/** Pairs whose numbers fit into memory together. */
function* groups(graph: Graph, pairs: readonly Pair[]): Generator<Pair[]> {
  let group: Pair[] = [];
  let held = 0;
  for (const pair of pairs) {
    const size = pair.node === null ? 0 : numel(graph.nodes[pair.node]!.shape);
    if (held + size > NUMBERS_AT_ONCE && group.length > 0) {
      yield group;
      [group, held] = [[], 0];
    }
    group.push(pair);
    held += size;
  }
  if (group.length > 0) yield group;
}

/** One pass that gives the tensors of a group beside each other, and their rows. */
async function compareGroup(
  runner: Runner,
  graph: Graph,
  inputs: readonly Values[],
  group: readonly Pair[],
  signal: AbortSignal,
): Promise<CheckRow[]> {
  const wanted = [...new Set(group.flatMap(({ node }) => node ?? []))];
  const model = await runner.model(signal);
  const outputs = await model.predict({ ...graph, outputs: wanted }, inputs);
  runner.backend.check();
  signal.throwIfAborted();
  const byNode = new Map(wanted.map((node, at) => [node, outputs[at]!]));
  return Promise.all(
    group.map(async ({ name, kind, tensor, node }): Promise<CheckRow> => {
      const shape = [...tensor.shape];
      const row = { name, kind, shape, error: null, difference: 0, largest: 0 };
      const here = node === null ? undefined : byNode.get(node);
      if (!here) return { ...row, note: `the graph has no such ${kind}` };
      if (here.shape.join() !== shape.join()) {
        return { ...row, note: `the shape here is [${here.shape.join(', ')}]` };
      }
      const reference = toFloat32(await readTensor(tensor, signal), tensor.dtype);
      return { ...row, ...relativeError(here.values, reference) };
    }),
  );
}

/** NaN in one of both counts as an infinite difference; in both, as none. */
function relativeError(values: ArrayLike<number>, reference: Float32Array) {
  let difference = 0;
  let largest = 0;
  for (let at = 0; at < reference.length; at++) {
    const [a, b] = [values[at]!, reference[at]!];
    if (Object.is(a, b) || a === b) {
      if (Number.isFinite(b)) largest = Math.max(largest, Math.abs(b));
      continue;
    }
    const distance = Math.abs(a - b);
    difference = Math.max(difference, Number.isNaN(distance) ? Infinity : distance);
    if (Number.isFinite(b)) largest = Math.max(largest, Math.abs(b));
  }
  return { difference, largest, error: difference === 0 ? 0 : difference / largest };
}
