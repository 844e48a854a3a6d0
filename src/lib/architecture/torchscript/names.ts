/** The names that TorchScript's code finds around it: `torch`, `ops`, `CONSTANTS`, `__torch__`. */

import { unsupported } from '../python/errors.ts';
import { call, NativeFunction } from '../python/functions.ts';
import type { Interpreter } from '../python/interpreter.ts';
import {
  noArguments,
  Placeholder,
  PyObject,
  type CallArguments,
  type PyValue,
} from '../python/object.ts';
import type { Scope } from '../python/scope.ts';
import { floatClass } from '../python/types.ts';
import { PyTensor } from '../torch/tensor.ts';
import type { Aten } from '../aten/index.ts';
import { primFunctions, torchFunctions, type ScriptFunction } from './functions.ts';

/** `torch.add`, `ops.prim.dtype`: a name of a namespace, to be called. */
class Operator extends PyObject {
  readonly typeName = 'builtin_function_or_method';
  readonly #run: (args: CallArguments, interpreter: Interpreter) => PyValue;
  constructor(run: (args: CallArguments, interpreter: Interpreter) => PyValue) {
    super();
    this.#run = run;
  }
  override call(interpreter: Interpreter, args: CallArguments): PyValue {
    interpreter.step();
    return this.#run(args, interpreter);
  }
}

/** Something with attributes that are worked out by their names. */
class Namespace extends PyObject {
  readonly typeName = 'module';
  readonly #find: (name: string) => PyValue | undefined;
  constructor(find: (name: string) => PyValue | undefined) {
    super();
    this.#find = find;
  }
  override getAttribute(_: Interpreter, name: string): PyValue | undefined {
    return this.#find(name);
  }
}

/** A type in `annotate(List[int], x)`: nothing that the numbers depend on. */
class TypeName extends PyObject {
  readonly typeName = 'type';
  override getItem(): PyValue {
    return this;
  }
}

const types =
  'List Tuple Dict Optional Union Future Await Any Device Generator Stream number NoneType complex \
Layout Storage QScheme Capsule RRef t'.split(' ');

function operator(own: ScriptFunction | undefined, name: string, aten: Aten | null): PyValue {
  if (!own && !aten?.has(name)) {
    return new Operator(() => {
      throw unsupported(`the operator ${aten ? 'aten' : 'prim'}::${name} is not supported`);
    });
  }
  return new Operator((args, interpreter) => {
    const result =
      args.keywords.size === 0 || !aten?.has(name)
        ? own?.([...args.positional], interpreter)
        : undefined;
    if (result !== undefined) return result;
    if (aten) return aten.call(name, args);
    throw unsupported(`the operator prim::${name} with these arguments is not supported`);
  });
}

/** Fills the scope that all files of an archive share. */
export function defineNames(
  scope: Scope,
  aten: Aten,
  constants: readonly PyValue[],
  package_: PyValue,
): void {
  const { names } = scope;
  const torch = new Namespace((name) => operator(torchFunctions.get(name), name, aten));
  const prims = primFunctions(aten.owner);
  const prim = new Namespace((name) => operator(prims.get(name), name, null));
  names.set('torch', torch);
  names.set(
    'ops',
    new Namespace((name) => {
      if (name === 'prim') return prim;
      if (name === 'aten') return torch;
      throw unsupported(`the operators of "${name}" are not supported`);
    }),
  );
  names.set('__torch__', package_);
  names.set(
    'CONSTANTS',
    new Namespace((name) => {
      const number = /^c(\d{1,9})$/.exec(name)?.[1];
      return number === undefined ? undefined : constants[Number(number)];
    }),
  );
  names.set('inf', Infinity);
  names.set('nan', Number.NaN);
  names.set('Tensor', aten.owner.protocol.tensorClass);
  for (const name of types) names.set(name, new TypeName());
  const second = (name: string) =>
    new NativeFunction(name, 'type, value, /', (_, { values }) => values.get('value')!);
  names.set('annotate', second('annotate'));
  names.set('unchecked_cast', second('unchecked_cast'));
  names.set(
    'uninitialized',
    new NativeFunction(
      'uninitialized',
      'type, /',
      () => new Placeholder('a variable', 'it was never set'),
    ),
  );
  names.set(
    'float',
    new NativeFunction('float', 'x=0, /', (interpreter, { values }) => {
      const value = values.get('x')!;
      if (value instanceof PyTensor) return value.item;
      return call(interpreter, floatClass, { ...noArguments, positional: [value] });
    }),
  );
}
