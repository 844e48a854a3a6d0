/** The class `torch.nn.Module` of one run, with the methods that source code calls. */
import { getAttribute } from '../python/attributes.ts';
import { PyClass, PyInstance } from '../python/classes.ts';
import { PyDict, PyIterator, PyList, PyTuple } from '../python/collections.ts';
import { raised, unsupported } from '../python/errors.ts';
import { call, NativeFunction } from '../python/functions.ts';
import type { Interpreter } from '../python/interpreter.ts';
import { noArguments, typeName, type PyValue } from '../python/object.ts';
import type { Bound } from '../python/signature.ts';
import { objectClass } from '../python/types.ts';
import { Given } from './arguments.ts';
import { PyDtype } from './dtypes.ts';
import {
  assignAttribute,
  initializeModule,
  isModule,
  moduleRoots,
  nonPersistent,
  registerBuffer,
  registerModule,
  registerParameter,
  store,
} from './module.ts';
import type { Session } from './session.ts';
import { PyTensor } from './tensor.ts';
import { buffersOf, children, modulesOf, parametersOf, type Named } from './tree.ts';

/** Methods that take time by the size of the tree. */
const walksTree = /parameters|buffers|modules|children|get_submodule|requires_grad_/;

type Method = (self: PyInstance, given: Given, bound: Bound, interpreter: Interpreter) => PyValue;

/** Methods of PyTorch's Module that would change what forward computes, or cannot be done here. */
const refused =
  'register_forward_hook register_forward_pre_hook register_full_backward_hook \
register_full_backward_pre_hook register_backward_hook register_state_dict_pre_hook \
register_load_state_dict_pre_hook register_load_state_dict_post_hook half double bfloat16 type \
to_empty share_memory compile load_state_dict state_dict xpu ipu get_extra_state';

export function moduleClass(session: Session): PyClass {
  const attributes = new Map<string, PyValue>();
  const cls = new PyClass('Module', [objectClass], { attributes });
  moduleRoots.add(cls);
  for (const [name, [signature, body]] of Object.entries(methods(session))) {
    attributes.set(
      name,
      new NativeFunction(name, signature === '' ? 'self' : `self, ${signature}`, (i, bound) => {
        const self = bound.values.get('self')!;
        if (!isModule(self)) throw raised('TypeError', `a ${typeName(self)} is not a Module`);
        if (walksTree.test(name)) i.step(modulesOf(self).length);
        return body(self, new Given(name, bound.values), bound, i);
      }),
    );
  }
  for (const name of refused.split(' ')) {
    const word = name.includes('hook') ? 'hooks are not supported' : 'is not supported';
    const refuse = (): never => {
      throw unsupported(`Module.${name}: ${word}`.replace(': is', ' is'));
    };
    attributes.set(name, new NativeFunction(name, '*args, **options', refuse));
  }
  return cls;
}

function iterator<T extends PyValue>(items: readonly Named<T>[], names: boolean): PyIterator {
  return new PyIterator(
    items.map(({ name, value }) => (names ? new PyTuple([name, value]) : value)),
    'generator',
  );
}

