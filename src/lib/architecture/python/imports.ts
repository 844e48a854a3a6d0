/**
 * `import` and `from … import`. A module is one of the shim's libraries, another file of the
 * source, or unknown: then the name stands for something that is an error when used.
 */
import type { Alias, StmtNode } from 'py-ast';
import { raised, unsupported } from './errors.ts';
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
  if (alias.asname) {
    scope.assign(alias.asname, find(interpreter, alias.name));
    return;
  }
  // `import a.b` binds `a`.
  const top = alias.name.split('.')[0]!;
  scope.assign(top, find(interpreter, top));
}

export function importFrom(
  interpreter: Interpreter,
  node: Extract<StmtNode, { nodeType: 'ImportFrom' }>,
  scope: Scope,
): void {
  const path = node.module ?? '';
  if (path === '__future__') return;
  const isRelative = (node.level ?? 0) > 0;
  if (path === '') {
    // `from . import blocks` names files.
    for (const alias of node.names) {
      scope.assign(alias.asname ?? alias.name, find(interpreter, alias.name, true));
    }
    return;
  }
  const module = find(interpreter, path, isRelative);
  for (const alias of node.names) {
    if (alias.name === '*') {
      importAll(module, path, scope);
      continue;
    }
    const submodule = isRelative ? undefined : library(interpreter, `${path}.${alias.name}`);
    const value =
      submodule ??
      (module instanceof Placeholder ? harmless(alias.name) : undefined) ??
      (module instanceof PyModule || module instanceof Placeholder
        ? module.getAttribute(interpreter, alias.name)
        : undefined);
    if (value === undefined) {
      throw raised('ImportError', `the name "${alias.name}" is not in ${path}`);
    }
    scope.assign(alias.asname ?? alias.name, value);
  }
}

function importAll(module: PyValue, path: string, scope: Scope): void {
  if (!(module instanceof PyModule)) {
    throw unsupported(`"from ${path} import *" is not supported: there is no such file here`);
  }
  for (const [name, value] of module.names) {
    if (!name.startsWith('_')) scope.assign(name, value);
  }
}

function library(interpreter: Interpreter, path: string): PyValue | undefined {
  return interpreter.environment.libraries.get(path);
}

function find(interpreter: Interpreter, path: string, isRelative = false): PyValue {
  const known =
    (isRelative ? undefined : library(interpreter, path)) ??
    interpreter.environment.loadSibling(path);
  if (known !== undefined) return known;
  const top = path.split('.')[0]!;
  const isKnownLibrary = library(interpreter, top) !== undefined;
  if (interpreter.guardedImports > 0 && !isKnownLibrary) {
    throw raised('ModuleNotFoundError', `there is no module ${path} here`);
  }
  return new Placeholder(path);
}
