/** Evaluates expressions. */
import { type Comprehension, type ExprNode, type StmtNode } from 'py-ast';
import { assign } from './assign.ts';
import { getAttribute } from './attributes.ts';
import { PyDict, PyList, PySet, PySlice, PyTuple } from './collections.ts';
import { PythonError, raised, unsupported, explain } from './errors.ts';
import { formatValue } from './format.ts';
import { call, PyFunction } from './functions.ts';
import { suspended } from './generators.ts';
import type { Interpreter } from './interpreter.ts';
import { ellipsis, Placeholder, type PyValue } from './object.ts';
import {
  binary,
  compare,
  contains,
  getItem,
  isIdentical,
  iterate,
  repr,
  str,
  truth,
  unary,
} from './operators.ts';
import { Scope } from './scope.ts';
import { signatureOf } from './signature.ts';
import { binaryOperators } from './statements.ts';

type Expression<K extends ExprNode['nodeType']> = Extract<ExprNode, { nodeType: K }>;

export function evaluate(interpreter: Interpreter, node: ExprNode, scope: Scope): PyValue {
  switch (node.nodeType) {
    case 'Constant':
      return constant(node);
    case 'Name':
      interpreter.step();
      return scope.lookup(node.id);
    default:
      break;
  }
  interpreter.step();
  interpreter.enter();
  try {
    return evaluateCompound(interpreter, node, scope);
  } finally {
    interpreter.leave();
  }
}

function constant(node: Expression<'Constant'>): PyValue {
  const value: unknown = node.value;
  if (typeof value === 'string') {
    if (value === '...' && node.quote_style === undefined) return ellipsis;
    if (/^[rR]?[bB]/.test(node.quote_style ?? '')) throw unsupported('bytes are not supported');
    return value;
  }
  if (value === null || ['boolean', 'bigint', 'number'].includes(typeof value)) {
    return value as PyValue;
  }
  throw unsupported('complex numbers are not supported');
}

/** Marks the place again, after the operands of an operation were evaluated. */
function at(interpreter: Interpreter, node: ExprNode): void {
  interpreter.frame.line = node.lineno ?? interpreter.frame.line;
}

function evaluateCompound(interpreter: Interpreter, node: ExprNode, scope: Scope): PyValue {
  const operand = (expression: ExprNode): PyValue => evaluate(interpreter, expression, scope);
  switch (node.nodeType) {
    case 'Attribute': {
      const object = operand(node.value);
      at(interpreter, node);
      return getAttribute(interpreter, object, node.attr);
    }
    case 'Call':
      return evaluateCall(interpreter, node, scope);
    case 'Subscript': {
      const object = operand(node.value);
      const key = evaluateKey(interpreter, node.slice, scope);
      at(interpreter, node);
      return getItem(interpreter, object, key);
    }
    case 'BinOp': {
      const left = operand(node.left);
      const right = operand(node.right);
      at(interpreter, node);
      return binary(interpreter, binaryOperators[node.op.nodeType]!, left, right);
    }
    case 'UnaryOp': {
      const value = operand(node.operand);
      if (node.op.nodeType === 'Not') return !truth(interpreter, value);
      at(interpreter, node);
      return unary(
        interpreter,
        ({ USub: '-', UAdd: '+', Invert: '~' } as const)[node.op.nodeType],
        value,
      );
    }
    case 'BoolOp': {
      let value: PyValue = null;
      for (const part of node.values) {
        value = operand(part);
        if (truth(interpreter, value) === (node.op.nodeType === 'Or')) return value;
      }
      return value;
    }
    case 'Compare':
      return evaluateCompare(interpreter, node, scope);
    case 'IfExp':
      return operand(truth(interpreter, operand(node.test)) ? node.body : node.orelse);
    case 'NamedExpr': {
      const value = operand(node.value);
      // `:=` in a comprehension binds around it.
      assign(interpreter, node.target, value, scope.outsideComprehension);
      return value;
    }
    case 'Lambda':
      return new PyFunction({
        name: '<lambda>',
        file: interpreter.frame.file,
        line: node.lineno ?? 0,
        signature: signatureOf(node.args, operand),
        body: node.body,
        closure: scope.closure,
      });
    case 'Tuple':
      return new PyTuple(elements(interpreter, node.elts, scope));
    case 'List':
      return new PyList(elements(interpreter, node.elts, scope));
    case 'Set':
      return new PySet(elements(interpreter, node.elts, scope));
    case 'Dict':
      return evaluateDict(interpreter, node, scope);
    case 'ListComp':
      return new PyList(comprehension(interpreter, node.generators, scope, node.elt));
    case 'SetComp':
      return new PySet(comprehension(interpreter, node.generators, scope, node.elt));
    case 'GeneratorExp': {
      const frame = { ...interpreter.frame };
      const items = comprehend(interpreter, node.generators, scope, node.elt);
      return suspended(interpreter, frame, items);
    }
    case 'DictComp': {
      const result = new PyDict();
      const pair = { nodeType: 'Tuple', elts: [node.key, node.value] } as Expression<'Tuple'>;
      for (const item of comprehension(interpreter, node.generators, scope, pair)) {
        const [key, value] = (item as PyTuple).items;
        result.set(key!, value!);
      }
      return result;
    }
    case 'JoinedStr':
      return joinString(interpreter, node.values, scope);
    case 'Yield':
    case 'YieldFrom':
      throw unsupported('"yield" within an expression is not supported');
    case 'Starred':
      throw unsupported('a starred expression is not supported here');
    default:
      throw unsupported(`the expression ${node.nodeType} is not supported`);
  }
}

