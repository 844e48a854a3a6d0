/**
 * Gives the objects of a TorchScript archive their meaning. A module is pickled as its class and
 * one flat dict of attributes; here it becomes what `torch.save(model)` would have kept of it: a
 * state with `_parameters`, `_buffers` and `_modules`, so that both are read alike from here on.
 */
import { rewrite } from '#lib/checkpoint/rewrite.ts';
import { Dict, isDict, isTensor, type Call, type Value } from '#lib/checkpoint/value.ts';
import { argsOf } from './builtins.ts';
import { isGlobal } from './torch.storages.ts';
import type { ScriptClass } from './torchscript.code.ts';

/** Functions of torch.jit._pickle that say the type of their argument and return it. */
const typed = new Set(
  'build_intlist build_tensorlist build_doublelist build_boollist restore_type_tag'.split(' '),
);

/**
 * Rewrites what `interpret` made of the pickle. `onOpaque` is told the class of each object whose
 * attributes are not known: it has no code, or keeps a state of its own (`__setstate__`).
 */
export function interpretScript(
  root: Value,
  classes: ReadonlyMap<string, ScriptClass>,
  onOpaque: (name: string) => void,
): Value {
  const modules = new Set<Value>();
  return rewrite(root, {
    after(value) {
      if (value.kind !== 'call' || !isGlobal(value.callable)) return value;
      const { module, name } = value.callable;
      if (module === 'torch.jit._pickle' && typed.has(name)) return argsOf(value)[0] ?? value;
      if (value.how !== 'new' || !isScriptName(module)) return value;
      const known = classes.get(`${module}.${name}`);
      if (known && isDict(value.state)) {
        if (!known.isModule) return value;
        const made: Call = { ...value, state: moduleState(value.state, known, modules) };
        modules.add(made);
        return made;
      }
      onOpaque(`${module}.${name}`);
      return value;
    },
  });
}

/** Whether a class is one of the archive's own. */
export function isScriptName(module: string): boolean {
  return module === '__torch__' || module.startsWith('__torch__.');
}

/**
 * Sorted as `state_dict()` of a loaded module does (torch/csrc/jit/api/module.h, `ParameterPolicy`,
 * `BufferPolicy`, `ModulePolicy`).
 */
function moduleState(attributes: Dict, known: ScriptClass, modules: ReadonlySet<Value>): Dict {
  const parameters = new Dict();
  const buffers = new Dict();
  const children = new Dict();
  const state = new Dict();
  for (const [key, value] of attributes.entries()) {
    const name = typeof key === 'string' ? key : '';
    const isPlain = value === null || isTensor(value);
    const isBuffer = known.buffers.has(name) && (value === null || known.tensors.has(name));
    if (known.parameters.has(name) && isPlain) parameters.set(key, value);
    else if (isBuffer && isPlain) buffers.set(key, value);
    else if (modules.has(value)) children.set(key, value);
    else state.set(key, value);
  }
  return state.set('_parameters', parameters).set('_buffers', buffers).set('_modules', children);
}
