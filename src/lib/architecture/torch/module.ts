/**
 * `torch.nn.Module`. Its state lies where PyTorch keeps it, in the dicts `_parameters`, `_buffers`
 * and `_modules` of the instance, so that code which looks into them finds what it expects, and the
 * order of registration is PyTorch's.
 */
import { PyClass, PyInstance } from '../python/classes.ts';
import { PyDict } from '../python/collections.ts';
import { raised } from '../python/errors.ts';
import type { Interpreter } from '../python/interpreter.ts';
import { Placeholder, typeName, usable, type PyValue } from '../python/object.ts';
import type { Session } from './session.ts';
import { PyTensor } from './tensor.ts';

const stores = ['_parameters', '_buffers', '_modules'] as const;
type Store = (typeof stores)[number];

/** One of a module's dicts; undefined before `Module.__init__` ran. */
export function store(module: PyInstance, name: Store): PyDict | undefined {
  const dict = module.attributes.get(name);
  return dict instanceof PyDict ? dict : undefined;
}

/** Names of buffers that the state_dict leaves out. */
export function nonPersistent(module: PyInstance): PyDict | undefined {
  const dict = module.attributes.get('_non_persistent_buffers_set');
  return dict instanceof PyDict ? dict : undefined;
}

export function initializeModule(module: PyInstance): void {
  for (const name of stores) module.attributes.set(name, new PyDict());
  module.attributes.set('_non_persistent_buffers_set', new PyDict());
  module.attributes.set('training', true);
}

function demandStore(module: PyInstance, name: Store, what: string): PyDict {
  const dict = store(module, name);
  if (dict) return dict;
  throw raised('AttributeError', `cannot assign ${what} before Module.__init__() call`);
}

/** A name must not be taken by an attribute or by another store. */
function checkName(module: PyInstance, name: string, own: Store): void {
  if (name === '') throw raised('KeyError', 'the name of a parameter, buffer or module is empty');
  if (name.includes('.')) throw raised('KeyError', `the name "${name}" contains a dot`);
  const isTaken =
    module.attributes.has(name) ||
    module.class.lookup(name) !== undefined ||
    stores.some((other) => other !== own && store(module, other)?.has(name));
  if (isTaken && !store(module, own)?.has(name)) {
    throw raised('KeyError', `attribute "${name}" already exists`);
  }
}

export function registerParameter(module: PyInstance, name: string, value: PyValue): void {
  const parameters = demandStore(module, '_parameters', 'parameters');
  checkName(module, name, '_parameters');
  if (value !== null && !(value instanceof PyTensor && value.isParameter)) {
    throw raised('TypeError', `cannot assign a ${typeName(usable(value))} as parameter "${name}"`);
  }
  parameters.set(name, value);
}

export function registerBuffer(
  module: PyInstance,
  name: string,
  value: PyValue,
  persistent: boolean,
): void {
  const buffers = demandStore(module, '_buffers', 'buffers');
  checkName(module, name, '_buffers');
  if (value !== null && !(value instanceof PyTensor)) {
    throw raised('TypeError', `cannot assign a ${typeName(usable(value))} as buffer "${name}"`);
  }
  buffers.set(name, value);
  if (persistent) nonPersistent(module)?.delete(name);
  else nonPersistent(module)?.set(name, null);
}

export function registerModule(module: PyInstance, name: string, value: PyValue): void {
  const modules = demandStore(module, '_modules', 'a module');
  checkName(module, name, '_modules');
  if (value !== null && !isModule(value)) {
    throw raised('TypeError', `a ${typeName(usable(value))} is not a Module`);
  }
  modules.set(name, value);
}

/** The Module class of every run. */
export const moduleRoots = new WeakSet<PyClass>();

export function isModule(value: PyValue): value is PyInstance {
  return value instanceof PyInstance && value.class.mro.some((cls) => moduleRoots.has(cls));
}

export function isModuleClass(value: PyValue): value is PyClass {
  return value instanceof PyClass && value.mro.some((cls) => moduleRoots.has(cls));
}

/** PyTorch's `Module.__setattr__`. */
export function assignAttribute(
  session: Session,
  interpreter: Interpreter,
  module: PyInstance,
  name: string,
  value: PyValue,
): void {
  // Half a model is worse than none: what could not be made must not go missing quietly.
  if (value instanceof Placeholder && value.reason !== null) throw value.error;
  const removeFromOthers = (own: Store): void => {
    module.attributes.delete(name);
    for (const other of stores) if (other !== own) store(module, other)?.delete(name);
    nonPersistent(module)?.delete(name);
  };
  const holds = (kind: Store): boolean => store(module, kind)?.has(name) ?? false;
  if (value instanceof PyTensor && value.isParameter) {
    demandStore(module, '_parameters', 'parameters');
    removeFromOthers('_parameters');
    registerParameter(module, name, value);
  } else if (holds('_parameters')) {
    registerParameter(module, name, value);
  } else if (isModule(value)) {
    const modules = demandStore(module, '_modules', 'a module');
    removeFromOthers('_modules');
    modules.set(name, value);
  } else if (holds('_modules')) {
    if (value !== null) {
      throw raised('TypeError', `cannot assign a ${typeName(value)} as child module "${name}"`);
    }
    store(module, '_modules')!.set(name, null);
  } else if (holds('_buffers')) {
    if (value !== null && !(value instanceof PyTensor)) {
      throw raised('TypeError', `cannot assign a ${typeName(value)} as buffer "${name}"`);
    }
    session.buildOnly(`setting the buffer "${name}"`);
    store(module, '_buffers')!.set(name, value);
  } else {
    module.setOwn(interpreter, name, value);
  }
}
