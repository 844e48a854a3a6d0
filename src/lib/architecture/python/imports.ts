/**
 * `import` and `from … import`. A module is one of the shim's libraries, another file of the
 * source, or unknown: then the name stands for something that is an error when used.
 */
import type { Alias, StmtNode } from 'py-ast';
import { PyList, PyTuple } from './collections.ts';
import { raised } from './errors.ts';
import { NativeFunction } from './functions.ts';
import type { Interpreter } from './interpreter.ts';
import { PyModule } from './modules.ts';
import { Placeholder, type PyValue } from './object.ts';
import type { Scope } from './scope.ts';

/** Functions of well-known packages that compute nothing, by the name they are imported as. */
function harmless(name: string): PyValue | undefined {
  // torchvision counts the use of its models.
  if (name !== '_log_api_usage_once') return undefined;
  return new NativeFunction(name, 'obj', () => null);
}

export function importModule(interpreter: Interpreter, alias: Alias, scope: Scope): void {
  const module = find(interpreter, alias.name);
  // `import a.b` binds `a`.
  const top = alias.name.split('.')[0]!;
  if (alias.asname) scope.assign(alias.asname, module);
  else scope.assign(top, top === alias.name ? module : find(interpreter, top));
}

export function importFrom(
  interpreter: Interpreter,
  node: Extract<StmtNode, { nodeType: 'ImportFrom' }>,
  scope: Scope,
): void {
  const path = node.module ?? '';
  if (path === '__future__') return;
  const level = node.level ?? 0;
  const module = find(interpreter, path, level);
  for (const alias of node.names) {
    if (alias.name === '*') {
      importAll(interpreter, module, path, scope);
      continue;
    }
    scope.assign(alias.asname ?? alias.name, member(interpreter, module, path, level, alias.name));
  }
}

/** A name of a module: what the module binds, or a module within it. */
function member(
  interpreter: Interpreter,
  module: PyValue,
  path: string,
  level: number,
  name: string,
): PyValue {
  if (module instanceof Placeholder)
    return harmless(name) ?? module.getAttribute(interpreter, name);
  const dotted = path === '' ? name : `${path}.${name}`;
  const submodule = level === 0 ? library(interpreter, dotted) : undefined;
  if (submodule !== undefined) return submodule;
  const value = module instanceof PyModule ? module.getAttribute(interpreter, name) : undefined;
  if (value !== undefined) return value;
  throw raised('ImportError', `the name "${name}" is not in ${path || 'this package'}`);
}

/** `__all__` where the module has it, else every name without an underscore. */
function importAll(interpreter: Interpreter, module: PyValue, path: string, scope: Scope): void {
  if (!(module instanceof PyModule)) {
    scope.missingStars.push(path);
    return;
  }
  interpreter.allocate(module.names.size);
  const listed = module.names.get('__all__');
  if (listed instanceof PyList || listed instanceof PyTuple) {
    for (const name of listed.items) {
      const value = typeof name === 'string' && module.getAttribute(interpreter, name);
      if (typeof name !== 'string' || value === undefined) {
        throw raised('AttributeError', `${path} has no "${String(name)}", which its __all__ names`);
      }
      scope.assign(name, value as PyValue);
    }
    return;
  }
  for (const name of module.publicNames()) scope.assign(name, module.known(name)!);
}

function library(interpreter: Interpreter, path: string): PyValue | undefined {
  return interpreter.environment.libraries.get(path);
}

function find(interpreter: Interpreter, path: string, level = 0): PyValue {
  const { libraries, loadFile } = interpreter.environment;
  const top = path.split('.')[0]!;
  if (level === 0) {
    const known =
      libraries.get(path) ?? (libraries.has(top) ? attributePath(interpreter, path) : undefined);
    if (known !== undefined) return known;
  }
  const file = loadFile(path, level, interpreter.frame.file);
  if (file !== undefined) return file;
  if (interpreter.guardedImports > 0 && !libraries.has(top)) {
    throw raised('ModuleNotFoundError', `there is no module ${path} here`);
  }
  return libraries.has(top)
    ? new Placeholder(path)
    : new Placeholder(
        path || '.',
        null,
        'is imported, but is neither among the files nor known here',
      );
}

/** A library within a library that has no entry of its own: `torch.nn.modules.conv`. */
function attributePath(interpreter: Interpreter, path: string): PyValue | undefined {
  const [top, ...rest] = path.split('.');
  let value = library(interpreter, top!);
  for (const name of rest) {
    if (!(value instanceof PyModule)) return undefined;
    value = value.getAttribute(interpreter, name);
  }
  return value instanceof PyModule ? value : undefined;
}
