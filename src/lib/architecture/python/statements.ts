/** Runs statements. A statement that ends its block early (return, break, continue) says so. */
import type { ExprNode, StmtNode } from 'py-ast';
import { assign, deleteTarget, readTarget } from './assign.ts';
import { defineClass } from './class_statement.ts';
import { Raised, raised, unsupported } from './errors.ts';
import { exceptionInstance, exceptionMatches, toRaised } from './exceptions.ts';
import { defineFunction, evaluate } from './expressions.ts';
import { importFrom, importModule } from './imports.ts';
import type { Interpreter } from './interpreter.ts';
import { executeMatch } from './match.ts';
import type { BinaryOperator, PyValue } from './object.ts';
import { binary, inplace, iterate, str, truth } from './operators.ts';
import type { Scope } from './scope.ts';
import { executeWith } from './with.ts';

export type Completion = { kind: 'return'; value: PyValue } | { kind: 'break' | 'continue' };

/** Runs the body of a function and gives what it returns. */
export function executeBody(
  interpreter: Interpreter,
  body: readonly StmtNode[],
  scope: Scope,
): PyValue {
  const completion = executeBlock(interpreter, body, scope);
  return completion?.kind === 'return' ? completion.value : null;
}

export function executeBlock(
  interpreter: Interpreter,
  body: readonly StmtNode[],
  scope: Scope,
): Completion | undefined {
  interpreter.enter();
  try {
    for (const statement of body) {
      const completion = execute(interpreter, statement, scope);
      if (completion) return completion;
    }
    return undefined;
  } finally {
    interpreter.leave();
  }
}

/** Operators of py-ast by their sign. */
export const binaryOperators: Readonly<Record<string, BinaryOperator>> = {
  Add: '+',
  Sub: '-',
  Mult: '*',
  Div: '/',
  FloorDiv: '//',
  Mod: '%',
  Pow: '**',
  MatMult: '@',
  LShift: '<<',
  RShift: '>>',
  BitAnd: '&',
  BitOr: '|',
  BitXor: '^',
};

export function execute(
  interpreter: Interpreter,
  node: StmtNode,
  scope: Scope,
): Completion | undefined {
  interpreter.step();
  interpreter.frame.line = node.lineno ?? interpreter.frame.line;
  switch (node.nodeType) {
    case 'Expr':
      evaluate(interpreter, node.value, scope);
      return;
    case 'Assign': {
      const value = evaluate(interpreter, node.value, scope);
      for (const target of node.targets) assign(interpreter, target, value, scope);
      return;
    }
    case 'AnnAssign':
      if (node.target.nodeType === 'Name' && scope.kind === 'class') {
        scope.annotations.set(node.target.id, node.annotation);
      }
      if (node.value) {
        assign(interpreter, node.target, evaluate(interpreter, node.value, scope), scope);
      }
      return;
    case 'AugAssign': {
      const target = readTarget(interpreter, node.target, scope);
      const operand = evaluate(interpreter, node.value, scope);
      interpreter.frame.line = node.lineno ?? interpreter.frame.line;
      const operator = binaryOperators[node.op.nodeType]!;
      target.write(
        inplace(interpreter, operator, target.value, operand) ??
          binary(interpreter, operator, target.value, operand),
      );
      return;
    }
    case 'Return':
      return {
        kind: 'return',
        value: node.value ? evaluate(interpreter, node.value, scope) : null,
      };
    case 'If':
      return executeBlock(
        interpreter,
        truth(interpreter, evaluate(interpreter, node.test, scope)) ? node.body : node.orelse,
        scope,
      );
    case 'For': {
      for (const item of iterate(interpreter, evaluate(interpreter, node.iter, scope))) {
        assign(interpreter, node.target, item, scope);
        const completion = executeBlock(interpreter, node.body, scope);
        if (completion?.kind === 'break') return;
        if (completion?.kind === 'return') return completion;
      }
      return executeBlock(interpreter, node.orelse, scope);
    }
    case 'While': {
      while (truth(interpreter, evaluate(interpreter, node.test, scope))) {
        interpreter.step();
        const completion = executeBlock(interpreter, node.body, scope);
        if (completion?.kind === 'break') return;
        if (completion?.kind === 'return') return completion;
      }
      return executeBlock(interpreter, node.orelse, scope);
    }
    case 'Break':
      return { kind: 'break' };
    case 'Continue':
      return { kind: 'continue' };
    case 'Pass':
      return;
    case 'FunctionDef':
      scope.assign(node.name, defineFunction(interpreter, node, scope));
      return;
    case 'ClassDef':
      scope.assign(node.name, defineClass(interpreter, node, scope));
      return;
    case 'Assert':
      if (truth(interpreter, evaluate(interpreter, node.test, scope))) return;
      throw raised(
        'AssertionError',
        node.msg
          ? `assertion failed: ${str(interpreter, evaluate(interpreter, node.msg, scope))}`
          : 'assertion failed',
      );
    case 'Raise':
      throw toRaised(interpreter, node.exc ? evaluate(interpreter, node.exc, scope) : undefined);
    case 'Try':
      return executeTry(interpreter, node, scope);
    case 'With':
      return executeWith(interpreter, node, scope);
    case 'Match':
      return executeMatch(interpreter, node, scope);
    case 'Import':
      for (const alias of node.names) importModule(interpreter, alias, scope);
      return;
    case 'ImportFrom':
      importFrom(interpreter, node, scope);
      return;
    case 'Global':
      for (const name of node.names) scope.declareGlobal(name);
      return;
    case 'Nonlocal':
      for (const name of node.names) scope.declareNonlocal(name);
      return;
    case 'Delete':
      for (const target of node.targets) deleteTarget(interpreter, target, scope);
      return;
    default:
      throw unsupported(`the statement ${statementWord(node.nodeType)} is not supported`);
  }
}