function methods(session: Session): Record<string, readonly [signature: string, body: Method]> {
  const self: Method = (module) => module;
  return {
    __init__: [
      '*args, **options',
      (module, _, bound) => {
        if (bound.rest.length > 0 || bound.keywords.size > 0) {
          throw raised('TypeError', `${module.typeName}.__init__() takes no arguments`);
        }
        initializeModule(module);
        return null;
      },
    ],
    __setattr__: [
      'name, value',
      (module, _, { values }, interpreter) => {
        const name = values.get('name') as string;
        assignAttribute(session, interpreter, module, name, values.get('value')!);
        return null;
      },
    ],
    __getattr__: ['name', (module, _, { values }) => find(module, values.get('name') as string)],
    __delattr__: [
      'name',
      (module, _, { values }) => {
        const name = values.get('name') as string;
        const isGone =
          store(module, '_parameters')?.delete(name) ||
          store(module, '_buffers')?.delete(name) ||
          store(module, '_modules')?.delete(name) ||
          module.attributes.delete(name);
        nonPersistent(module)?.delete(name);
        if (isGone) return null;
        throw raised('AttributeError', `"${module.typeName}" object has no attribute "${name}"`);
      },
    ],
    __call__: ['*args, **keywords', (module, _, bound, i) => callModule(session, i, module, bound)],
    forward: [
      '*args, **keywords',
      (module) => {
        throw raised('NotImplementedError', `class ${module.typeName} has no forward()`);
      },
    ],
    register_parameter: [
      'name, param',
      (module, given, { values }) => {
        registerParameter(module, name(given), values.get('param')!);
        return null;
      },
    ],
    register_buffer: [
      'name, tensor, persistent=True',
      (module, given, { values }) => {
        registerBuffer(module, name(given), values.get('tensor')!, given.bool('persistent'));
        return null;
      },
    ],
    register_module: ['name, module', (module, given) => addModule(module, given)],
    add_module: ['name, module', (module, given) => addModule(module, given)],
    parameters: [
      'recurse=True',
      (module, given) => iterator(own(module, parametersOf(module), given), false),
    ],
    named_parameters: [
      "prefix='', recurse=True",
      (module, given) => iterator(prefixed(own(module, parametersOf(module), given), given), true),
    ],
    buffers: [
      'recurse=True',
      (module, given) => iterator(own(module, buffersOf(module), given), false),
    ],
    named_buffers: [
      "prefix='', recurse=True",
      (module, given) => iterator(prefixed(own(module, buffersOf(module), given), given), true),
    ],
    children: ['', (module) => iterator(unique(children(module)), false)],
    named_children: ['', (module) => iterator(unique(children(module)), true)],
    modules: ['', (module) => iterator(modulesOf(module), false)],
    named_modules: [
      "memo=None, prefix=''",
      (module, given) => iterator(prefixed(modulesOf(module), given), true),
    ],
    get_submodule: [
      'target',
      (module, given) => {
        return submodule(module, given.value('target'));
      },
    ],
    set_submodule: [
      'target, module, strict=False',
      (module, given) => {
        const target = String(given.value('target'));
        const dot = target.lastIndexOf('.');
        if (given.bool('strict')) submodule(module, target);
        const parent = submodule(module, target.slice(0, Math.max(0, dot)));
        registerModule(parent, target.slice(dot + 1), given.value('module'));
        return null;
      },
    ],
    apply: ['fn', (module, given, _, interpreter) => apply(interpreter, module, given.value('fn'))],
    train: [
      'mode=True',
      (module, given, _, interpreter) => {
        session.buildOnly('Module.train');
        setTraining(interpreter, module, given.bool('mode'));
        return module;
      },
    ],
    eval: [
      '',
      (module, _, __, interpreter) => {
        session.buildOnly('Module.eval');
        return call(interpreter, getAttribute(interpreter, module, 'train'), {
          ...noArguments,
          positional: [false],
        });
      },
    ],
    requires_grad_: [
      'requires_grad=True',
      (module, given) => {
        session.buildOnly('Module.requires_grad_');
        for (const { value } of parametersOf(module))
          value.requiresGrad = given.bool('requires_grad');
        return module;
      },
    ],
    zero_grad: ['set_to_none=True', () => null],
    extra_repr: ['', () => ''],
    float: ['', self],
    cuda: ['device=None', self],
    cpu: ['', self],
    to: [
      '*args, device=None, dtype=None, non_blocking=False, memory_format=None',
      (module, _, { values, rest }) => {
        for (const value of [...rest, values.get('dtype')!]) {
          if (value instanceof PyDtype && value.dtype !== 'float32') {
            throw unsupported(`the conversion of a module to ${value.dtype} is not supported`);
          }
        }
        return module;
      },
    ],
  };
}

