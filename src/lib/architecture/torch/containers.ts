/** Modules that hold modules: Sequential, ModuleList, ModuleDict. */
import { PyClass, PyInstance } from '../python/classes.ts';
import { collect } from '../python/collect.ts';
import { PyDict, PyIterator, PyList, PySlice, PyTuple } from '../python/collections.ts';
import { raised } from '../python/errors.ts';
import { call, NativeFunction } from '../python/functions.ts';
import { indexOf, integer, sliceIndices } from '../python/indexing.ts';
import type { Interpreter } from '../python/interpreter.ts';
import { noArguments, typeName, usable, type PyValue } from '../python/object.ts';
import { repr } from '../python/operators.ts';
import { initializeModule, isModule, registerModule, store } from './module.ts';
import type { Bound } from '../python/signature.ts';

type Method = (self: PyInstance, bound: Bound, interpreter: Interpreter) => PyValue;
type Methods = Readonly<Record<string, readonly [signature: string, body: Method]>>;

export function containerClasses(module: PyClass): Map<string, PyClass> {
  const sequential = container('Sequential', module, sequentialMethods);
  const list = container('ModuleList', module, listMethods);
  const dict = container('ModuleDict', module, dictMethods);
  return new Map([sequential, list, dict].map((cls) => [cls.name, cls]));
}

function container(name: string, module: PyClass, methods: Methods): PyClass {
  const attributes = new Map<string, PyValue>();
  for (const [key, [signature, body]] of Object.entries(methods)) {
    const all = signature === '' ? 'self' : `self, ${signature}`;
    const run = new NativeFunction(key === '__init__' ? name : key, all, (interpreter, bound) => {
      const self = bound.values.get('self')!;
      if (!isModule(self)) throw raised('TypeError', `a ${typeName(self)} is not a Module`);
      interpreter.step((store(self, '_modules')?.size ?? 0) / 16);
      return body(self, bound, interpreter);
    });
    attributes.set(key, run);
  }
  return new PyClass(name, [module], { attributes });
}

function held(self: PyInstance): PyDict {
  const modules = store(self, '_modules');
  if (modules) return modules;
  throw raised('AttributeError', `${self.typeName}.__init__() was not called`);
}

/** Appends under the next number. */
function append(self: PyInstance, value: PyValue): void {
  registerModule(self, String(held(self).size), usable(value));
}

function extend(interpreter: Interpreter, self: PyInstance, values: PyValue): void {
  for (const value of collect(interpreter, values)) append(self, value);
}

/** Renames what follows, as inserting and deleting do. */
function refill(self: PyInstance, modules: readonly PyValue[]): void {
  held(self).clear();
  for (const module of modules) append(self, module);
}

/** A container of the same class with some of the modules. */
function select(interpreter: Interpreter, self: PyInstance, slice: PySlice): PyValue {
  const entries = held(self).entries();
  const chosen = sliceIndices(slice, entries.length).map((index) => entries[index]!);
  // PyTorch keeps the names in a sliced Sequential and numbers a sliced ModuleList anew.
  const isList = self.class.mro.some(({ name }) => name === 'ModuleList');
  const modules = isList
    ? new PyList(chosen.map(([, module]) => module))
    : new PyDict(chosen, 'OrderedDict');
  return call(interpreter, self.class, { ...noArguments, positional: [modules] });
}

function getItem(self: PyInstance, bound: Bound, interpreter: Interpreter): PyValue {
  const key = bound.values.get('index')!;
  if (key instanceof PySlice) return select(interpreter, self, key);
  const values = held(self).values();
  return values[indexOf(key, values.length, self.typeName)]!;
}

function setItem(self: PyInstance, { values }: Bound): PyValue {
  const keys = held(self).keys();
  const key = keys[indexOf(values.get('index')!, keys.length, self.typeName)];
  registerModule(self, String(key), usable(values.get('module')!));
  return null;
}

