/** Modules: the files of the source and the libraries of the shim. */
import { raised } from './errors.ts';
import { NativeFunction, type NativeBody } from './functions.ts';
import { PyObject, Placeholder, type PyValue } from './object.ts';
import type { Interpreter } from './interpreter.ts';

export class PyModule extends PyObject {
  readonly typeName = 'module';
  readonly name: string;
  readonly names: Map<string, PyValue>;
  /** Of a library, a name that the shim lacks is a placeholder; of a file, there is no such name. */
  readonly isLibrary: boolean;
  /** A module within this package, run when it is first asked for. */
  readonly #submodule: ((name: string) => PyValue | undefined) | undefined;
  constructor(
    name: string,
    names: Map<string, PyValue>,
    isLibrary: boolean,
    submodule?: (name: string) => PyValue | undefined,
  ) {
    super();
    this.name = name;
    this.names = names;
    this.isLibrary = isLibrary;
    this.#submodule = submodule;
  }
  override getAttribute(_interpreter: Interpreter, name: string): PyValue | undefined {
    const value = this.names.get(name);
    if (value !== undefined) return value;
    if (name === '__name__') return this.name;
    if (name === '__doc__') return null;
    if (this.isLibrary) return new Placeholder(`${this.name}.${name}`);
    return this.#submodule?.(name);
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