function name(given: Given): string {
  const value = given.value('name');
  if (typeof value === 'string') return value;
  throw raised('TypeError', `a name must be a str, not ${typeName(value)}`);
}

function submodule(module: PyInstance, target: PyValue): PyInstance {
  const parts = target === '' ? [] : String(target).split('.');
  return parts.reduce<PyInstance>((found, part) => {
    const child = store(found, '_modules')?.get(part);
    if (child !== undefined && isModule(child)) return child;
    throw raised('AttributeError', `there is no submodule "${String(target)}"`);
  }, module);
}

function addModule(module: PyInstance, given: Given): null {
  registerModule(module, name(given), given.value('module'));
  return null;
}

/** Attributes that live in the module's dicts. */
function find(module: PyInstance, name: string): PyValue {
  const value =
    store(module, '_parameters')?.get(name) ??
    store(module, '_buffers')?.get(name) ??
    store(module, '_modules')?.get(name);
  if (value !== undefined) return value;
  for (const kind of ['_parameters', '_buffers', '_modules'] as const) {
    if (store(module, kind)?.has(name)) return null;
  }
  throw raised('AttributeError', `"${module.typeName}" object has no attribute "${name}"`);
}

function own<T>(module: PyInstance, items: Named<T>[], given: Given): Named<T>[] {
  return given.bool('recurse') ? items : items.filter((item) => !item.name.includes('.'));
}

function prefixed<T>(items: readonly Named<T>[], given: Given): Named<T>[] {
  const prefix = given.value('prefix');
  if (prefix === '') return [...items];
  return items.map((item) => ({
    ...item,
    name: item.name === '' ? String(prefix) : `${String(prefix)}.${item.name}`,
  }));
}

/** `children()` names a module once. */
function unique(items: readonly Named<PyInstance>[]): Named<PyInstance>[] {
  return items.filter(
    ({ value }, index) => items.findIndex((item) => item.value === value) === index,
  );
}

function apply(interpreter: Interpreter, module: PyInstance, callee: PyValue): PyValue {
  interpreter.step();
  for (const child of unique(children(module))) apply(interpreter, child.value, callee);
  call(interpreter, callee, { ...noArguments, positional: [module] });
  return module;
}

/** Visiting a module takes about as long as this many steps. */
const stepsPerModule = 10;

/** `train(mode)`, which a class may override to keep some layers as they are. */
export function setTraining(interpreter: Interpreter, module: PyInstance, mode: boolean): void {
  interpreter.step(stepsPerModule);
  module.attributes.set('training', mode);
  for (const child of children(module)) {
    call(interpreter, getAttribute(interpreter, child.value, 'train'), {
      ...noArguments,
      positional: [mode],
    });
  }
}

/** The tensor itself, or those that stand in a tuple or list. */
export function tensorsIn(result: PyValue): PyTensor[] {
  const items = result instanceof PyTuple || result instanceof PyList ? result.items : [result];
  return items.filter((item) => item instanceof PyTensor);
}

/** Works out weights that depend on others; hooks of the user's own are refused when registered. */
function beforeCall(interpreter: Interpreter, module: PyInstance, { rest }: Bound): void {
  const hooks = module.attributes.get('_forward_pre_hooks');
  if (!(hooks instanceof PyDict)) return;
  for (const hook of hooks.values()) {
    call(interpreter, hook, { ...noArguments, positional: [module, new PyTuple(rest)] });
  }
}

/** Calling a module calls its forward; the graph's nodes remember which module that was. */
function callModule(
  session: Session,
  interpreter: Interpreter,
  module: PyInstance,
  bound: Bound,
): PyValue {
  session.calls.push(module);
  try {
    beforeCall(interpreter, module, bound);
    const forward = getAttribute(interpreter, module, 'forward');
    const given = { positional: bound.rest, keywords: bound.keywords };
    const result = call(interpreter, forward, given);
    session.tracer?.returned(module, tensorsIn(result));
    return result;
  } finally {
    session.calls.pop();
  }
}
