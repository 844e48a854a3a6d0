/**
 * The code of a TorchScript archive: files of plain Python below `__torch__`, in which classes and
 * functions have names by their places. A file is read when something in it is first used. Of a
 * class, methods and constants count; what it says of its attributes, data.pkl says better.
 */
import type { StmtNode } from 'py-ast';
import { PyClass } from '../python/classes.ts';
import { PyTuple } from '../python/collections.ts';
import { unsupported } from '../python/errors.ts';
import { evaluate } from '../python/expressions.ts';
import { PyFunction } from '../python/functions.ts';
import type { Interpreter } from '../python/interpreter.ts';
import { Placeholder, PyObject, type CallArguments, type PyValue } from '../python/object.ts';
import { parseFile, type ParsedFile } from '../python/parse.ts';
import { Scope } from '../python/scope.ts';
import { signatureOf } from '../python/signature.ts';
import { objectClass } from '../python/types.ts';
import { isModule } from '../torch/module.ts';
import { tensorsIn } from '../torch/module_class.ts';
import type { Session } from '../torch/session.ts';

/** Files by their dotted names, parsed once however often the model is traced. */
export class ScriptFiles {
  readonly #texts = new Map<string, string>();
  readonly #parsed = new Map<string, ParsedFile>();

  constructor(files: ReadonlyMap<string, string>) {
    for (const [path, text] of files) {
      this.#texts.set(path.replace(/\.py$/, '').replaceAll('/', '.'), text);
    }
  }

  /** Whether there is such a file, or one below it. */
  has(name: string): boolean {
    return (
      this.#texts.has(name) || [...this.#texts.keys()].some((key) => key.startsWith(`${name}.`))
    );
  }

  get(name: string): ParsedFile | undefined {
    const text = this.#texts.get(name);
    if (text === undefined) return undefined;
    let parsed = this.#parsed.get(name);
    if (!parsed) {
      parsed = parseFile(`${name.replaceAll('.', '/')}.py`, text);
      this.#parsed.set(name, parsed);
    }
    return parsed;
  }
}

type FunctionNode = Extract<StmtNode, { nodeType: 'FunctionDef' }>;
type ClassNode = Extract<StmtNode, { nodeType: 'ClassDef' }>;

/** A function of the code. Of a module's method, the trace learns whose it is. */
class ScriptFunction extends PyFunction {
  readonly #session: Session;
  constructor(
    session: Session,
    node: FunctionNode,
    file: string,
    scope: Scope,
    interpreter: Interpreter,
  ) {
    super({
      name: node.name,
      file,
      line: node.lineno ?? 0,
      signature: signatureOf(node.args, (part) => evaluate(interpreter, part, scope)),
      body: node.body,
      closure: scope,
    });
    this.#session = session;
  }
  override call(interpreter: Interpreter, args: CallArguments): PyValue {
    const [self] = args.positional;
    if (self === undefined || !isModule(self)) return super.call(interpreter, args);
    this.#session.calls.push(self);
    try {
      const result = super.call(interpreter, args);
      if (this.name === 'forward') this.#session.tracer?.returned(self, tensorsIn(result));
      return result;
    } finally {
      this.#session.calls.pop();
    }
  }
}

/** A tuple whose items have names. */
class NamedTuple extends PyTuple {
  readonly #names: readonly string[];
  constructor(items: readonly PyValue[], names: readonly string[]) {
    super(items);
    this.#names = names;
  }
  override getAttribute(interpreter: Interpreter, name: string): PyValue | undefined {
    const at = this.#names.indexOf(name);
    return at < 0 ? super.getAttribute(interpreter, name) : this.items[at];
  }
}

/** The classes and functions of one run, made as they are asked for. */
export class ScriptCode {
  readonly #files: ScriptFiles;
  readonly #session: Session;
  readonly #moduleClass: PyClass;
  readonly #builtins: Scope;
  readonly #loaded = new Map<string, Scope>();

  constructor(files: ScriptFiles, session: Session, moduleClass: PyClass, builtins: Scope) {
    this.#files = files;
    this.#session = session;
    this.#moduleClass = moduleClass;
    this.#builtins = builtins;
  }

  /** `__torch__` and what lies below it. */
  get root(): PyValue {
    return new ScriptPackage(this, '__torch__');
  }

  /** A class or function by its place, or a package. */
  find(path: string, name: string): PyValue | undefined {
    const found = this.#load(path)?.names.get(name);
    if (found !== undefined) return found;
    const below = `${path}.${name}`;
    return this.#files.has(below) ? new ScriptPackage(this, below) : undefined;
  }

  #load(path: string): Scope | undefined {
    const known = this.#loaded.get(path);
    if (known) return known;
    const file = this.#files.get(path);
    if (!file) return undefined;
    const scope = new Scope('module', this.#builtins);
    this.#loaded.set(path, scope);
    const { interpreter } = this.#session;
    const frame = { file: file.name, line: 1, scope, self: undefined };
    interpreter.within(frame, () => {
      for (const node of file.body) {
        interpreter.frame.line = node.lineno ?? 1;
        if (node.nodeType === 'FunctionDef') scope.assign(node.name, this.#function(node, scope));
        else if (node.nodeType === 'ClassDef') scope.assign(node.name, this.#class(node, scope));
        else
          throw unsupported(`the statement ${node.nodeType} outside of a class is not supported`);
      }
    });
    return scope;
  }

  #function(node: FunctionNode, scope: Scope): PyValue {
    const { interpreter } = this.#session;
    return new ScriptFunction(this.#session, node, interpreter.frame.file, scope, interpreter);
  }

  #class(node: ClassNode, scope: Scope): PyValue {
    const { interpreter } = this.#session;
    const base = node.bases[0]?.nodeType === 'Name' ? node.bases[0].id : 'object';
    const origin = { file: interpreter.frame.file, line: node.lineno ?? 0 };
    if (base === 'NamedTuple') return this.#namedTuple(node, origin);
    if (base !== 'object' && base !== 'Module') {
      return new Placeholder(node.name, `classes of the kind ${base} are not supported`);
    }
    const attributes = new Map<string, PyValue>();
    for (const statement of node.body) {
      interpreter.frame.line = statement.lineno ?? interpreter.frame.line;
      if (statement.nodeType === 'FunctionDef') {
        attributes.set(statement.name, this.#function(statement, scope));
      } else if (
        statement.nodeType === 'AnnAssign' &&
        statement.value &&
        statement.target.nodeType === 'Name'
      ) {
        attributes.set(statement.target.id, evaluate(interpreter, statement.value, scope));
      }
    }
    const bases = [base === 'Module' ? this.#moduleClass : objectClass];
    return new PyClass(node.name, bases, { attributes, origin });
  }

  #namedTuple(node: ClassNode, origin: PyClass['origin'] & object): PyValue {
    const names = node.body.flatMap((statement) =>
      statement.nodeType === 'AnnAssign' && statement.target.nodeType === 'Name'
        ? [statement.target.id]
        : [],
    );
    return new PyClass(node.name, [objectClass], {
      origin,
      final: true,
      construct: (_, __, { positional }) => new NamedTuple(positional, names),
    });
  }
}

class ScriptPackage extends PyObject {
  readonly typeName = 'module';
  readonly #code: ScriptCode;
  readonly #path: string;
  constructor(code: ScriptCode, path: string) {
    super();
    this.#code = code;
    this.#path = path;
  }
  override getAttribute(_: Interpreter, name: string): PyValue | undefined {
    return this.#code.find(this.#path, name);
  }
}
