/** Modules: the files of the source and the libraries of the shim. */
import { raised } from './errors.ts';
import { NativeFunction, type NativeBody } from './functions.ts';
import { PyObject, Placeholder, type PyValue } from './object.ts';
import type { Interpreter } from './interpreter.ts';

/** Names that are made when they are first asked for: modules of a package, parts of a library. */
export interface Later {
  readonly names: readonly string[];
  get(name: string): PyValue | undefined;
}

export class PyModule extends PyObject {
  readonly typeName = 'module';
  readonly name: string;
  readonly names: Map<string, PyValue>;
  /** Of a library, a name that the shim lacks is a placeholder; of a file, there is no such name. */
  readonly isLibrary: boolean;
  readonly #later: Later | undefined;
  constructor(name: string, names: Map<string, PyValue>, isLibrary: boolean, later?: Later) {
    super();
    this.name = name;
    this.names = names;
    this.isLibrary = isLibrary;
    this.#later = later;
  }
  override getAttribute(_interpreter: Interpreter, name: string): PyValue | undefined {
    const value = this.isLibrary ? this.known(name) : this.names.get(name);
    if (value !== undefined) return value;
    if (name === '__name__') return this.name;
    if (name === '__doc__') return null;
    if (this.isLibrary) return new Placeholder(`${this.name}.${name}`);
    return this.#later?.get(name);
  }
  /** A name of the module; undefined where it has no such name. */
  known(name: string): PyValue | undefined {
    return this.names.get(name) ?? this.#later?.get(name);
  }
  /** What `from … import *` brings: every name without an underscore. */
  publicNames(): string[] {
    const names = new Set([...this.names.keys(), ...(this.#later?.names ?? [])]);
    return [...names].filter((name) => !name.startsWith('_'));
  }
  /** Files of the source may be told what their command line would have told them. */
  override setAttribute(interpreter: Interpreter, name: string, value: PyValue): void {
    if (this.isLibrary)
      throw raised('AttributeError', `"module" object has no attribute "${name}" to set`);
    interpreter.allocate(1);
    this.names.set(name, value);
  }
  override repr(): string {
    return `<module '${this.name}'>`;
  }
}

export type Functions = Readonly<Record<string, readonly [signature: string, body: NativeBody]>>;

/** A library module of functions and other values. */
export function library(
  name: string,
  functions: Functions,
  values: Iterable<readonly [string, PyValue]> = [],
): PyModule {
  const names = new Map<string, PyValue>(values);
  for (const [key, [signature, body]] of Object.entries(functions)) {
    names.set(key, new NativeFunction(`${name}.${key}`, signature, body));
  }
  return new PyModule(name, names, true);
}
