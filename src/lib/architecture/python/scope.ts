/** Names and their values at one place of the source. */
import type { ExprNode } from 'py-ast';
import { raised, unsupported } from './errors.ts';
import type { PyValue } from './object.ts';

export class Scope {
  readonly names = new Map<string, PyValue>();
  readonly kind: 'builtins' | 'module' | 'class' | 'function' | 'comprehension';
  readonly parent: Scope | null;
  /** A class's annotated names in order, which make the fields of a dataclass. */
  readonly annotations = new Map<string, ExprNode>();
  /** Modules that were not found and of which all names were imported. */
  readonly missingStars: string[] = [];
  /** Names that `global` and `nonlocal` send elsewhere. */
  readonly #elsewhere = new Map<string, Scope>();

  constructor(kind: Scope['kind'], parent: Scope | null) {
    this.kind = kind;
    this.parent = parent;
  }

  lookup(name: string, missing?: string): PyValue {
    const value = this.names.get(name);
    if (value !== undefined) return value;
    if (this.parent) return this.parent.lookup(name, this.missingStars[0] ?? missing);
    if (missing !== undefined) {
      throw unsupported(`${name} may come from ${missing}, which is not among the files`);
    }
    throw raised('NameError', `name "${name}" is not defined`);
  }

  assign(name: string, value: PyValue): void {
    (this.#elsewhere.get(name) ?? this).names.set(name, value);
  }

  delete(name: string): void {
    if (!(this.#elsewhere.get(name) ?? this).names.delete(name)) {
      throw raised('NameError', `name "${name}" is not defined`);
    }
  }

  declareGlobal(name: string): void {
    this.#elsewhere.set(name, this.#module);
  }

  /** `__name__` of the file. */
  get moduleName(): PyValue {
    return this.#module.names.get('__name__') ?? null;
  }

  get #module(): Scope {
    return this.kind === 'module' || this.parent === null ? this : this.parent.#module;
  }

  declareNonlocal(name: string): void {
    for (let scope = this.parent; scope !== null; scope = scope.parent) {
      if (scope.kind !== 'function' || !scope.names.has(name)) continue;
      this.#elsewhere.set(name, scope);
      return;
    }
    throw raised('SyntaxError', `no binding for nonlocal "${name}" found`);
  }

  /** Where `:=` binds. */
  get outsideComprehension(): Scope {
    return this.kind === 'comprehension' ? this.parent!.outsideComprehension : this;
  }

  /** What a function defined here closes over: a class's names are not visible in its methods. */
  get closure(): Scope {
    return this.kind === 'class' ? this.parent! : this;
  }
}
