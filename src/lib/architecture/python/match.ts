/** `match`: patterns against a value, as PEP 634 defines them. */
import type { StmtNode } from 'py-ast';
import { findAttribute } from './attributes.ts';
import { PyClass } from './classes.ts';
import { PyDict, PyList, PyTuple } from './collections.ts';
import { raised, unsupported } from './errors.ts';
import { evaluate } from './expressions.ts';
import type { Interpreter } from './interpreter.ts';
import { PyObject, typeName, type PyValue } from './object.ts';
import { equal, isIdentical, truth } from './operators.ts';
import type { Scope } from './scope.ts';
import { executeBlock, type Completion } from './statements.ts';

type MatchNode = Extract<StmtNode, { nodeType: 'Match' }>;
type PatternNode = MatchNode['cases'][number]['pattern'];

/** Runs the first case whose pattern and guard hold. */
export function executeMatch(
  interpreter: Interpreter,
  node: MatchNode,
  scope: Scope,
): Completion | undefined {
  const subject = evaluate(interpreter, node.subject, scope);
  for (const { pattern, guard, body } of node.cases) {
    if (!matches(interpreter, pattern, subject, scope)) continue;
    if (guard && !truth(interpreter, evaluate(interpreter, guard, scope))) continue;
    return executeBlock(interpreter, body, scope);
  }
  return undefined;
}

function matches(
  interpreter: Interpreter,
  pattern: PatternNode,
  subject: PyValue,
  scope: Scope,
): boolean {
  interpreter.step();
  switch (pattern.nodeType) {
    case 'MatchValue':
      return equal(interpreter, subject, evaluate(interpreter, pattern.value, scope));
    case 'MatchSingleton':
      return isIdentical(subject, pattern.value as PyValue);
    case 'MatchAs':
      if (pattern.pattern && !matches(interpreter, pattern.pattern, subject, scope)) return false;
      if (pattern.name) scope.assign(pattern.name, subject);
      return true;
    case 'MatchOr':
      return pattern.patterns.some((part) => matches(interpreter, part, subject, scope));
    case 'MatchSequence':
      return matchesSequence(interpreter, pattern.patterns, subject, scope);
    case 'MatchMapping':
      return matchesMapping(interpreter, pattern, subject, scope);
    case 'MatchClass':
      return matchesClass(interpreter, pattern, subject, scope);
    case 'MatchStar':
      throw raised('SyntaxError', 'a starred pattern stands in a sequence');
    default:
      return pattern satisfies never;
  }
}

function matchesSequence(
  interpreter: Interpreter,
  patterns: readonly PatternNode[],
  subject: PyValue,
  scope: Scope,
): boolean {
  if (!(subject instanceof PyList || subject instanceof PyTuple)) return false;
  const { items } = subject;
  const star = patterns.findIndex(({ nodeType }) => nodeType === 'MatchStar');
  if (star < 0 ? items.length !== patterns.length : items.length < patterns.length - 1)
    return false;
  const extra = items.length - patterns.length;
  return patterns.every((pattern, index) => {
    if (pattern.nodeType === 'MatchStar') {
      const rest = items.slice(index, index + extra + 1);
      interpreter.allocate(rest.length);
      if (pattern.name) scope.assign(pattern.name, new PyList(rest));
      return true;
    }
    const from = star >= 0 && index > star ? index + extra : index;
    return matches(interpreter, pattern, items[from]!, scope);
  });
}

function matchesMapping(
  interpreter: Interpreter,
  pattern: Extract<PatternNode, { nodeType: 'MatchMapping' }>,
  subject: PyValue,
  scope: Scope,
): boolean {
  if (!(subject instanceof PyDict)) return false;
  const keys = pattern.keys.map((key) => evaluate(interpreter, key, scope));
  const holds = keys.every((key, index) => {
    const value = subject.get(key);
    return value !== undefined && matches(interpreter, pattern.patterns[index]!, value, scope);
  });
  if (!holds || !pattern.rest) return holds;
  interpreter.allocate(subject.size);
  const rest = new PyDict(subject.entries());
  for (const key of keys) rest.delete(key);
  scope.assign(pattern.rest, rest);
  return true;
}

function matchesClass(
  interpreter: Interpreter,
  pattern: Extract<PatternNode, { nodeType: 'MatchClass' }>,
  subject: PyValue,
  scope: Scope,
): boolean {
  const cls = evaluate(interpreter, pattern.cls, scope);
  if (!(cls instanceof PyClass)) {
    throw raised('TypeError', `a class pattern needs a class, not ${typeName(cls)}`);
  }
  if (!interpreter.environment.classOf(subject).isSubclassOf(cls)) return false;
  const [own, ...more] = pattern.patterns;
  if (own) {
    // `case int(x)` captures the value itself; `__match_args__` is only for classes of the source.
    if (!cls.final || more.length > 0 || subject instanceof PyObject) {
      throw unsupported('positional patterns of a class are not supported');
    }
    if (!matches(interpreter, own, subject, scope)) return false;
  }
  return pattern.kwd_attrs.every((name, index) => {
    const value = findAttribute(interpreter, subject, name);
    return value !== undefined && matches(interpreter, pattern.kwd_patterns[index]!, value, scope);
  });
}
