/**
 * The model that a program of torch.export is: its calls of ATen's operators, one after the other,
 * through the same adapters as TorchScript's code. The exporter wrote down the shape and dtype of
 * every result; what does not come out as it says is an error. Such a program is made for the shapes
 * of its example and for one mode, which PyTorch holds it to as well.
 */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { ExportedProgram } from '#lib/checkpoint/exported.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, isDict, isTensor } from '#lib/checkpoint/value.ts';
import type { CarriedModel } from '../carried/model.ts';
import { newRun } from '../carried/run.ts';
import { CarriedTensors } from '../carried/tensors.ts';
import type { Graph, NodeId, ParameterSpec } from '../graph.ts';
import { pythonFinding, raised } from '../python/errors.ts';
import type { PyValue } from '../python/object.ts';
import { Scope } from '../python/scope.ts';
import type { InputDtype, ModuleSpec, ModuleTree } from '../source.ts';
import { PyTensor } from '../torch/tensor.ts';
import { Tracer } from '../torch/tracer.ts';
import { checkInputs, proposedInput } from './inputs.ts';
import { ModulePaths, runNodes } from './nodes.ts';

/** The program of an archive that was opened as `checkpoint`. Throws a FindingError. */
export async function exportedModel(
  checkpoint: Checkpoint,
  signal?: AbortSignal,
): Promise<CarriedModel> {
  if (checkpoint.program?.kind !== 'exported') throw new Error('the file holds no program');
  const programs = await checkpoint.program.read(signal);
  const [[, program] = [], ...others] = programs;
  if (!program || others.length > 0) {
    throw refused(`the archive holds ${programs.size} programs, one is needed`);
  }
  if (program.outputs.some(({ kind }) => kind === 'mutation')) {
    throw refused(
      'the program changes its own weights or buffers, as one exported in training does',
    );
  }
  const weights = await weightsOf(checkpoint, program, signal);
  const users = program.inputs.filter(({ kind }) => kind === 'user');
  const state = weights.state;
  const module: ModuleTree = {
    name: checkpoint.name.replace(/\.[^.]*$/, ''),
    modules: modulesOf(program),
    state,
    parameterOrder: state.filter(({ kind }) => kind === 'parameter').map(({ key }) => key),
    inputs: users.map(({ name }) => name),
    trace(inputs, { training }) {
      try {
        return { ok: true, graph: trace(program, weights, inputs, training) };
      } catch (error) {
        const finding = error instanceof FindingError ? error.finding : pythonFinding(error);
        return { ok: false, findings: [finding] };
      }
    },
    initialise([key = '']) {
      const message = `the program has no first values for "${key}"`;
      const advice = 'It comes with its weights; bring the source of the model instead.';
      return { ok: false, findings: [refused(message, advice).finding] };
    },
  };
  const proposed = users.map(({ name }) => proposedInput(program, name));
  const isKnown = proposed.every((input) => input !== null);
  return { module, stateDict: weights.dict, ...(isKnown && { inputs: proposed }) };
}

/** The modules that the calls come from, in the order of their first calls, parents first. */
function modulesOf({ nodes }: ExportedProgram): ModuleSpec[] {
  const paths = new Set(['']);
  for (const { module } of nodes) {
    const parts = module.split('.');
    for (let end = 1; end <= parts.length; end++) paths.add(parts.slice(0, end).join('.'));
  }
  return [...paths].map((path) => ({ path, type: '', arguments: '' }));
}

interface Weights {
  readonly state: readonly ParameterSpec[];
  readonly dict: Dict;
  readonly tensors: CarriedTensors;
  /** By their names in the program, constants among them. */
  readonly byName: ReadonlyMap<string, Tensor>;
}

