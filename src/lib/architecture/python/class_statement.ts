/** The `class` statement. */
import type { StmtNode } from 'py-ast';
import { boundNames } from './assign.ts';
import { bind, PyClass } from './classes.ts';
import { explain, PythonError, Refusal, unsupported } from './errors.ts';
import { docstring, evaluate } from './expressions.ts';
import { call } from './functions.ts';
import type { Interpreter } from './interpreter.ts';
import { maxAncestors } from './limits.ts';
import { noArguments, Placeholder, PyObject, typeName, type PyValue } from './object.ts';
import { Scope } from './scope.ts';
import { executeBlock } from './statements.ts';

type ClassNode = Extract<StmtNode, { nodeType: 'ClassDef' }>;

/** Methods that change how attributes or classes work; ignoring them would change the model. */
const refusedMethods = ['__getattribute__', '__get__', '__set__', '__set_name__', '__prepare__'];
const refusedInMetaclass = ['__new__', '__init__', '__call__', '__instancecheck__'];

export function defineClass(interpreter: Interpreter, node: ClassNode, scope: Scope): PyValue {
  const bases = evaluateBases(interpreter, node, scope);
  const keywords = new Map<string, PyValue>();
  for (const { arg, value } of node.keywords) {
    if (arg == null) throw unsupported('** in the bases of a class is not supported');
    keywords.set(arg, evaluate(interpreter, value, scope));
  }
  const metaclass = metaclassOf(node.name, bases, keywords.get('metaclass'));
  keywords.delete('metaclass');
  // Methods see `__class__`, which `super()` looks up, but not the other names of the class.
  const cell = new Scope('function', scope.closure);
  const body = new Scope('class', cell);
  executeClassBody(interpreter, node.body, body);
  const refused = refusedMethods.find((name) => body.names.has(name));
  if (refused) throw unsupported(`${refused} of a class is not supported`);
  const cls = new PyClass(
    node.name,
    bases.length > 0 ? bases : [interpreter.environment.objectClass],
    {
      attributes: body.names,
      origin: {
        file: interpreter.frame.file,
        line: node.lineno ?? 0,
        module: scope.moduleName,
      },
      annotations: body.annotations,
      doc: docstring(node.body),
      metaclass,
    },
  );
  if (cls.mro.length > maxAncestors) {
    throw new Refusal(
      'python-budget',
      `class ${node.name} has more than ${maxAncestors} ancestors`,
    );
  }
  cell.names.set('__class__', cls);
  cls.mro
    .slice(1)
    .find(({ onSubclass }) => onSubclass)
    ?.onSubclass?.(interpreter, cls);
  const builtin = cls.mro.find(({ final }) => final);
  // Enums and named tuples say themselves how they are made.
  if (builtin && builtin.name !== 'type' && !cls.protocol?.call) {
    throw unsupported(`a class that inherits from ${builtin.name} is not supported`);
  }
  announce(interpreter, cls, keywords);
  let value: PyValue = cls;
  for (const decorator of node.decorator_list.toReversed()) {
    const callee = evaluate(interpreter, decorator, scope);
    value = call(interpreter, callee, { ...noArguments, positional: [value] });
  }
  return value;
}

function evaluateBases(interpreter: Interpreter, node: ClassNode, scope: Scope): PyClass[] {
  return node.bases
    .map((base) => evaluate(interpreter, base, scope))
    .flatMap((base) => {
      if (base instanceof Placeholder) throw base.error;
      if (base instanceof PyClass) return base;
      const entry = base instanceof PyObject ? base.asBase?.() : undefined;
      if (entry) return entry as PyClass[];
      throw unsupported(`the base of class ${node.name} is a ${typeName(base)}`);
    });
}

/** The metaclass that is given or inherited; ABCMeta does nothing here. */
function metaclassOf(
  name: string,
  bases: readonly PyClass[],
  given: PyValue | undefined,
): PyClass | undefined {
  const inherited = bases.find(({ metaclass }) => metaclass)?.metaclass;
  if (given === undefined) return inherited;
  const isMetaclass = given instanceof PyClass && given.mro.some((cls) => cls.name === 'type');
  if (!isMetaclass) throw unsupported(`the metaclass of class ${name} is not supported`);
  const refused = given.mro
    .filter(({ origin }) => origin)
    .flatMap(({ attributes }) => refusedInMetaclass.filter((method) => attributes.has(method)));
  if (refused[0]) throw unsupported(`${refused[0]} of a metaclass is not supported`);
  return given.name === 'ABCMeta' ? inherited : given;
}

/** Calls `__init_subclass__` of the ancestors. */
function announce(
  interpreter: Interpreter,
  cls: PyClass,
  keywords: ReadonlyMap<string, PyValue>,
): void {
  for (const ancestor of cls.mro.slice(1)) {
    const hook = ancestor.attributes.get('__init_subclass__');
    if (hook === undefined) continue;
    const callee =
      hook instanceof PyObject && hook.typeName === 'classmethod' ? bind(cls, cls, hook) : null;
    if (callee) call(interpreter, callee, { positional: [], keywords });
    else call(interpreter, hook, { positional: [cls], keywords });
    return;
  }
  const [unused] = keywords.keys();
  if (unused !== undefined) throw unsupported(`the keyword ${unused} of a class is not supported`);
}

/** A statement of a class body that cannot run spoils its own names only. */
function executeClassBody(interpreter: Interpreter, body: readonly StmtNode[], scope: Scope): void {
  for (const statement of body) {
    try {
      executeBlock(interpreter, [statement], scope);
    } catch (error) {
      const isSpared =
        error instanceof PythonError &&
        error.code === 'python-unsupported' &&
        statement.nodeType === 'Assign';
      if (!isSpared) throw error;
      error.where ??= `${interpreter.frame.file} line ${interpreter.frame.line}`;
      for (const name of statement.targets.flatMap(boundNames)) {
        scope.assign(name, new Placeholder(name, explain(error)));
      }
    }
  }
}
