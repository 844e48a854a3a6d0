/** Modules: the files of the source and the libraries of the shim. */
import { PyObject, Placeholder, type PyValue } from './object.ts';
import type { Interpreter } from './interpreter.ts';

export class PyModule extends PyObject {
  readonly typeName = 'module';
  readonly name: string;
  readonly names: Map<string, PyValue>;
  /** Of a library, a name that the shim lacks is a placeholder; of a file, there is no such name. */
  readonly isLibrary: boolean;
  constructor(name: string, names: Map<string, PyValue>, isLibrary: boolean) {
    super();
    this.name = name;
    this.names = names;
    this.isLibrary = isLibrary;
  }
  override getAttribute(_interpreter: Interpreter, name: string): PyValue | undefined {
    const value = this.names.get(name);
    if (value !== undefined) return value;
    if (name === '__name__') return this.name;
    return this.isLibrary ? new Placeholder(`${this.name}.${name}`) : undefined;
  }
  override repr(): string {
    return `<module '${this.name}'>`;
  }
}
