/** A built module as the rest of the app sees it: its state_dict's entries, and how to trace it. */

import type { Graph, ParameterSpec } from './graph.ts';
import type { ModuleTree } from './source.ts';
import { initialTensors, initOf } from './initial.ts';
import { outputsOf } from './outputs.ts';
import type { Program } from './program.ts';
import { getAttribute } from './python/attributes.ts';
import type { PyInstance } from './python/classes.ts';
import { pythonFinding, raised } from './python/errors.ts';
import { BoundMethod, call, NativeFunction, PyFunction } from './python/functions.ts';
import { noArguments } from './python/object.ts';
import { Scope } from './python/scope.ts';
import { signatureFromText, type Signature } from './python/signature.ts';
import { layerArguments } from './torch/layer_arguments.ts';
import { PyTensor } from './torch/tensor.ts';
import { Tracer } from './torch/tracer.ts';
import { modulesOf, parametersOf, stateOf, type StateEntry } from './torch/tree.ts';

/** A module together with the run that made it. */
export interface Built {
  readonly program: Program;
  readonly module: PyInstance;
  /** Where the source defines it, for errors that no line of the source makes. */
  readonly place: { readonly file: string; readonly line: number };
  /** Tensors beside the state_dict that have keys, of a model that comes out of a file. */
  readonly extra?: readonly StateEntry[];
}

/** Runs what the source did not ask for itself, on behalf of a line of it. */
export function outside<T>(
  { interpreter }: Program,
  place: { readonly file: string; readonly line: number },
  run: () => T,
): T {
  const frame = { ...place, scope: new Scope('module', null), self: undefined };
  return interpreter.within(frame, run);
}

/**
 * Describes a built module. `rebuild` makes it again: every trace starts from a fresh one, so that
 * what forward leaves behind in attributes never reaches the next trace. `isFixed` is for modules whose
 * code comes out of a file.
 */
export function moduleTree(
  name: string,
  built: Built,
  rebuild: () => Built,
  { isFixed = false } = {},
): ModuleTree {
  const [state, parameters] = outside(built.program, built.place, () => [
    describeState(built),
    parametersOf(built.module),
  ]);
  const forward = forwardSignature(built);
  const { interpreter } = built.program;
  return {
    name,
    modules: modulesOf(built.module).map(({ name: path, value }) => ({
      path,
      type: value.class.name,
      arguments: layerArguments(interpreter, value),
    })),
    state,
    parameterOrder: parameters.map((parameter) => parameter.name),
    inputs: forward.required,
    trace(inputs, options) {
      try {
        return { ok: true, graph: traceModule(rebuild(), inputs, options.training) };
      } catch (error) {
        return { ok: false, findings: [pythonFinding(error)] };
      }
    },
    ...(!isFixed && {
      changed(change: (built: Built) => void) {
        const make = (): Built => {
          const made = rebuild();
          outside(made.program, made.place, () => change(made));
          return made;
        };
        return moduleTree(name, make(), make);
      },
    }),
    initialise(keys, seed) {
      try {
        const fresh = rebuild();
        const { session } = fresh.program;
        const run = () => initialTensors(session, entriesOf(fresh), keys, seed);
        return { ok: true, tensors: outside(fresh.program, fresh.place, run) };
      } catch (error) {
        return { ok: false, findings: [pythonFinding(error)] };
      }
    },
  };
}

function describeState(built: Built): ParameterSpec[] {
  const first = new Map<PyTensor, string>();
  return entriesOf(built).map(({ name, value, kind }) => {
    const tiedTo = first.get(value);
    if (tiedTo === undefined) first.set(value, name);
    const init = initOf(value);
    return {
      key: name,
      shape: [...value.shape],
      dtype: value.dtype,
      kind,
      requiresGrad: kind === 'parameter' && value.requiresGrad,
      ...(tiedTo === undefined ? {} : { tiedTo }),
      ...(init && { init }),
    };
  });
}

function entriesOf({ module, extra = [] }: Built): StateEntry[] {
  return [...stateOf(module), ...extra];
}

interface ForwardSignature {
  readonly required: readonly string[];
  /** Names of all positional arguments; null where any number is taken. */
  readonly positional: readonly string[];
  readonly isOpen: boolean;
}

function forwardSignature({ program, module, place }: Built): ForwardSignature {
  let signature: Signature | undefined;
  const forward = outside(program, place, () =>
    getAttribute(program.interpreter, module, 'forward'),
  );
  const callee = forward instanceof BoundMethod ? forward.callee : forward;
  if (callee instanceof PyFunction) signature = callee.signature;
  if (callee instanceof NativeFunction) signature = signatureFromText(callee.signature);
  const skip = forward instanceof BoundMethod ? 1 : 0;
  const parameters = (signature?.parameters ?? [])
    .filter(({ kind }) => kind !== 'keyword-only')
    .slice(skip);
  return {
    required: parameters.filter((parameter) => parameter.default === undefined).map((p) => p.name),
    positional: parameters.map((parameter) => parameter.name),
    isOpen: signature?.rest != null,
  };
}

function traceModule(
  built: Built,
  inputs: Parameters<ModuleTree['trace']>[0],
  training: boolean,
): Graph {
  const { program, module, place } = built;
  const { interpreter, session } = program;
  return outside(program, place, () => {
    call(interpreter, getAttribute(interpreter, module, 'train'), {
      ...noArguments,
      positional: [training],
    });
    const tracer = new Tracer(
      session,
      {
        paths: new Map(modulesOf(module).map(({ name, value }) => [value, name])),
        keys: keysOf(built),
      },
      training,
    );
    session.tracer = tracer;
    const names = inputNames(forwardSignature(built), inputs.length);
    const tensors = inputs.map(({ shape, dtype }, index) => {
      checkInput(names[index]!, shape);
      const attrs = { name: names[index]!, index };
      const node = tracer.add('input', [], attrs, shape, dtype);
      return new PyTensor(program.tensors, shape, dtype, { traced: { tracer, node } });
    });
    const nodes = tensors.map((tensor) => tracer.nodeOf(tensor));
    const result = call(interpreter, module, { ...noArguments, positional: tensors });
    const outputs = outputsOf(result).map(({ name, tensor }) => ({
      name,
      node: tracer.nodeOf(tensor),
    }));
    return tracer.finish(nodes, outputs);
  });
}

/** Keys by tensor; the first key of a tied one. */
function keysOf(built: Built): Map<PyTensor, string> {
  const keys = new Map<PyTensor, string>();
  for (const { name, value } of entriesOf(built)) if (!keys.has(value)) keys.set(value, name);
  return keys;
}

function inputNames(forward: ForwardSignature, count: number): string[] {
  const { required, positional, isOpen } = forward;
  if (count < required.length || (count > positional.length && !isOpen)) {
    throw raised(
      'TypeError',
      `forward() takes ${required.length} inputs (${required.join(', ') || 'none'}), ${count} are given`,
    );
  }
  return Array.from({ length: count }, (_, index) => positional[index] ?? `input${index}`);
}

function checkInput(name: string, shape: readonly number[]): void {
  if (shape.some((size) => !Number.isSafeInteger(size) || size < 0)) {
    throw raised('RuntimeError', `the input ${name} has the shape [${shape.join(', ')}]`);
  }
}
