/**
 * A module that was pickled whole. Its layers are rebuilt from the attributes that the pickle
 * holds: torch's own as instances of the shim's classes, others of the classes that the source
 * defines. No `__init__` runs, only `forward`, as when PyTorch unpickles it.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { isModule } from '#lib/checkpoint/module.ts';
import { Dict, isDict, type Call, type Global, type Value } from '#lib/checkpoint/value.ts';
import type { StateDictCandidate } from '../binding.ts';
import { collectTensors, hiddenBuffers, objectsOf } from '../carried/collect.ts';
import type { CarriedModel } from '../carried/model.ts';
import { CarriedTensors } from '../carried/tensors.ts';
import { converter, unavailable } from '../carried/values.ts';
import { moduleTree, type Built } from '../module_tree.ts';
import { runProgram, type Program } from '../program.ts';
import { PyClass, PyInstance } from '../python/classes.ts';
import { unsupported } from '../python/errors.ts';
import { PyModule } from '../python/modules.ts';
import type { PyValue } from '../python/object.ts';
import { parseFile, type ParsedFile } from '../python/parse.ts';
import type { SourceFile } from '../source.ts';
import { keptArguments } from '../torch/layer_arguments.ts';
import { initializeModule, nonPersistent, store } from '../torch/module.ts';

/** Classes that a message lists. */
const MAX_LISTED = 6;

/** Whether the candidate is the state_dict of a module that was pickled whole. */
export function isPickledModule({ origin }: StateDictCandidate): boolean {
  return isModule(origin);
}

/**
 * Rebuilds the module; `files` define the classes that are not torch's. Throws a FindingError that
 * names the classes whose source is missing.
 */
export async function restoredModel(
  { origin, dict }: StateDictCandidate,
  files: readonly SourceFile[],
  signal?: AbortSignal,
): Promise<CarriedModel> {
  if (!isModule(origin)) throw new Error('the state_dict is not a module');
  const parsed = files.map(({ name, text }) => parseFile(name, text));
  const tensors = new CarriedTensors();
  collectTensors(origin, tensors, 'attributes');
  await tensors.read(signal);
  demandClasses(origin, runProgram(parsed));
  const make = (): Built => rebuild(origin, parsed, tensors);
  const module = moduleTree(nameOf(origin)?.name ?? 'model', make(), make);
  return { module, stateDict: new Dict([...dict.entries(), ...tensors.large], dict.type) };
}

/** The classes of the user's that a pickled module is made of, by their names. */
export function neededClasses(origin: Value): Global[] {
  const needed = new Map<string, Global>();
  for (const value of objectsOf(origin)) {
    const name = isModule(value) ? nameOf(value) : null;
    if (name && !isTorchs(name)) needed.set(`${name.module}.${name.name}`, name);
  }
  return [...needed.values()];
}

function nameOf({ callable, args, how }: Call): Global | null {
  if (typeof callable === 'object' && callable?.kind === 'global' && how === 'new') return callable;
  // Protocol 2 pickles by copyreg: the class is the first argument.
  const [first] = typeof args === 'object' && args?.kind === 'tuple' ? args.items : [];
  if (typeof first === 'object' && first?.kind === 'global') return first;
  return typeof callable === 'object' && callable?.kind === 'global' ? callable : null;
}

function isTorchs({ module }: Global): boolean {
  return module === 'torch' || module.startsWith('torch.');
}

function demandClasses(origin: Call, program: Program): void {
  const missing = neededClasses(origin).filter((name) => !classOf(name, program));
  if (missing.length === 0) return;
  const names = missing.map(({ module, name }) => `${module}.${name}`);
  const more = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : '';
  throw new FindingError({
    code: 'model-source-needed',
    message: `model: the file names the classes of its modules and does not hold their code: ${names.slice(0, MAX_LISTED).join(', ')}${more}`,
    advice:
      'Paste or drop the .py files that define them; their forward is read, nothing of it runs.',
  });
}

/** A class by the name that the pickle has for it. Only the shim and the source are looked into. */
function classOf(name: Global, program: Program): PyClass | undefined {
  if (isTorchs(name)) {
    const nn = program.interpreter.environment.libraries.get('torch.nn');
    const found = nn instanceof PyModule ? nn.known(name.name) : undefined;
    return found instanceof PyClass ? found : undefined;
  }
  const last = name.module.split('.').at(-1)!;
  const files = [...program.globals].sort(
    ([a], [b]) => Number(stem(b) === last) - Number(stem(a) === last),
  );
  for (const [, scope] of files) {
    const found = scope.names.get(name.name);
    if (found instanceof PyClass) return found;
  }
  return undefined;
}

function stem(file: string): string {
  return file.replace(/\.py$/, '').replace(/^.*[/\\]/, '');
}

function rebuild(origin: Call, files: readonly ParsedFile[], carried: CarriedTensors): Built {
  const program = runProgram(files);
  const tensors = carried.in(program.tensors);
  const convert = converter({
    tensor: tensors.of,
    object: (call, known, inner) => objectOf(call, program, known, inner),
    name: (module, name) => functionOf(module, name, program),
  });
  const module = convert(origin);
  if (!(module instanceof PyInstance)) throw unsupported('the file holds no module');
  const place = module.class.origin ?? { file: 'the pickle', line: 0 };
  return { program, module, place, extra: tensors.extra() };
}

/** A function that an attribute names, such as an activation. */
function functionOf(module: string, name: string, program: Program): PyValue | undefined {
  const { libraries } = program.interpreter.environment;
  const library = libraries.get(module === 'torch._C._nn' ? 'torch.nn.functional' : module);
  return library instanceof PyModule ? library.known(name) : undefined;
}

function objectOf(
  call: Call,
  program: Program,
  known: (made: PyValue) => void,
  convert: (value: Value) => PyValue,
): PyValue {
  const name = nameOf(call);
  const cls = name && classOf(name, program);
  const { state } = call;
  if (!cls || !isDict(state)) {
    const what = name ? `${name.module}.${name.name}` : 'an object of the file';
    if (isModule(call)) throw unsupported(`${what} is not supported`);
    return unavailable(what);
  }
  const instance = new PyInstance(cls);
  known(instance);
  if (isModule(call)) initializeModule(instance);
  for (const [key, item] of state.entries()) {
    if (typeof key !== 'string' || key === HIDDEN) continue;
    if (hooks.has(key) && isDict(item) && item.size > 0) {
      throw unsupported(`${cls.name} has hooks (${key}), which are not supported`);
    }
    instance.attributes.set(key, convert(item));
  }
  if (isModule(call)) {
    for (const name of hiddenBuffers(state)) {
      if (typeof name === 'string') nonPersistent(instance)?.set(name, null);
    }
    fillDefaults(instance);
  }
  return instance;
}

/** A set in Python, a dict in the shim. */
const HIDDEN = '_non_persistent_buffers_set';
const hooks = new Set(['_forward_hooks', '_forward_pre_hooks']);

/**
 * Attributes that newer versions of torch added to a layer, which old pickles lack: they get the
 * default of the argument that they come from, as torch's `__setstate__` does.
 */
function fillDefaults(instance: PyInstance): void {
  const { class: cls, attributes } = instance;
  for (const { name, default: value } of keptArguments(cls)) {
    if (value === undefined || attributes.has(name)) continue;
    const isKept = (['_parameters', '_buffers', '_modules'] as const).some((kind) =>
      store(instance, kind)?.has(name),
    );
    if (!isKept) attributes.set(name, value);
  }
}