const sequence: Methods = {
  __len__: ['', (self) => BigInt(held(self).size)],
  __iter__: ['', (self) => new PyIterator(held(self).values())],
  __getitem__: ['index', getItem],
  __setitem__: ['index, module', setItem],
  append: [
    'module',
    (self, { values }) => {
      append(self, values.get('module')!);
      return self;
    },
  ],
  extend: [
    'modules',
    (self, { values }, interpreter) => {
      extend(interpreter, self, values.get('modules')!);
      return self;
    },
  ],
  insert: [
    'index, module',
    (self, { values }) => {
      const modules = held(self).values();
      const at = Number(integer(values.get('index')!, 'the index'));
      modules.splice(at, 0, values.get('module')!);
      refill(self, modules);
      return self;
    },
  ],
};

function deleteItem(self: PyInstance, bound: Bound): PyValue {
  const entries = held(self).entries();
  const key = bound.values.get('index')!;
  const gone = new Set(
    key instanceof PySlice
      ? sliceIndices(key, entries.length)
      : [indexOf(key, entries.length, self.typeName)],
  );
  refill(
    self,
    entries.filter((_, index) => !gone.has(index)).map(([, module]) => module),
  );
  return null;
}

const sequentialMethods: Methods = {
  ...sequence,
  __init__: [
    '*args',
    (self, { rest }) => {
      initializeModule(self);
      const [first] = rest;
      if (rest.length === 1 && first instanceof PyDict) {
        if (first.typeName !== 'OrderedDict') {
          throw raised('TypeError', 'Sequential: a dict is not a Module; it takes an OrderedDict');
        }
        for (const [name, module] of first.entries()) {
          if (typeof name !== 'string') throw raised('TypeError', 'Sequential: names must be str');
          registerModule(self, name, usable(module));
        }
      } else {
        for (const module of rest) append(self, module);
      }
      return null;
    },
  ],
  __delitem__: ['index', deleteItem],
  forward: [
    'input',
    (self, { values }, interpreter) => {
      let value: PyValue = values.get('input')!;
      for (const module of held(self).values()) {
        value = call(interpreter, module, { ...noArguments, positional: [value] });
      }
      return value;
    },
  ],
};

const listMethods: Methods = {
  ...sequence,
  __init__: [
    'modules=None',
    (self, { values }, interpreter) => {
      initializeModule(self);
      if (values.get('modules') !== null) extend(interpreter, self, values.get('modules')!);
      return null;
    },
  ],
  __delitem__: ['index', deleteItem],
  __iadd__: [
    'modules',
    (self, { values }, interpreter) => {
      extend(interpreter, self, values.get('modules')!);
      return self;
    },
  ],
};

function update(interpreter: Interpreter, self: PyInstance, modules: PyValue): void {
  const pairs =
    modules instanceof PyDict
      ? modules.entries()
      : collect(interpreter, modules).map((pair) => collect(interpreter, pair));
  for (const [name, module] of pairs) {
    if (typeof name !== 'string' || module === undefined) {
      throw raised('TypeError', 'ModuleDict: names must be str');
    }
    registerModule(self, name, usable(module));
  }
}

const dictMethods: Methods = {
  __init__: [
    'modules=None',
    (self, { values }, interpreter) => {
      initializeModule(self);
      if (values.get('modules') !== null) update(interpreter, self, values.get('modules')!);
      return null;
    },
  ],
  __len__: ['', (self) => BigInt(held(self).size)],
  __iter__: ['', (self) => new PyIterator(held(self).keys())],
  __contains__: ['key', (self, { values }) => held(self).has(values.get('key')!)],
  __getitem__: [
    'key',
    (self, { values }, interpreter) => {
      const module = held(self).get(values.get('key')!);
      if (module !== undefined) return module;
      throw raised('KeyError', `no module ${repr(interpreter, values.get('key')!)}`);
    },
  ],
  __setitem__: [
    'key, module',
    (self, { values }, interpreter) => {
      const pair = new PyTuple([values.get('key')!, values.get('module')!]);
      update(interpreter, self, new PyList([pair]));
      return null;
    },
  ],
  keys: ['', (self) => new PyList(held(self).keys())],
  values: ['', (self) => new PyList(held(self).values())],
  items: [
    '',
    (self) =>
      new PyList(
        held(self)
          .entries()
          .map((entry) => new PyTuple(entry)),
      ),
  ],
  update: [
    'modules',
    (self, { values }, interpreter) => {
      update(interpreter, self, values.get('modules')!);
      return null;
    },
  ],
};