/** A keyword goes through several maps on its way. */
const stepsPerKeyword = 8;

function evaluateCall(interpreter: Interpreter, node: Expression<'Call'>, scope: Scope): PyValue {
  const callee = evaluate(interpreter, node.func, scope);
  const positional = elements(interpreter, node.args, scope);
  const keywords = new Map<string, PyValue>();
  for (const { arg, value } of node.keywords) {
    const given = evaluate(interpreter, value, scope);
    if (arg != null) {
      keywords.set(arg, given);
      continue;
    }
    if (!(given instanceof PyDict)) throw raised('TypeError', 'the value after ** must be a dict');
    interpreter.step(stepsPerKeyword * given.size);
    for (const [key, item] of given.entries()) {
      if (typeof key !== 'string') throw raised('TypeError', 'keywords must be strings');
      if (keywords.has(key)) throw raised('TypeError', `several values for the argument "${key}"`);
      keywords.set(key, item);
    }
  }
  at(interpreter, node);
  return call(interpreter, callee, { positional, keywords });
}

/** The items of a display or of positional arguments, with `*iterables` spread. */
function elements(interpreter: Interpreter, nodes: readonly ExprNode[], scope: Scope): PyValue[] {
  const items: PyValue[] = [];
  for (const node of nodes) {
    if (node.nodeType !== 'Starred') {
      interpreter.allocate(1);
      items.push(evaluate(interpreter, node, scope));
      continue;
    }
    for (const item of iterate(interpreter, evaluate(interpreter, node.value, scope))) {
      interpreter.allocate(1);
      items.push(item);
    }
  }
  return items;
}

/** What stands in square brackets: a value, a slice, or a tuple with slices in it. */
export function evaluateKey(interpreter: Interpreter, node: ExprNode, scope: Scope): PyValue {
  if (node.nodeType === 'Tuple') {
    return new PyTuple(node.elts.map((part) => evaluateKey(interpreter, part, scope)));
  }
  if (node.nodeType !== 'Slice') return evaluate(interpreter, node, scope);
  const bound = (part: ExprNode | undefined): PyValue =>
    part ? evaluate(interpreter, part, scope) : null;
  return new PySlice(bound(node.lower), bound(node.upper), bound(node.step));
}

function evaluateDict(interpreter: Interpreter, node: Expression<'Dict'>, scope: Scope): PyDict {
  const result = new PyDict();
  node.keys.forEach((key, index) => {
    const value = node.values[index]!;
    interpreter.allocate(1);
    if (key) {
      result.set(evaluate(interpreter, key, scope), evaluate(interpreter, value, scope));
      return;
    }
    const spread = evaluate(interpreter, value, scope);
    if (!(spread instanceof PyDict)) throw raised('TypeError', 'the value after ** must be a dict');
    interpreter.allocate(spread.size);
    for (const [name, item] of spread.entries()) result.set(name, item);
  });
  return result;
}

function evaluateCompare(
  interpreter: Interpreter,
  node: Expression<'Compare'>,
  scope: Scope,
): PyValue {
  let left = evaluate(interpreter, node.left, scope);
  let result: PyValue = true;
  for (const [index, operator] of node.ops.entries()) {
    const right = evaluate(interpreter, node.comparators[index]!, scope);
    at(interpreter, node);
    result = compareOnce(interpreter, operator.nodeType, left, right);
    // The last result is the value; earlier ones only decide whether to go on.
    if (index + 1 < node.ops.length && !truth(interpreter, result)) return result;
    left = right;
  }
  return result;
}

type ComparisonNode = Expression<'Compare'>['ops'][number]['nodeType'];

