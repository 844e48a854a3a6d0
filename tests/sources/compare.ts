/** Reads a source in the lab, has PyTorch run it, and compares: keys, and outputs on tfjs's CPU. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bind } from '#lib/architecture/binding.ts';
import { readSource, type ModuleTree, type SourceFile } from '#lib/architecture/source.ts';
import type { Result } from '#lib/checkpoint/finding.ts';
import { toFloat32 } from '#lib/checkpoint/elements.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { isDict, isTensor, type Dict, type Value } from '#lib/checkpoint/value.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { Model } from '#lib/runtime/model.ts';
import * as tf from '#lib/runtime/tf.ts';
import { open, relativeError, useBackend } from '../parity/lab.ts';
import { runPython } from '../python.ts';
import type { SourceCase } from './case.ts';

/** What became of one case; a step that was not reached is null. */
export interface Outcome {
  readonly name: string;
  readonly instantiated: boolean;
  readonly keys: number | null;
  readonly keysEqual: boolean | null;
  readonly traced: boolean | null;
  readonly nodes: number | null;
  /** The largest relative error of an output. */
  readonly error: number | null;
  /** Time to read, build and trace, in ms. */
  readonly time: number;
  readonly why: string;
}

/** PyTorch's side: the state_dict's entries, or why it cannot run the case. */
interface Judged {
  readonly name: string;
  readonly state?: readonly (readonly [key: string, shape: readonly number[], dtype: string])[];
  readonly error?: string;
}