/** What the program reads: by their names in the state_dict, and constants beside it. */
async function weightsOf(
  { root }: Checkpoint,
  program: ExportedProgram,
  signal?: AbortSignal,
): Promise<Weights> {
  const [values, constants] = ['state_dict', 'constants'].map((name) => {
    const found = isDict(root) ? root.get(name) : undefined;
    return isDict(found) ? found : new Dict();
  });
  const tensors = new CarriedTensors();
  const byName = new Map<string, Tensor>();
  const dict = new Dict([], 'OrderedDict');
  const state: ParameterSpec[] = [];
  const first = new Map<string, string>();
  const add = (key: string, tensor: Tensor, kind: ParameterSpec['kind']): void => {
    const { shape, dtype } = tensor;
    const tiedTo = first.get(tensors.identity(tensor));
    if (tiedTo === undefined) first.set(tensors.identity(tensor), key);
    const requiresGrad = kind === 'parameter' && tensor.requiresGrad;
    dict.set(key, tensor);
    state.push({ key, shape, dtype, kind, requiresGrad, ...(tiedTo !== undefined && { tiedTo }) });
  };
  for (const { kind, target } of program.inputs) {
    if (kind === 'user' || byName.has(target)) continue;
    const tensor = values!.get(target) ?? constants!.get(target);
    if (!isTensor(tensor)) throw refused(`the archive has no tensor "${target}"`);
    byName.set(target, tensor);
    // Buffers that are not persistent lie among the constants.
    const isConstant = kind === 'constant' || !values!.has(target);
    tensors.add(tensor, isConstant ? 'other' : kind, target);
    if (!isConstant) add(target, tensor, kind);
  }
  await tensors.read(signal);
  for (const [key, tensor] of tensors.large) add(key, tensor, 'constant');
  return { state, dict, tensors, byName };
}

function trace(
  program: ExportedProgram,
  weights: Weights,
  given: readonly { shape: readonly number[]; dtype: InputDtype }[],
  training: boolean,
): Graph {
  const run = newRun();
  const { session, interpreter, tensors: owner } = run.program;
  const carried = weights.tensors.in(owner);
  const keys = new Map<PyTensor, string>();
  for (const { key } of weights.state) {
    const tensor = weights.dict.get(key);
    if (!isTensor(tensor)) continue;
    const value = carried.of(tensor);
    if (!keys.has(value)) keys.set(value, key);
  }
  const paths = new ModulePaths();
  const tracer = new Tracer(session, { paths: paths.names, keys }, training);
  session.tracer = tracer;
  const frame = { file: 'program', line: 0, scope: new Scope('module', null), self: undefined };
  return interpreter.within(frame, () => {
    const values = new Map<string, PyValue>();
    const inputs: NodeId[] = [];
    const users = new Map<string, PyTensor>();
    for (const { name, kind, target } of program.inputs) {
      if (kind !== 'user') {
        values.set(name, carried.of(weights.byName.get(target)!));
        continue;
      }
      const index = inputs.length;
      const input = given[index];
      if (!input) throw raised('TypeError', `the program takes the input "${name}", none is given`);
      const node = tracer.add('input', [], { name, index }, input.shape, input.dtype);
      inputs.push(node);
      const traced = { tracer, node };
      users.set(name, new PyTensor(owner, [...input.shape], input.dtype, { traced }));
      values.set(name, users.get(name)!);
    }
    checkInputs(program, run, users);
    runNodes(program, run, paths, values);
    const outputs = program.outputs.flatMap(({ name }, index) => {
      if (name === null) return [];
      const value = values.get(name);
      const place = program.outputs.length === 1 ? 'output' : String(index);
      if (value instanceof PyTensor) return { name: place, node: tracer.nodeOf(value) };
      throw raised('RuntimeError', `the output "${name}" is no tensor`);
    });
    return tracer.finish(inputs, outputs);
  });
}

function refused(
  message: string,
  advice = 'Bring the source of the model, or export it in evaluation mode (model.eval()).',
): FindingError {
  return new FindingError({ code: 'exported-program', message: `pt2: ${message}`, advice });
}
