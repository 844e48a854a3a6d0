/**
 * Modules that talk to the world outside: warnings, logs, the environment, paths. Here there is no
 * such world: a warning goes nowhere, a variable of the environment is not set.
 */
import { PyDict, PyTuple } from '../collections.ts';
import { PyClass, PyInstance } from '../classes.ts';
import { Raised, unsupported } from '../errors.ts';
import { exceptionMatches } from '../exceptions.ts';
import { BoundMethod, call, NativeFunction } from '../functions.ts';
import type { Interpreter } from '../interpreter.ts';
import { library, type PyModule } from '../modules.ts';
import { PyObject, type PyValue } from '../object.ts';
import { floatClass, intClass, objectClass, onlyNamed } from '../types.ts';

/** Enters to a value, and does nothing on leaving. */
export class NullContext extends PyObject {
  readonly typeName = 'nullcontext';
  readonly #value: PyValue;
  constructor(value: PyValue) {
    super();
    this.#value = value;
  }
  override enterContext(): PyValue {
    return this.#value;
  }
}

/** Whose every method does nothing: a logger. */
class Inert extends PyObject {
  readonly typeName: string;
  constructor(typeName: string) {
    super();
    this.typeName = typeName;
  }
  override getAttribute(_interpreter: Interpreter, name: string): PyValue | undefined {
    if (name.startsWith('__')) return undefined;
    return new NativeFunction(name, '*args, **options', () => null);
  }
  override setAttribute(): void {}
}

const nothing = ['*args, **options', () => null] as const;

function warnings(): PyModule {
  return library('warnings', {
    warn: nothing,
    warn_explicit: nothing,
    simplefilter: nothing,
    filterwarnings: nothing,
    catch_warnings: ['*args, **options', () => new NullContext(null)],
  });
}

function logging(): PyModule {
  const logger = new Inert('Logger');
  const levels = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'];
  return library(
    'logging',
    {
      getLogger: ['*args', () => logger],
      basicConfig: nothing,
      debug: nothing,
      info: nothing,
      warning: nothing,
      error: nothing,
    },
    levels.map((name, at): [string, PyValue] => [name, BigInt(10 * (at + 1))]),
  );
}

/** `os.path.join(…)` makes a path that nobody opens. */
function os(): PyModule[] {
  const path = library('os.path', {
    join: ['*parts', (_, { rest }) => rest.map(String).join('/')],
    dirname: ['path', (_, { values }) => String(values.get('path')).replace(/\/?[^/]*$/, '')],
    abspath: ['path', (_, { values }) => values.get('path')!],
    exists: ['path', () => false],
    isfile: ['path', () => false],
  });
  const environ = new PyDict();
  const main = library(
    'os',
    { getenv: ['key, default=None', (_, { values }) => values.get('default')!] },
    [
      ['environ', environ],
      ['path', path],
    ],
  );
  return [main, path];
}

/** `@contextmanager`: the part before `yield` enters, the part after it leaves. */
class GeneratorContext extends PyObject {
  readonly typeName = 'contextmanager';
  readonly #items: PyValue;
  constructor(items: PyValue) {
    super();
    this.#items = items;
  }
  #next(): PyValue | undefined {
    const items = this.#items as PyObject & { next?(): PyValue | undefined };
    if (!items.next) throw unsupported('a context manager that is no generator is not supported');
    return items.next();
  }
  override enterContext(): PyValue {
    const value = this.#next();
    if (value === undefined) throw unsupported('a context manager without a yield');
    return value;
  }
  override exitContext(_interpreter: Interpreter, error: Raised | null): boolean {
    if (error) throw unsupported(`an exception that leaves a context manager: ${error.message}`);
    if (this.#next() !== undefined) throw unsupported('a context manager with a second yield');
    return false;
  }
}

/** `suppress(ValueError)`. */
class Suppress extends PyObject {
  readonly typeName = 'suppress';
  readonly #classes: readonly PyValue[];
  constructor(classes: readonly PyValue[]) {
    super();
    this.#classes = classes;
  }
  override enterContext(): PyValue {
    return null;
  }
  override exitContext(interpreter: Interpreter, error: Raised | null): boolean {
    return error !== null && exceptionMatches(interpreter, error, new PyTuple(this.#classes));
  }
}

function contextlib(): PyModule {
  return library('contextlib', {
    nullcontext: [
      'enter_result=None',
      (_, { values }) => new NullContext(values.get('enter_result')!),
    ],
    suppress: ['*exceptions', (_, { rest }) => new Suppress(rest)],
    contextmanager: [
      'function',
      (_, { values }) =>
        new NativeFunction('contextmanager', '*args, **keywords', (i, { rest, keywords }) => {
          const args = { positional: rest, keywords };
          return new GeneratorContext(call(i, values.get('function')!, args));
        }),
    ],
  });
}

/** `types.SimpleNamespace(a=1)`: attributes from keywords. */
function types(): PyModule {
  const namespace: PyClass = new PyClass('SimpleNamespace', [objectClass], {
    protocol: {
      call: (interpreter, { keywords }) => {
        interpreter.allocate(keywords.size);
        const made = new PyInstance(namespace);
        for (const [name, value] of keywords) made.attributes.set(name, value);
        return made;
      },
    },
  });
  return library(
    'types',
    {
      MethodType: [
        'function, instance, /',
        (_, { values }) => new BoundMethod(values.get('instance')!, values.get('function')!),
      ],
    },
    [
      ['SimpleNamespace', namespace],
      ['FunctionType', onlyNamed('function')],
      ['LambdaType', onlyNamed('function')],
      ['ModuleType', onlyNamed('module')],
      ['BuiltinFunctionType', onlyNamed('builtin_function_or_method')],
      ['GeneratorType', onlyNamed('generator')],
      ['NoneType', onlyNamed('NoneType')],
    ],
  );
}

function numbers(): PyModule {
  const union = new PyTuple([intClass, floatClass]);
  return library('numbers', {}, [
    ['Number', union],
    ['Real', union],
    ['Integral', intClass],
  ]);
}

export function inertModules(): PyModule[] {
  const sys = library('sys', {}, [
    ['version_info', new PyTuple([3n, 11n, 0n, 'final', 0n])],
    ['maxsize', 2n ** 63n - 1n],
    ['platform', 'linux'],
  ]);
  return [warnings(), logging(), ...os(), contextlib(), types(), numbers(), sys];
}