/** The .py files of a case, with paths as imports have them. */
export function filesOf(root: string, { files, folder }: SourceCase): SourceFile[] {
  const top = join(root, folder);
  const prefix = folder === 'torchvision' ? 'torchvision/' : '';
  return readdirSync(top, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.py') && (!files || files.some((it) => path.startsWith(it))))
    .toSorted()
    .map((path) => ({ name: `${prefix}${path}`, text: readFileSync(join(top, path), 'utf8') }));
}

/** Runs cases one after the other; `report` hears of each as soon as it is done. */
export async function compareSources(
  root: string,
  cases: readonly SourceCase[],
  python: string,
  report: (outcome: Outcome) => void = () => {},
): Promise<Outcome[]> {
  await useBackend('cpu');
  const outcomes: Outcome[] = [];
  for (const item of cases) {
    const folder = mkdtempSync(join(tmpdir(), 'weightroom-source-'));
    try {
      const outcome = await compareOne(root, item, python, join(folder, 'judged.pt'));
      outcomes.push(outcome);
      report(outcome);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  return outcomes;
}

async function compareOne(
  root: string,
  item: SourceCase,
  python: string,
  file: string,
): Promise<Outcome> {
  const isInstalled = item.folder === 'torchvision';
  const asked = { ...item, file, root: isInstalled ? '' : join(root, item.folder) };
  const outcome: { -readonly [K in keyof Outcome]: Outcome[K] } = {
    name: item.name,
    instantiated: false,
    keys: null,
    keysEqual: null,
    traced: null,
    nodes: null,
    error: null,
    time: 0,
    why: '',
  };
  try {
    const started = performance.now();
    const files = [...filesOf(root, item), { name: 'case.py', text: item.code }];
    const { source } = unwrap(readSource(files));
    const { module } = unwrap(source.build('build'));
    outcome.instantiated = true;
    outcome.time = performance.now() - started;
    const input = JSON.stringify(asked);
    const judged = await runPython('tests/judge/sources.py', [], { python, input });
    const answer = JSON.parse(judged) as Judged;
    if (!answer.state) throw new Error(`PyTorch: ${answer.error}`);
    outcome.keys = module.state.length;
    const difference = keyDifference(module, answer.state);
    outcome.keysEqual = difference === null;
    if (difference !== null) throw new Error(difference);
    const specs = item.inputs.map(({ shape, below }) => ({
      shape,
      dtype: below === undefined ? ('float32' as const) : ('int64' as const),
    }));
    const tracing = performance.now();
    const { graph } = unwrap(module.trace(specs, { training: false }));
    outcome.time += performance.now() - tracing;
    outcome.traced = true;
    outcome.nodes = graph.nodes.length;
    outcome.error = await largestError(module, graph, file);
  } catch (error) {
    outcome.why = error instanceof Error ? error.message : String(error);
  }
  return outcome;
}

function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result;
  const { where, message } = result.findings[0]!;
  throw new Error(where ? `${where}: ${message}` : message);
}

/** The first entry of the state_dict that differs. */
function keyDifference(module: ModuleTree, state: NonNullable<Judged['state']>): string | null {
  const ours = module.state.map(({ key, shape, dtype }) => JSON.stringify([key, shape, dtype]));
  const theirs = state.map((entry) => JSON.stringify(entry));
  for (let at = 0; at < Math.max(ours.length, theirs.length); at++) {
    if (ours[at] !== theirs[at]) {
      return `entry ${at} is ${ours[at] ?? 'missing'}, PyTorch has ${theirs[at] ?? 'no more'}`;
    }
  }
  return null;
}

async function largestError(
  module: ModuleTree,
  graph: Parameters<Model['forward']>[0],
  file: string,
): Promise<number> {
  const { root } = await open(file);
  const state = (root as Dict).get('state') as Dict;
  const { matched } = bind(module.state, state);
  const model = await Model.load(
    module.state,
    new Map([...matched].map(([key, { tensor }]) => [key, tensor])),
  );
  const inputs: tf.Tensor[] = [];
  let outputs: tf.Tensor[] = [];
  try {
    for (const tensor of list(root, 'inputs')) inputs.push(await upload(tensor));
    outputs = model.forward(graph, inputs);
    const expected = list(root, 'outputs');
    if (outputs.length !== expected.length) {
      throw new Error(`${outputs.length} outputs, PyTorch gives ${expected.length}`);
    }
    let worst = 0;
    for (const [at, tensor] of expected.entries()) {
      const output = outputs[at]!;
      if (output.shape.join() !== tensor.shape.join()) {
        throw new Error(`output ${at} is [${output.shape}], PyTorch gives [${tensor.shape}]`);
      }
      const error = relativeError(
        await output.data(),
        toFloat32(await readTensor(tensor), tensor.dtype),
      );
      worst = Number.isNaN(error) ? error : Math.max(worst, error);
    }
    return worst;
  } finally {
    tf.dispose([...inputs, ...outputs]);
    model.dispose();
  }
}

function list(root: Value, key: string): Tensor[] {
  const value = isDict(root) ? root.get(key) : undefined;
  const isList = typeof value === 'object' && value?.kind === 'list';
  return isList ? value.items.filter(isTensor) : [];
}

async function upload(tensor: Tensor): Promise<tf.Tensor> {
  const values = toFloat32(await readTensor(tensor), tensor.dtype);
  const dtype = tensor.dtype === 'int64' ? 'int32' : 'float32';
  return tf.tensor(dtype === 'int32' ? Int32Array.from(values) : values, [...tensor.shape], dtype);
}

const sign = (value: boolean | null) => (value === null ? '-' : value ? 'yes' : 'no');

/** The table's head and one line of it. */
export const head = `${'model'.padEnd(42)} made  keys     same  traced nodes  error    ms     why not`;

export function line(outcome: Outcome): string {
  const { name, instantiated, keys, keysEqual, traced, nodes, error, time, why } = outcome;
  return [
    name.padEnd(42),
    sign(instantiated).padEnd(5),
    String(keys ?? '-').padEnd(8),
    sign(keysEqual).padEnd(5),
    sign(traced).padEnd(6),
    String(nodes ?? '-').padEnd(6),
    (error?.toExponential(1) ?? '-').padEnd(8),
    String(Math.round(time)).padEnd(6),
    why.slice(0, 200),
  ]
    .join(' ')
    .trimEnd();
}