function compareOnce(
  interpreter: Interpreter,
  operator: ComparisonNode,
  left: PyValue,
  right: PyValue,
): PyValue {
  switch (operator) {
    case 'Eq':
      return compare(interpreter, '==', left, right);
    case 'NotEq':
      return compare(interpreter, '!=', left, right);
    case 'Lt':
      return compare(interpreter, '<', left, right);
    case 'LtE':
      return compare(interpreter, '<=', left, right);
    case 'Gt':
      return compare(interpreter, '>', left, right);
    case 'GtE':
      return compare(interpreter, '>=', left, right);
    case 'Is':
      return isIdentical(left, right);
    case 'IsNot':
      return !isIdentical(left, right);
    case 'In':
      return contains(interpreter, right, left);
    case 'NotIn':
      return !contains(interpreter, right, left);
    default:
      return operator satisfies never;
  }
}

/** An item of a comprehension takes about as long as this many steps. */
const stepsPerItem = 3;

/** The items of a comprehension, all at once. */
function comprehension(
  interpreter: Interpreter,
  generators: readonly Comprehension[],
  scope: Scope,
  element: ExprNode,
): PyValue[] {
  const results: PyValue[] = [];
  for (const item of comprehend(interpreter, generators, scope, element)) {
    interpreter.allocate(1);
    results.push(item);
  }
  return results;
}

/** Runs the `for` and `if` parts; the names they bind stay within. */
function comprehend(
  interpreter: Interpreter,
  generators: readonly Comprehension[],
  scope: Scope,
  element: ExprNode,
): Generator<PyValue> {
  // The first iterable is evaluated at once and outside, where a class's own names are visible.
  const first = iterate(interpreter, evaluate(interpreter, generators[0]!.iter, scope));
  const inner = new Scope('comprehension', scope.closure);
  function* run(depth: number): Generator<PyValue> {
    const generator = generators[depth];
    if (!generator) {
      yield evaluate(interpreter, element, inner);
      return;
    }
    const items =
      depth === 0 ? first : iterate(interpreter, evaluate(interpreter, generator.iter, inner));
    for (const item of items) {
      interpreter.step(stepsPerItem);
      assign(interpreter, generator.target, item, inner);
      const passes = generator.ifs.every((test) =>
        truth(interpreter, evaluate(interpreter, test, inner)),
      );
      if (passes) yield* run(depth + 1);
    }
  }
  return run(0);
}

function joinString(interpreter: Interpreter, parts: readonly ExprNode[], scope: Scope): string {
  let text = '';
  for (const part of parts) {
    if (part.nodeType === 'Constant') {
      text += String(part.value);
    } else if (part.nodeType === 'FormattedValue') {
      const value = evaluate(interpreter, part.value, scope);
      const spec =
        part.format_spec?.nodeType === 'JoinedStr'
          ? joinString(interpreter, part.format_spec.values, scope)
          : '';
      const shown =
        part.conversion === 114
          ? repr(interpreter, value)
          : part.conversion === 115
            ? str(interpreter, value)
            : value;
      if (part.conversion === 97) throw unsupported('the conversion !a is not supported');
      text += formatValue(interpreter, shown, spec);
    } else {
      text += str(interpreter, evaluate(interpreter, part, scope));
    }
    interpreter.allocate(text.length);
  }
  return text;
}

/** Makes a function; its decorators run from the last to the first. */
export function defineFunction(
  interpreter: Interpreter,
  node: Extract<StmtNode, { nodeType: 'FunctionDef' }>,
  scope: Scope,
): PyValue {
  const file = interpreter.frame.file;
  let value: PyValue = new PyFunction({
    name: node.name,
    file,
    line: node.lineno ?? 0,
    signature: signatureOf(node.args, (part) => evaluate(interpreter, part, scope)),
    body: node.body,
    closure: scope.closure,
    doc: docstring(node.body),
  });
  for (const decorator of node.decorator_list.toReversed()) {
    try {
      const callee = evaluate(interpreter, decorator, scope);
      value = call(interpreter, callee, { positional: [value], keywords: new Map() });
    } catch (error) {
      if (!(error instanceof PythonError) || error.code !== 'python-unsupported') throw error;
      error.where ??= `${file} line ${decorator.lineno}`;
      return new Placeholder(node.name, explain(error));
    }
  }
  return value;
}

/** The string at the start of a body. */
export function docstring(body: readonly StmtNode[]): string | null {
  const [first] = body;
  if (first?.nodeType !== 'Expr' || first.value.nodeType !== 'Constant') return null;
  return typeof first.value.value === 'string' ? first.value.value : null;
}