function statementWord(nodeType: string): string {
  const words: Record<string, string> = {
    AsyncFunctionDef: '"async def"',
    AsyncFor: '"async for"',
    AsyncWith: '"async with"',
    TryStar: '"except*"',
    TypeAlias: '"type"',
  };
  return words[nodeType] ?? nodeType;
}

/** Making and catching an exception takes about as long as this many steps. */
const stepsPerException = 200;

type Statement<K extends StmtNode['nodeType']> = Extract<StmtNode, { nodeType: K }>;

function executeTry(
  interpreter: Interpreter,
  node: Statement<'Try'>,
  scope: Scope,
): Completion | undefined {
  let completion: Completion | undefined;
  try {
    completion = executeHandled(interpreter, node, scope);
  } catch (error) {
    // A refusal ends the run and needs no clean-up; what Python raises may still be caught outside.
    if (error instanceof Raised) executeBlock(interpreter, node.finalbody, scope);
    throw error;
  }
  return executeBlock(interpreter, node.finalbody, scope) ?? completion;
}

function executeHandled(
  interpreter: Interpreter,
  node: Statement<'Try'>,
  scope: Scope,
): Completion | undefined {
  const guards = node.handlers.some(({ type }) => catchesImports(type));
  let completion: Completion | undefined;
  try {
    if (guards) interpreter.guardedImports++;
    try {
      completion = executeBlock(interpreter, node.body, scope);
    } finally {
      if (guards) interpreter.guardedImports--;
    }
  } catch (error) {
    const handler = findHandler(interpreter, node, error, scope);
    if (!handler || !(error instanceof Raised)) throw error;
    const outer = interpreter.handled;
    interpreter.handled = error;
    try {
      return executeBlock(interpreter, handler.body, scope);
    } finally {
      interpreter.handled = outer;
    }
  }
  return completion ?? executeBlock(interpreter, node.orelse, scope);
}

/** The `except` that catches the error, with its name bound. */
export function findHandler(
  interpreter: Interpreter,
  node: Statement<'Try'>,
  error: unknown,
  scope: Scope,
): Statement<'Try'>['handlers'][number] | undefined {
  if (!(error instanceof Raised)) return undefined;
  interpreter.step(stepsPerException);
  const handler = node.handlers.find(
    ({ type }) => !type || exceptionMatches(interpreter, error, evaluate(interpreter, type, scope)),
  );
  if (handler?.name) scope.assign(handler.name, exceptionInstance(interpreter, error));
  return handler;
}

function catchesImports(type: ExprNode | undefined): boolean {
  if (!type) return true;
  if (type.nodeType === 'Tuple') return type.elts.some(catchesImports);
  return type.nodeType === 'Name' && /^(ImportError|ModuleNotFoundError|Exception)$/.test(type.id);
}
