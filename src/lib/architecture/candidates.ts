/** What a source offers to build: classes, module-level instances, and functions that return one. */
import { unparse, walk, type Arguments, type ExprNode, type StmtNode } from 'py-ast';
import type { Argument, Candidate } from './source.ts';
import { globalValue, type Program } from './program.ts';
import type { PyClass } from './python/classes.ts';
import { floatRepr, stringRepr } from './python/format.ts';
import { PyFunction } from './python/functions.ts';
import { PyModule } from './python/modules.ts';
import type { PyValue } from './python/object.ts';
import { segment, type ParsedFile } from './python/parse.ts';
import { isModule, isModuleClass } from './torch/module.ts';

type FunctionNode = Extract<StmtNode, { nodeType: 'FunctionDef' }>;
type ClassNode = Extract<StmtNode, { nodeType: 'ClassDef' }>;

/**
 * Every candidate, the likeliest first: finished instances, then classes that no other class uses,
 * then functions; what is easier to build comes first.
 */
export function findCandidates(program: Program, files: readonly ParsedFile[]): Candidate[] {
  const classes = new Map<string, ClassSource>();
  for (const file of files) {
    for (const node of file.body) {
      if (node.nodeType === 'ClassDef') classes.set(node.name, { node, file });
    }
  }
  const used = namesUsedInClasses(classes);
  const makers = modelMakers(program, files);
  const ranked = files.flatMap((file) =>
    candidatesOf(program, file, classes, makers).map((candidate) => ({
      candidate,
      rank: rank(candidate, used.has(candidate.name)),
    })),
  );
  return ranked.toSorted((a, b) => a.rank - b.rank).map(({ candidate }) => candidate);
}

function rank(candidate: Candidate, isUsed: boolean): number {
  if (candidate.kind === 'instance') return 0;
  const isReady = candidate.arguments.every(({ default: value }) => value !== undefined);
  if (isUsed) return 5;
  if (candidate.kind === 'class') return isReady ? 1 : 3;
  return isReady ? 2 : 4;
}

function candidatesOf(
  program: Program,
  file: ParsedFile,
  classes: ReadonlyMap<string, ClassSource>,
  makers: ReadonlySet<PyValue>,
): Candidate[] {
  const globals = program.globals.get(file.name)?.names ?? new Map<string, never>();
  const result: Candidate[] = [];
  const seen = new Set<string>();
  for (const node of file.body) {
    if (node.nodeType === 'ClassDef') {
      const value = globals.get(node.name);
      if (!isModuleClass(value ?? null) || seen.has(node.name)) continue;
      seen.add(node.name);
      result.push({
        name: node.name,
        kind: 'class',
        file: file.name,
        line: node.lineno ?? 0,
        arguments: constructorArguments(value as PyClass, classes),
      });
    } else if (node.nodeType === 'FunctionDef') {
      if (!makers.has(globals.get(node.name) ?? null) || seen.has(node.name)) continue;
      seen.add(node.name);
      result.push({
        name: node.name,
        kind: 'function',
        file: file.name,
        line: node.lineno ?? 0,
        arguments: argumentsOf(node.args, 0, file),
      });
    } else if (node.nodeType === 'Assign' || node.nodeType === 'AnnAssign') {
      const targets = node.nodeType === 'Assign' ? node.targets : [node.target];
      for (const target of targets) {
        if (target.nodeType !== 'Name' || seen.has(target.id)) continue;
        if (!isModule(globals.get(target.id) ?? null)) continue;
        seen.add(target.id);
        result.push({
          name: target.id,
          kind: 'instance',
          file: file.name,
          line: node.lineno ?? 0,
          arguments: [],
        });
      }
    }
  }
  return result;
}

/** Dataclasses of the source with their fields: what models take as their configuration. */
export function findDataclasses(
  files: readonly ParsedFile[],
): { name: string; fields: Argument[] }[] {
  return files.flatMap((file) =>
    file.body
      .filter((node) => node.nodeType === 'ClassDef')
      .filter((node) =>
        node.decorator_list.some((part) => /^(dataclasses\.)?dataclass\b/.test(unparse(part))),
      )
      .map((node) => ({ name: node.name, fields: fieldsOf(node, file) })),
  );
}

function fieldsOf(node: ClassNode, file: ParsedFile): Argument[] {
  return node.body.flatMap((statement) =>
    statement.nodeType === 'AnnAssign' && statement.target.nodeType === 'Name'
      ? [
          {
            name: statement.target.id,
            annotation: segment(file, statement.annotation),
            ...(statement.value
              ? { default: literal(statement.value) ?? segment(file, statement.value) }
              : {}),
          },
        ]
      : [],
  );
}

/** Names that the bodies of classes mention, their own name and bases apart. */
function namesUsedInClasses(classes: ReadonlyMap<string, ClassSource>): Set<string> {
  const used = new Set<string>();
  for (const [name, { node }] of classes) {
    for (const statement of node.body) {
      for (const part of walk(statement)) {
        if (part.nodeType === 'Name' && part.id !== name) used.add(part.id);
      }
    }
  }
  return used;
}

