/** The questions to `inspect` that model builders ask: which arguments does this take? */
import { PyClass } from '../classes.ts';
import { PyDict } from '../collections.ts';
import { raised, unsupported } from '../errors.ts';
import { BoundMethod, NativeFunction, PyFunction } from '../functions.ts';
import type { Interpreter } from '../interpreter.ts';
import { library, PyModule } from '../modules.ts';
import { PyObject, Singleton, typeName, type PyValue } from '../object.ts';
import { signatureFromText, type Signature } from '../signature.ts';
import { Partial } from './functools.ts';

const empty = new Singleton('type', "<class 'inspect._empty'>");

/** The kinds of parameters, in their order. */
const kinds = {
  'positional-only': 'POSITIONAL_ONLY',
  positional: 'POSITIONAL_OR_KEYWORD',
  rest: 'VAR_POSITIONAL',
  'keyword-only': 'KEYWORD_ONLY',
  keywords: 'VAR_KEYWORD',
} as const;

const kindValues = new Map<string, Singleton>(
  Object.values(kinds).map((name) => [name, new Singleton('_ParameterKind', name)]),
);

class PyParameter extends PyObject {
  readonly typeName = 'Parameter';
  readonly #name: string;
  readonly #kind: keyof typeof kinds;
  readonly #default: PyValue | undefined;
  constructor(name: string, kind: keyof typeof kinds, value?: PyValue) {
    super();
    this.#name = name;
    this.#kind = kind;
    this.#default = value;
  }
  override getAttribute(_interpreter: Interpreter, name: string): PyValue | undefined {
    switch (name) {
      case 'name':
        return this.#name;
      case 'kind':
        return kindValues.get(kinds[this.#kind]);
      case 'default':
        return this.#default ?? empty;
      case 'empty':
        return empty;
      default:
        return kindValues.get(name);
    }
  }
}

class PySignature extends PyObject {
  readonly typeName = 'Signature';
  readonly #parameters: PyDict;
  constructor(signature: Signature, skip: number) {
    super();
    const positional = signature.parameters
      .filter(({ kind }) => kind !== 'keyword-only')
      .slice(skip);
    const named = signature.parameters.filter(({ kind }) => kind === 'keyword-only');
    const all = [
      ...positional.map((p) => new PyParameter(p.name, p.kind, p.default)),
      ...(signature.rest === null ? [] : [new PyParameter(signature.rest, 'rest')]),
      ...named.map((p) => new PyParameter(p.name, p.kind, p.default)),
      ...(signature.keywords === null ? [] : [new PyParameter(signature.keywords, 'keywords')]),
    ];
    const names = [
      ...positional.map(({ name }) => name),
      ...(signature.rest === null ? [] : [signature.rest]),
      ...named.map(({ name }) => name),
      ...(signature.keywords === null ? [] : [signature.keywords]),
    ];
    this.#parameters = new PyDict(names.map((name, at) => [name, all[at]!]));
  }
  override getAttribute(_interpreter: Interpreter, name: string): PyValue | undefined {
    return name === 'parameters' ? this.#parameters : undefined;
  }
}

/** The signature of anything that can be called; a decorated function's is that of the one within. */
function signatureOf(interpreter: Interpreter, value: PyValue, skip = 0): PySignature {
  interpreter.step();
  if (value instanceof PyFunction) {
    const wrapped = value.attributes.get('__wrapped__');
    return wrapped === undefined
      ? new PySignature(value.signature, skip)
      : signatureOf(interpreter, wrapped, skip);
  }
  if (value instanceof NativeFunction) {
    return new PySignature(signatureFromText(value.signature), skip);
  }
  if (value instanceof BoundMethod) return signatureOf(interpreter, value.callee, skip + 1);
  if (value instanceof PyClass) {
    const init = value.lookup('__init__');
    if (init !== undefined) return signatureOf(interpreter, init, skip + 1);
  }
  if (value instanceof Partial) throw unsupported('inspect.signature() of a partial');
  throw raised('TypeError', `inspect.signature() needs something to call, not ${typeName(value)}`);
}

export function inspect(): PyModule {
  return library(
    'inspect',
    {
      signature: ['obj, /', (i, { values }) => signatureOf(i, values.get('obj')!)],
      isclass: ['obj', (_, { values }) => values.get('obj') instanceof PyClass],
      isfunction: ['obj', (_, { values }) => values.get('obj') instanceof PyFunction],
      ismethod: ['obj', (_, { values }) => values.get('obj') instanceof BoundMethod],
      ismodule: ['obj', (_, { values }) => values.get('obj') instanceof PyModule],
    },
    [
      ['Parameter', new PyParameter('', 'positional')],
      ['_empty', empty],
    ],
  );
}
