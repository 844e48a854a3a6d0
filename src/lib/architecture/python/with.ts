/** `with`: managers of the shim, which mostly change nothing, and those that the source defines. */
import type { StmtNode } from 'py-ast';
import { assign } from './assign.ts';
import { Raised, unsupported } from './errors.ts';
import { evaluate } from './expressions.ts';
import type { Interpreter } from './interpreter.ts';
import { PyObject, typeName, usable } from './object.ts';
import type { Scope } from './scope.ts';
import { executeBlock, type Completion } from './statements.ts';

type With = Extract<StmtNode, { nodeType: 'With' }>;

/** Enters the managers from left to right, runs the body, and leaves them in reverse. */
export function executeWith(
  interpreter: Interpreter,
  node: With,
  scope: Scope,
  depth = 0,
): Completion | undefined {
  const item = node.items[depth];
  if (!item) return executeBlock(interpreter, node.body, scope);
  const manager = usable(evaluate(interpreter, item.context_expr, scope));
  const entered = manager instanceof PyObject ? manager.enterContext?.(interpreter) : undefined;
  if (entered === undefined || !(manager instanceof PyObject)) {
    throw unsupported(`"with" on a ${typeName(manager)} is not supported`);
  }
  if (item.optional_vars) assign(interpreter, item.optional_vars, entered, scope);
  let completion: Completion | undefined;
  try {
    completion = executeWith(interpreter, node, scope, depth + 1);
  } catch (error) {
    if (!(error instanceof Raised)) throw error;
    if (manager.exitContext?.(interpreter, error)) return undefined;
    throw error;
  }
  manager.exitContext?.(interpreter, null);
  return completion;
}
