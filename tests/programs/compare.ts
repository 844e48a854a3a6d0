/** Runs a model that comes with its forward pass, and compares it with the PyTorch that wrote it. */
import { bind, findStateDicts } from '#lib/architecture/binding.ts';
import { findCarried, openCarried } from '#lib/architecture/carried/open.ts';
import type { CarriedModel } from '#lib/architecture/carried/model.ts';
import type { SourceFile } from '#lib/architecture/source.ts';
import type { BackendName } from '#lib/runtime/backend.ts';
import type { Model } from '#lib/runtime/model.ts';
import { numbers, open, relativeError, unwrap, upload, useBackend } from '../parity/lab.ts';

/** A file of `tests/fixtures/programs.py`, as its JSON twin describes it. */
export interface Program {
  readonly name: string;
  readonly path: string;
  readonly model: string;
  readonly form: keyof typeof ways;
  readonly torch: string;
  /** What `state_dict()` gives of the loaded file. */
  readonly state: readonly (readonly [key: string, shape: readonly number[]])[];
}

/** What the lab finds in a file of each form, and the form in words. */
export const ways = {
  traced: ['torchscript', 'traced'],
  scripted: ['torchscript', 'scripted'],
  exported: ['exported', 'exported'],
  dynamic: ['exported', 'exported, other batch'],
  core: ['exported', 'exported, core ATen'],
  packed: ['exported', 'exported, 2nd layout'],
  first: ['exported', 'exported, 1st layout'],
  module: ['module', 'pickled whole'],
  legacy: ['module', 'pickled before 1.6'],
} as const;

export interface Compared {
  readonly keysEqual: boolean;
  readonly graphNodes: number;
  readonly error: number;
  /** Distance between the largest and the smallest reference: zeros would agree by themselves. */
  readonly spread: number;
}

/** The model of a file, and what PyTorch computed for which input. */
export async function openProgram(
  { path }: Pick<Program, 'path'>,
  sources: readonly SourceFile[] = [],
) {
  const checkpoint = await open(path);
  const carried = findCarried(checkpoint, findStateDicts(checkpoint.root))!;
  const model = await openCarried(checkpoint, carried, sources);
  const io = (await open(path.replace(/\.\w+$/, '.io.pt'))).root;
  const [input, output] = [await numbers(io, 'input'), await numbers(io, 'output')];
  return { kind: carried.kind, model, input, output };
}

/** Keys and outputs on a backend. Throws where the model cannot be run. */
export async function compareProgram(
  { state }: Program,
  { model, input, output }: Awaited<ReturnType<typeof openProgram>>,
  backend: BackendName,
): Promise<Compared> {
  const graph = unwrap(
    model.module.trace([{ shape: input.shape, dtype: 'float32' }], { training: false }),
  ).graph;
  const running = await useBackend(backend);
  const loaded = await modelOf(model);
  const [result] = await loaded.predict(graph, [input]);
  running.check();
  loaded.dispose();
  if (result!.shape.join() !== output.shape.join()) {
    throw new Error(`the output is [${result!.shape}], PyTorch gives [${output.shape}]`);
  }
  const [least, most] = output.values.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Infinity, -Infinity],
  );
  return {
    keysEqual: hasKeys(model, state),
    graphNodes: graph.nodes.length,
    error: relativeError(result!.values, output.values),
    spread: most - least,
  };
}

/** Its weights on the backend. */
export function modelOf({ module, stateDict: dict }: CarriedModel): Promise<Model> {
  const stateDict = { path: [], dict, origin: dict, score: 0 };
  return upload({ module, stateDict, binding: bind(module.state, dict) });
}

/** Whether the state_dict's keys and shapes are the model's own, all of them found in the file. */
function hasKeys({ module, stateDict }: CarriedModel, state: Program['state']): boolean {
  const { missing, unexpected, mismatched } = bind(module.state, stateDict);
  const own = module.state
    .filter(({ kind }) => kind !== 'constant')
    .map(({ key, shape }) => JSON.stringify([key, shape]));
  const expected = state.map((entry) => JSON.stringify(entry));
  return (
    [...missing, ...unexpected, ...mismatched].length === 0 &&
    own.toSorted().join() === expected.toSorted().join()
  );
}
