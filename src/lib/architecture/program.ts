/**
 * One run of a source: its files are executed from top to bottom in a fresh interpreter. What a
 * statement at the top level cannot do is a warning, and the names it would have bound cannot be
 * used; training scripts and notebooks carry much that the model itself does not need.
 */
import { walk, type StmtNode } from 'py-ast';
import type { Finding } from '#lib/checkpoint/finding.ts';
import { boundNames } from './python/assign.ts';
import { builtinScope } from './python/builtins.ts';
import { explain, pythonFinding, PythonError, Refusal } from './python/errors.ts';
import { Interpreter } from './python/interpreter.ts';
import { maxImportDepth, maxWarnings } from './python/limits.ts';
import { standardLibraries } from './python/libraries.ts';
import { PyModule } from './python/modules.ts';
import { Placeholder, type PyValue } from './python/object.ts';
import type { ParsedFile } from './python/parse.ts';
import { Scope } from './python/scope.ts';
import { execute } from './python/statements.ts';
import { builtinType, objectClass } from './python/types.ts';
import { createTorch } from './torch/namespace.ts';
import { modulePath, SourceTree, type Located } from './source_tree.ts';
import { Session } from './torch/session.ts';
import type { TensorProtocol } from './torch/tensor.ts';

export interface Program {
  readonly interpreter: Interpreter;
  readonly session: Session;
  /** What a new tensor has to be given. */
  readonly tensors: { readonly session: Session; readonly protocol: TensorProtocol };
  /** Global names of every file that was run, by file name. */
  readonly globals: ReadonlyMap<string, Scope>;
  readonly warnings: readonly Finding[];
}

/**
 * Runs the files that `entries` names, or all, and those that they import. Only a spent budget ends
 * the run early.
 */
export function runProgram(files: readonly ParsedFile[], entries?: readonly string[]): Program {
  const session = new Session();
  const torch = createTorch(session);
  const builtins = builtinScope();
  const globals = new Map<string, Scope>();
  const modules = new Map<string, PyModule>();
  const warnings: Finding[] = [];
  const tree = new SourceTree(files);
  /** Files that import one another and are under way. */
  let nested = 0;

  const load = ({ path, file }: Located): PyModule => {
    const known = modules.get(path);
    if (known) return known;
    const scope = new Scope('module', builtins);
    const module = new PyModule(path, scope.names, false, {
      // `import *` brings what the package itself binds.
      names: [],
      get(name) {
        const within = tree.at(`${path}.${name}`);
        return within && load(within);
      },
    });
    modules.set(path, module);
    scope.names.set('__name__', path);
    if (file) {
      scope.names.set('__file__', file.name);
      globals.set(file.name, scope);
      // A `try: import x` says nothing of the imports within x.
      const guards = interpreter.guardedImports;
      interpreter.guardedImports = 0;
      if (++nested > maxImportDepth) {
        throw new Refusal('python-budget', `more than ${maxImportDepth} imports are nested`);
      }
      runFile(interpreter, file, scope, warnings);
      nested--;
      interpreter.guardedImports = guards;
    }
    return module;
  };

  const interpreter = new Interpreter({
    builtins,
    objectClass,
    classOf: builtinType,
    libraries: new Map([...standardLibraries(), ...torch.libraries]),
    loadFile: (path, level, from) => {
      const found = level > 0 ? tree.relative(from, level, path) : tree.absolute(from, path);
      return found && load(found);
    },
  });
  session.interpreter = interpreter;
  for (const file of files) {
    if (!entries || entries.includes(file.name)) load({ path: modulePath(file.name), file });
  }
  const tensors = { session, protocol: torch.protocol };
  return { interpreter, session, tensors, globals, warnings };
}

function runFile(
  interpreter: Interpreter,
  file: ParsedFile,
  scope: Scope,
  warnings: Finding[],
): void {
  for (const statement of file.body) {
    const frame = { file: file.name, line: statement.lineno ?? 0, scope, self: undefined };
    try {
      interpreter.within(frame, () => execute(interpreter, statement, scope));
    } catch (error) {
      if (!(error instanceof PythonError) || error.code === 'python-budget') throw error;
      if (warnings.length >= maxWarnings) {
        const where = `${file.name} line ${statement.lineno}`;
        const message = `more than ${maxWarnings} statements at the top level cannot be run`;
        throw new Refusal('python-budget', message, where);
      }
      warnings.push(pythonFinding(error, 'warning'));
      spoil(statement, scope, explain(error));
    }
  }
}

/** Methods that change the object they are called on. */
const mutators =
  /^(append|extend|insert|pop|remove|clear|update|setdefault|add_module|register_\w+|__\w+__)$/;

/** Makes unavailable what a failed statement would have bound or may have changed halfway. */
function spoil(statement: StmtNode, scope: Scope, reason: string): void {
  const names = new Set<string>();
  for (const node of walk(statement)) {
    switch (node.nodeType) {
      case 'FunctionDef':
      case 'ClassDef':
        names.add(node.name);
        break;
      case 'Name':
        if (node.ctx.nodeType !== 'Load') names.add(node.id);
        break;
      case 'Attribute':
      case 'Subscript':
        if (node.ctx.nodeType !== 'Load') addRoot(node, names);
        break;
      case 'Call':
        if (node.func.nodeType === 'Attribute' && mutators.test(node.func.attr)) {
          addRoot(node.func, names);
        } else if (node.func.nodeType === 'Name' && /^(set|del)attr$/.test(node.func.id)) {
          if (node.args[0]) addRoot(node.args[0], names);
        }
        break;
      default:
        break;
    }
  }
  if (statement.nodeType === 'FunctionDef' || statement.nodeType === 'ClassDef') {
    names.clear();
    names.add(statement.name);
  }
  const spoilt = new Set([...names].map((name) => scope.names.get(name)));
  for (const [name, value] of scope.names) {
    if (typeof value === 'object' && value !== null && spoilt.has(value)) names.add(name);
  }
  for (const name of names) scope.names.set(name, new Placeholder(name, reason));
}

/** The name at the start of `model.features[0].weight`. */
function addRoot(node: Parameters<typeof boundNames>[0], names: Set<string>): void {
  let root = node;
  while (root.nodeType === 'Attribute' || root.nodeType === 'Subscript') root = root.value;
  if (root.nodeType === 'Call') addRoot(root.func, names);
  else for (const name of boundNames(root)) names.add(name);
}

/** The value of a global name. */
export function globalValue(program: Program, file: string, name: string): PyValue | undefined {
  return program.globals.get(file)?.names.get(name);
}
