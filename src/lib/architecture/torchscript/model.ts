/**
 * A TorchScript archive's own model. Its code runs in the evaluator that reads Python sources; its
 * modules are the objects of data.pkl with their attributes, instances of the classes in the code.
 */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { isModule, moduleStateDict } from '#lib/checkpoint/module.ts';
import { Dict, isDict, isTensor, type Call, type Value } from '#lib/checkpoint/value.ts';
import type { CarriedModel } from '../carried/model.ts';
import { newRun } from '../carried/run.ts';
import { CarriedTensors } from '../carried/tensors.ts';
import { converter, unavailable } from '../carried/values.ts';
import { collectTensors } from '../carried/collect.ts';
import { moduleTree, type Built } from '../module_tree.ts';
import { PyClass, PyInstance } from '../python/classes.ts';
import { unsupported } from '../python/errors.ts';
import { PyModule } from '../python/modules.ts';
import type { PyValue } from '../python/object.ts';
import { initializeModule } from '../torch/module.ts';
import { ScriptCode, ScriptFiles } from './code.ts';
import { dtypeByCode } from './functions.ts';
import { defineNames } from './names.ts';

/**
 * The model of an archive that was opened as `checkpoint`. Throws a FindingError or PythonError
 * that names the line of the code.
 */
export async function scriptModel(
  checkpoint: Checkpoint,
  signal?: AbortSignal,
): Promise<CarriedModel> {
  const { program, root } = checkpoint;
  const value = isDict(root) ? root.get('model') : undefined;
  if (program?.kind !== 'torchscript' || !isModule(value)) {
    throw new FindingError({
      code: 'model-not-carried',
      message: 'torchscript: the archive holds no module',
      advice: 'Bring the source of the model instead.',
    });
  }
  const files = new ScriptFiles(await program.read(signal));
  const constants = constantsOf(isDict(root) ? root.get('constants') : undefined);
  const tensors = new CarriedTensors();
  collectTensors(value, tensors, 'attributes');
  constants.forEach((constant, index) => {
    if (isTensor(constant)) tensors.add(constant, 'other', `CONSTANTS.c${index}`);
    else collectTensors(constant, tensors, `CONSTANTS.c${index}`);
  });
  await tensors.read(signal);
  const make = (): Built => instantiate(value, constants, files, tensors);
  const module = moduleTree(nameOf(value), make(), make, { isFixed: true });
  const entries = [...(moduleStateDict(value)?.entries() ?? []), ...tensors.large];
  return { module, stateDict: new Dict(entries, 'OrderedDict') };
}

function constantsOf(value: Value | undefined): readonly Value[] {
  if (typeof value !== 'object' || value === null) return [];
  return value.kind === 'tuple' || value.kind === 'list' ? value.items : [];
}

function nameOf({ callable }: Call): string {
  return typeof callable === 'object' && callable?.kind === 'global' ? callable.name : 'model';
}

/** Makes the modules in a fresh run. */
function instantiate(
  value: Call,
  constants: readonly Value[],
  files: ScriptFiles,
  carried: CarriedTensors,
): Built {
  const { program, aten, libraries, builtins } = newRun(dtypeByCode);
  const nn = libraries.get('torch.nn');
  const moduleClass = nn instanceof PyModule ? nn.names.get('Module') : undefined;
  if (!(moduleClass instanceof PyClass)) throw new Error('torch.nn has no Module');
  const code = new ScriptCode(files, program.session, moduleClass, builtins);
  const tensors = carried.in(program.tensors);
  const convert = converter({
    tensor: tensors.of,
    object: (call, known, inner) => objectOf(call, code, known, inner),
    name: () => undefined,
  });
  defineNames(builtins, aten, constants.map(convert), code.root);
  const module = convert(value);
  if (!(module instanceof PyInstance)) throw unsupported('the archive holds no module');
  const place = module.class.origin ?? { file: 'data.pkl', line: 0 };
  return { program, module, place, extra: tensors.extra() };
}

/** An object of the archive: an instance of its class with the attributes that were pickled. */
function objectOf(
  call: Call,
  code: ScriptCode,
  known: (made: PyValue) => void,
  convert: (value: Value) => PyValue,
): PyValue {
  const { callable, state } = call;
  const name = typeof callable === 'object' && callable?.kind === 'global' ? callable : null;
  const cls = name && code.find(name.module, name.name);
  if (!name || !(cls instanceof PyClass)) {
    return unavailable(name ? `${name.module}.${name.name}` : 'an object of the archive');
  }
  if (!isDict(state)) return unavailable(`${name.module}.${name.name}`);
  const instance = new PyInstance(cls);
  known(instance);
  if (isModule(call)) initializeModule(instance);
  for (const [key, item] of state.entries()) {
    if (typeof key !== 'string') continue;
    instance.attributes.set(key, convert(item));
  }
  return instance;
}
