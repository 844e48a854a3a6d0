/** `typing`: names that mean nothing at run time, except for the few that make classes. */
import { PyClass } from '../classes.ts';
import { PyTuple } from '../collections.ts';
import { NativeFunction } from '../functions.ts';
import type { Interpreter } from '../interpreter.ts';
import { library, type PyModule } from '../modules.ts';
import { PyObject, type PyValue } from '../object.ts';
import type { Parameter } from '../signature.ts';
import {
  dictClass,
  listClass,
  objectClass,
  orderedDictClass,
  setClass,
  tupleClass,
} from '../types.ts';
import { abstractClasses, makeNamedTuple } from './collections.ts';

/** A name of `typing`: it may be called, indexed and joined, and stays what it is. */
class TypingName extends PyObject {
  readonly typeName = 'typing';
  override getAttribute(): PyValue {
    return this;
  }
  override getItem(): PyValue {
    return this;
  }
  override call(): PyValue {
    return this;
  }
  override binary(): PyValue {
    return this;
  }
}

/** `Union[A, B]` and `Optional[A]` are asked by `isinstance`; a tuple of classes says the same. */
class Union extends PyObject {
  readonly typeName = 'typing';
  override getItem(_interpreter: Interpreter, key: PyValue): PyValue {
    return key instanceof PyTuple ? key : new PyTuple([key]);
  }
}

const names =
  'Any Annotated AnyStr AsyncIterator Awaitable ClassVar Concatenate Deque DefaultDict Final FrozenSet \
Literal LiteralString NoReturn Never Optional ParamSpec Required NotRequired Self SupportsFloat SupportsInt \
Text Type TypeAlias TypeGuard TypeVar TypeVarTuple Unpack';

/** Classes to inherit from that add nothing: `Generic[T]`, `Protocol`. */
const bases = ['Generic', 'Protocol'];

function namedTupleBase(): PyClass {
  return new PyClass('NamedTuple', [tupleClass], {
    onSubclass: (_, cls) => {
      // A class below the one with the fields keeps them.
      if (cls.annotations.size === 0) return;
      const parameters = [...cls.annotations.keys()].map((name): Parameter => ({
        name,
        kind: 'positional',
        default: cls.attributes.get(name),
      }));
      for (const { name } of parameters) cls.attributes.delete(name);
      makeNamedTuple(cls, parameters);
    },
  });
}

function typedDictBase(): PyClass {
  return new PyClass('TypedDict', [dictClass], {
    onSubclass: (_, cls) => {
      cls.protocol = {
        call: (interpreter, args) => dictClass.call(interpreter, args),
      };
    },
  });
}

export function typing(module: string): PyModule {
  const values: [string, PyValue][] = names.split(' ').map((name) => [name, new TypingName()]);
  const identity = (name: string): PyValue =>
    new NativeFunction(name, 'value, /', (_, bound) => bound.values.get('value')!);
  const builtins: [string, PyValue][] = [
    ['Dict', dictClass],
    ['List', listClass],
    ['OrderedDict', orderedDictClass],
    ['Set', setClass],
    ['Tuple', tupleClass],
  ];
  return library(
    module,
    {
      cast: ['type, value', (_, bound) => bound.values.get('value')!],
      NewType: ['name, tp', () => identity('NewType')],
      runtime_checkable: ['cls', (_, { values: given }) => given.get('cls')!],
    },
    [
      ...values,
      ...abstractClasses,
      ...builtins,
      ...bases.map((name) => [name, new PyClass(name, [objectClass])] as [string, PyValue]),
      ['Union', new Union()],
      ['Optional', new Union()],
      ['NamedTuple', namedTupleBase()],
      ['TypedDict', typedDictBase()],
      ['overload', identity('overload')],
      ['final', identity('final')],
      ['override', identity('override')],
      ['no_type_check', identity('no_type_check')],
      ['TYPE_CHECKING', false],
    ],
  );
}
