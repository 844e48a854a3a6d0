/**
 * Generators: functions with `yield`, and generator expressions. They run on JavaScript's own
 * generators, so they are as lazy as Python's, an endless one included. Only statements that hold a
 * `yield` are walked here; all others go to `statements.ts`. A `yield` may be a statement of its
 * own or the whole right-hand side of an assignment, which is where sources have it.
 */
import { walk, type ASTNodeUnion, type ExprNode, type StmtNode } from 'py-ast';
import { assign } from './assign.ts';
import { PyIterator } from './collections.ts';
import { Raised, unsupported } from './errors.ts';
import { evaluate } from './expressions.ts';
import type { Frame, Interpreter } from './interpreter.ts';
import type { PyValue } from './object.ts';
import { iterate, truth } from './operators.ts';
import type { Scope } from './scope.ts';
import { execute, executeBlock, findHandler, type Completion } from './statements.ts';

type Lazy<T> = Generator<PyValue, T, undefined>;

const known = new WeakMap<readonly StmtNode[], boolean>();

/** Whether a function with this body is a generator; looked up once per body. */
export function yields(body: readonly StmtNode[]): boolean {
  const answer = known.get(body) ?? body.some(holdsYield);
  known.set(body, answer);
  return answer;
}

const inner = new Set(['FunctionDef', 'ClassDef', 'Lambda', 'GeneratorExp']);

function holdsYield(node: ASTNodeUnion): boolean {
  if (inner.has(node.nodeType)) return false;
  if (node.nodeType === 'Yield' || node.nodeType === 'YieldFrom') return true;
  if (!mentionsYield(node)) return false;
  return Object.values(node).some((part: unknown) =>
    (Array.isArray(part) ? part : [part]).some((item: unknown) => isNode(item) && holdsYield(item)),
  );
}

function isNode(value: unknown): value is ASTNodeUnion {
  return typeof value === 'object' && value !== null && 'nodeType' in value;
}

function mentionsYield(node: ASTNodeUnion): boolean {
  for (const part of walk(node)) {
    if (part.nodeType === 'Yield' || part.nodeType === 'YieldFrom') return true;
  }
  return false;
}

/** Items that are made one by one, each within the frame that the generator was made in. */
export function suspended(
  interpreter: Interpreter,
  frame: Frame,
  items: Iterator<PyValue>,
): PyIterator {
  const resumed: IterableIterator<PyValue> = {
    [Symbol.iterator]: () => resumed,
    next: () => {
      interpreter.enter();
      try {
        return interpreter.within(frame, () => items.next());
      } finally {
        interpreter.leave();
      }
    },
  };
  return new PyIterator(resumed, 'generator');
}

/** Runs the body of a generator up to each `yield`. */
export function* generate(
  interpreter: Interpreter,
  body: readonly StmtNode[],
  scope: Scope,
): Lazy<Completion | undefined> {
  for (const statement of body) {
    const completion = holdsYield(statement)
      ? yield* step(interpreter, statement, scope)
      : execute(interpreter, statement, scope);
    if (completion) return completion;
  }
  return undefined;
}

function* step(
  interpreter: Interpreter,
  node: StmtNode,
  scope: Scope,
): Lazy<Completion | undefined> {
  interpreter.step();
  interpreter.frame.line = node.lineno ?? interpreter.frame.line;
  switch (node.nodeType) {
    case 'Expr':
      yield* value(interpreter, node.value, scope);
      return undefined;
    case 'Assign': {
      const given = yield* value(interpreter, node.value, scope);
      for (const target of node.targets) assign(interpreter, target, given, scope);
      return undefined;
    }
    case 'Return':
      return {
        kind: 'return',
        value: node.value ? yield* value(interpreter, node.value, scope) : null,
      };
    case 'If': {
      const holds = truth(interpreter, evaluate(interpreter, node.test, scope));
      return yield* generate(interpreter, holds ? node.body : node.orelse, scope);
    }
    case 'For':
      for (const item of iterate(interpreter, evaluate(interpreter, node.iter, scope))) {
        assign(interpreter, node.target, item, scope);
        const completion = yield* generate(interpreter, node.body, scope);
        if (completion?.kind === 'break') return undefined;
        if (completion?.kind === 'return') return completion;
      }
      return yield* generate(interpreter, node.orelse, scope);
    case 'While':
      while (truth(interpreter, evaluate(interpreter, node.test, scope))) {
        interpreter.step();
        const completion = yield* generate(interpreter, node.body, scope);
        if (completion?.kind === 'break') return undefined;
        if (completion?.kind === 'return') return completion;
      }
      return yield* generate(interpreter, node.orelse, scope);
    case 'Try':
      return yield* guarded(interpreter, node, scope);
    default:
      throw unsupported('"yield" is not supported at this place');
  }
}

/** What `yield x`, `yield from xs` or another expression gives; nothing is ever sent in. */
function* value(interpreter: Interpreter, node: ExprNode, scope: Scope): Lazy<PyValue> {
  if (node.nodeType === 'Yield') {
    yield node.value ? evaluate(interpreter, node.value, scope) : null;
    return null;
  }
  if (node.nodeType === 'YieldFrom') {
    yield* iterate(interpreter, evaluate(interpreter, node.value, scope));
    return null;
  }
  throw unsupported('"yield" within an expression is not supported');
}

function* guarded(
  interpreter: Interpreter,
  node: Extract<StmtNode, { nodeType: 'Try' }>,
  scope: Scope,
): Lazy<Completion | undefined> {
  let completion: Completion | undefined;
  try {
    try {
      completion = yield* generate(interpreter, node.body, scope);
      completion ??= yield* generate(interpreter, node.orelse, scope);
    } catch (error) {
      const handler = findHandler(interpreter, node, error, scope);
      if (!handler) throw error;
      completion = yield* generate(interpreter, handler.body, scope);
    }
  } catch (error) {
    if (error instanceof Raised) executeBlock(interpreter, node.finalbody, scope);
    throw error;
  }
  return executeBlock(interpreter, node.finalbody, scope) ?? completion;
}
