/** A forward pass for the page: from what the person gave to numbers, and what is shown of them. */
import type { Graph } from '#lib/architecture/graph.ts';
import type { ModuleTree } from '#lib/architecture/source.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import type { Value } from '#lib/checkpoint/value.ts';
import { imageInput } from '#lib/inputs/image.ts';
import { integers, normal } from '#lib/inputs/random.ts';
import { findScaler, numbersOf, parseCsv, standardise } from '#lib/inputs/table.ts';
import type { Model, Numbers } from '#lib/runtime/model.ts';
import { readValues, type Values } from './arrays.ts';
import type { Backend, Example, InputDtype, RunInput, RunResult, TensorInput } from './protocol.ts';

/** Shape with the batch, and dtype. */
export interface InputShape {
  readonly shape: readonly number[];
  readonly dtype: InputDtype;
}

/** A model that is ready to run: what every kind of run needs of the workbench. */
export interface Runner {
  readonly module: ModuleTree;
  /** The graph of an evaluation pass. Throws a FindingError that names the line. */
  graph(inputs: readonly InputShape[]): Graph;
  model(signal: AbortSignal): Promise<Model>;
  readonly backend: Backend & { check(): void };
}

/** What inputs may refer to. */
export interface Sources {
  readonly example: Example | undefined;
  readonly arrays: ReadonlyMap<string, Tensor>;
  /** Root of the open checkpoint, which may keep a scaler. */
  readonly root: Value | null;
}

/** The inputs of one pass, with their batch. */
export async function makeInputs(
  input: RunInput,
  { example, arrays, root }: Sources,
  signal: AbortSignal,
): Promise<Values[]> {
  switch (input.kind) {
    case 'example':
      if (!example) throw new Error('run: no such example');
      return [{ shape: [1, ...example.shape], dtype: example.dtype, values: example.values }];
    case 'image': {
      const { shape, values } = await imageInput(input.image, input.recipe);
      return [{ shape: [1, ...shape], dtype: 'float32', values }];
    }
    case 'table':
      return [await tableInput(input, root)];
    case 'tensors':
      return Promise.all(input.inputs.map((tensor) => tensorInput(tensor, arrays, signal)));
    default:
      return input satisfies never;
  }
}

async function tableInput(
  { text, columns, standardise: isStandardised }: Extract<RunInput, { kind: 'table' }>,
  root: Value | null,
): Promise<Values> {
  const table = parseCsv(text);
  const shape = [table.rows.length, columns.length];
  const values = numbersOf(table, columns);
  if (!isStandardised) return { shape, dtype: 'float32', values };
  const scaler = await findScaler(root, columns.length);
  if (scaler) return { shape, dtype: 'float32', values: standardise(values, scaler) };
  throw new FindingError({
    code: 'input-scaler',
    message: `input: the checkpoint keeps no mean and deviation of ${columns.length} features`,
    advice: 'Turn standardising off, or standardise the numbers before.',
  });
}

/** Random inputs beyond this are no sensible trial. */
const MAX_RANDOM = 2 ** 28;

function tensorInput(
  input: TensorInput,
  arrays: ReadonlyMap<string, Tensor>,
  signal: AbortSignal,
): Promise<Values> | Values {
  if (input.from === 'file') {
    const tensor = arrays.get(input.name);
    if (tensor) return readValues(tensor, input.dtype, input.name, signal);
    throw new FindingError({
      code: 'input-missing',
      message: `input: there is no tensor ${input.name} in the open file`,
      advice: 'Choose one of its tensors, or random numbers.',
    });
  }
  const { shape, dtype, seed, below } = input;
  const count = numel(shape);
  if (count > MAX_RANDOM) {
    throw new FindingError({
      code: 'input-unsuitable',
      message: `input: [${shape.join(', ')}] has ${count} elements, at most ${MAX_RANDOM} are made`,
      advice: 'Give a smaller shape.',
    });
  }
  if (dtype === 'float32') return { shape, dtype, values: normal(count, seed) };
  const numbers = integers(count, dtype === 'bool' ? 2 : below, seed);
  return { shape, dtype, values: dtype === 'bool' ? Uint8Array.from(numbers) : numbers };
}

/** One pass over inputs. */
export async function predict(
  { graph, model, backend }: Runner,
  inputs: readonly Values[],
  signal: AbortSignal,
): Promise<{ outputs: Numbers[]; graph: Graph; milliseconds: number }> {
  const traced = graph(inputs);
  const loaded = await model(signal);
  signal.throwIfAborted();
  const started = performance.now();
  const outputs = await loaded.predict(traced, inputs);
  backend.check();
  return { outputs, graph: traced, milliseconds: performance.now() - started };
}

/** The results of a pass as they are shown. */
export function describeRun(
  { outputs, graph, milliseconds }: Awaited<ReturnType<typeof predict>>,
  [input]: readonly Values[],
  {
    top,
    label,
    first,
    backend,
  }: { top: number; label: string | null; first: boolean } & {
    backend: Backend & { check(): void };
  },
): RunResult {
  const { check, ...shown } = backend;
  const [output] = outputs;
  const isClasses = output?.shape.length === 2 && output.shape[0] === 1;
  const logs = graph.nodes[graph.outputs[0]!]?.op;
  return {
    outputs: outputs.map(({ values, shape, dtype }, at) => ({
      name: graph.outputNames[at]!,
      shape: [...shape],
      dtype,
      values,
    })),
    top:
      isClasses && output.dtype === 'float32'
        ? largest(output.values as Float32Array, top, logs ?? '')
        : [],
    milliseconds,
    first,
    backend: shown,
    input: {
      label,
      dtype: 'float32',
      shape: [...input!.shape.slice(1)],
      values: Float32Array.from(input!.values.subarray(0, numel(input!.shape.slice(1)))),
    },
  };
}

/**
 * The largest outputs with their probabilities: a softmax over all of them, unless the model ends
 * in one (`softmax`, or `log_softmax`, of which exp is taken).
 */
function largest(values: Float32Array, top: number, last: string): RunResult['top'] {
  const probability = probabilities(values, last);
  return [...values]
    .map((value, index) => ({ index, value, probability: probability(value) }))
    .sort((a, b) => b.value - a.value)
    .slice(0, top);
}

function probabilities(values: Float32Array, last: string): (value: number) => number {
  if (last === 'softmax') return (value) => value;
  if (last === 'log_softmax') return Math.exp;
  const highest = values.reduce((most, value) => Math.max(most, value), -Infinity);
  const total = values.reduce((sum, value) => sum + Math.exp(value - highest), 0);
  return (value) => Math.exp(value - highest) / total;
}
