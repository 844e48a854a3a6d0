/** Targets of assignments: names, attributes, items, and tuples of those. */
import type { ExprNode } from 'py-ast';
import { deleteAttribute, getAttribute, setAttribute } from './attributes.ts';
import { raised, unsupported } from './errors.ts';
import { evaluate, evaluateKey } from './expressions.ts';
import type { Interpreter } from './interpreter.ts';
import type { PyValue } from './object.ts';
import { deleteItem, getItem, iterate, setItem } from './operators.ts';
import { PyList } from './collections.ts';
import type { Scope } from './scope.ts';

export function assign(
  interpreter: Interpreter,
  target: ExprNode,
  value: PyValue,
  scope: Scope,
): void {
  switch (target.nodeType) {
    case 'Name':
      scope.assign(target.id, value);
      return;
    case 'Attribute':
      setAttribute(interpreter, evaluate(interpreter, target.value, scope), target.attr, value);
      return;
    case 'Subscript':
      setItem(
        interpreter,
        evaluate(interpreter, target.value, scope),
        evaluateKey(interpreter, target.slice, scope),
        value,
      );
      return;
    case 'Tuple':
    case 'List':
      unpack(interpreter, target.elts, value, scope);
      return;
    default:
      throw unsupported(`assignment to ${target.nodeType} is not supported`);
  }
}

function unpack(
  interpreter: Interpreter,
  targets: readonly ExprNode[],
  value: PyValue,
  scope: Scope,
): void {
  const items: PyValue[] = [];
  for (const item of iterate(interpreter, value)) {
    interpreter.allocate(1);
    items.push(item);
  }
  const star = targets.findIndex(({ nodeType }) => nodeType === 'Starred');
  if (star < 0 ? items.length !== targets.length : items.length < targets.length - 1) {
    throw raised(
      'ValueError',
      `${items.length} values cannot be unpacked into ${targets.length} names`,
    );
  }
  const extra = items.length - targets.length;
  targets.forEach((target, index) => {
    if (target.nodeType === 'Starred') {
      const rest = new PyList(items.slice(index, index + extra + 1));
      assign(interpreter, target.value, rest, scope);
    } else {
      const from = star >= 0 && index > star ? index + extra : index;
      assign(interpreter, target, items[from]!, scope);
    }
  });
}

/** The target of `target += …`: its parts are evaluated once. */
export function readTarget(
  interpreter: Interpreter,
  target: ExprNode,
  scope: Scope,
): { value: PyValue; write(value: PyValue): void } {
  switch (target.nodeType) {
    case 'Name':
      return {
        value: scope.lookup(target.id),
        write: (value) => scope.assign(target.id, value),
      };
    case 'Attribute': {
      const object = evaluate(interpreter, target.value, scope);
      return {
        value: getAttribute(interpreter, object, target.attr),
        write: (value) => setAttribute(interpreter, object, target.attr, value),
      };
    }
    case 'Subscript': {
      const object = evaluate(interpreter, target.value, scope);
      const key = evaluateKey(interpreter, target.slice, scope);
      return {
        value: getItem(interpreter, object, key),
        write: (value) => setItem(interpreter, object, key, value),
      };
    }
    default:
      throw unsupported(`assignment to ${target.nodeType} is not supported`);
  }
}

export function deleteTarget(interpreter: Interpreter, target: ExprNode, scope: Scope): void {
  switch (target.nodeType) {
    case 'Name':
      scope.delete(target.id);
      return;
    case 'Attribute':
      deleteAttribute(interpreter, evaluate(interpreter, target.value, scope), target.attr);
      return;
    case 'Subscript':
      deleteItem(
        interpreter,
        evaluate(interpreter, target.value, scope),
        evaluateKey(interpreter, target.slice, scope),
      );
      return;
    default:
      throw unsupported(`deletion of ${target.nodeType} is not supported`);
  }
}

/** Every name that a statement would bind, for statements that could not be run. */
export function boundNames(target: ExprNode): string[] {
  switch (target.nodeType) {
    case 'Name':
      return [target.id];
    case 'Tuple':
    case 'List':
      return target.elts.flatMap(boundNames);
    case 'Starred':
      return boundNames(target.value);
    default:
      return [];
  }
}