/**
 * Functions that return what a module class or another such function makes, also by way of other
 * files: `resnet18` calls `_resnet`, which calls `ResNet`.
 */
function modelMakers(program: Program, files: readonly ParsedFile[]): Set<PyValue> {
  /** By what is called: the functions that return what it makes. */
  const returning = new Map<PyValue, PyValue[]>();
  for (const file of files) {
    for (const node of file.body) {
      if (node.nodeType !== 'FunctionDef') continue;
      const value = globalValue(program, file.name, node.name) ?? null;
      if (!(value instanceof PyFunction)) continue;
      for (const callee of returnedCalls(program, file, node)) {
        add(returning, callee, value);
      }
    }
  }
  const makers = new Set<PyValue>();
  const found: PyValue[] = [...returning.keys()].filter((callee) => isModuleClass(callee));
  for (let callee = found.pop(); callee !== undefined; callee = found.pop()) {
    for (const value of returning.get(callee) ?? []) {
      if (!makers.has(value)) found.push(value);
      makers.add(value);
    }
  }
  return makers;
}

function add<K>(lists: Map<K, PyValue[]>, key: K, value: PyValue): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

/** What a function calls to return what that gives, directly or by way of a local name. */
function returnedCalls(program: Program, file: ParsedFile, node: FunctionNode): Set<PyValue> {
  const locals = new Map<string, PyValue[]>();
  const calls = new Set<PyValue>();
  const calleeOf = (expression: ExprNode) =>
    expression.nodeType === 'Call' ? named(program, file, expression.func) : null;
  for (const statement of node.body) {
    for (const part of walk(statement)) {
      if (part.nodeType === 'Assign') {
        const callee = calleeOf(part.value);
        for (const target of callee === null ? [] : part.targets) {
          if (target.nodeType === 'Name') add(locals, target.id, callee);
        }
      } else if (part.nodeType === 'Return' && part.value) {
        const { value } = part;
        const callees =
          value.nodeType === 'Name' ? (locals.get(value.id) ?? []) : [calleeOf(value)];
        for (const callee of callees) if (callee !== null) calls.add(callee);
      }
    }
  }
  return calls;
}

/** What `Net`, `nn.Sequential` or `models.ResNet18` is at the top level of a file. */
function named(program: Program, file: ParsedFile, expression: ExprNode): PyValue {
  if (expression.nodeType === 'Name') {
    return globalValue(program, file.name, expression.id) ?? null;
  }
  if (expression.nodeType !== 'Attribute') return null;
  const module = named(program, file, expression.value);
  return module instanceof PyModule ? (module.known(expression.attr) ?? null) : null;
}

/** Where to look up a class of the source. */
interface ClassSource {
  readonly node: ClassNode;
  readonly file: ParsedFile;
}

/** The arguments of the `__init__` that a class has or inherits. */
function constructorArguments(cls: PyClass, classes: ReadonlyMap<string, ClassSource>): Argument[] {
  for (const ancestor of cls.mro) {
    if (!ancestor.attributes.has('__init__')) continue;
    const source = classes.get(ancestor.name);
    const init = source?.node.body.find(
      (node) => node.nodeType === 'FunctionDef' && node.name === '__init__',
    );
    return source && init?.nodeType === 'FunctionDef' ? argumentsOf(init.args, 1, source.file) : [];
  }
  return [];
}

/** Arguments as they stand in the source; `skip` leaves out `self`. */
function argumentsOf(args: Arguments, skip: number, file: ParsedFile): Argument[] {
  const positional = [...args.posonlyargs, ...args.args];
  const firstDefault = positional.length - args.defaults.length;
  const defaults = positional.map((_, index) => args.defaults[index - firstDefault]);
  const all = [
    ...positional.map((arg, index) => ({ arg, node: defaults[index] })).slice(skip),
    ...args.kwonlyargs.map((arg, index) => ({ arg, node: args.kw_defaults[index] ?? undefined })),
  ];
  return all.map(({ arg, node }) => ({
    name: arg.arg,
    ...(node ? { default: literal(node) ?? segment(file, node) } : {}),
    ...(arg.annotation ? { annotation: segment(file, arg.annotation) } : {}),
  }));
}

/** `repr()` of a constant or of a list or tuple of constants; null for other expressions. */
function literal(node: ExprNode): string | null {
  switch (node.nodeType) {
    case 'Constant':
      if (node.value === null) return 'None';
      if (typeof node.value === 'boolean') return node.value ? 'True' : 'False';
      if (typeof node.value === 'bigint') return String(node.value);
      if (typeof node.value === 'number') return floatRepr(node.value);
      return typeof node.value === 'string' && node.quote_style ? stringRepr(node.value) : null;
    case 'UnaryOp': {
      const operand = literal(node.operand);
      return node.op.nodeType === 'USub' && operand !== null ? `-${operand}` : null;
    }
    case 'List':
    case 'Tuple': {
      const items = node.elts.map(literal);
      if (items.includes(null)) return null;
      if (node.nodeType === 'List') return `[${items.join(', ')}]`;
      return items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`;
    }
    default:
      return null;
  }
}
