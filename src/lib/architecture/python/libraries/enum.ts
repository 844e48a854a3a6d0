/** `enum`: classes whose attributes are their only instances. */
import { Property, PyClass, PyInstance, StaticMethod, ClassMethod } from '../classes.ts';
import { PyDict, PyTuple } from '../collections.ts';
import { raised, unsupported } from '../errors.ts';
import { call, NativeFunction, PyFunction } from '../functions.ts';
import type { Interpreter } from '../interpreter.ts';
import { library, type PyModule } from '../modules.ts';
import { PyObject, Singleton, type CallArguments, type PyValue } from '../object.ts';
import { equal, repr } from '../operators.ts';
import { intClass, objectClass, strClass, typeClass } from '../types.ts';

const auto = new Singleton('auto', 'auto()');

/** Reads an attribute of a member. */
function reads(name: string): Property {
  return new Property(
    new NativeFunction(name, 'self', (_, { values }) => {
      const self = values.get('self');
      return (self instanceof PyInstance ? self.attributes.get(name) : undefined) ?? null;
    }),
  );
}

function isPlain(name: string, value: PyValue): boolean {
  const isCode =
    value instanceof PyFunction ||
    value instanceof NativeFunction ||
    value instanceof Property ||
    value instanceof StaticMethod ||
    value instanceof ClassMethod ||
    value instanceof PyClass;
  return !isCode && !/^__.*__$/.test(name) && name !== '_ignore_' && name !== '_order_';
}

/** Turns the attributes of a class statement into members. */
function enumerate(interpreter: Interpreter, cls: PyClass): void {
  const own = new Map<string, PyInstance>();
  const isText = cls.isSubclassOf(strClass);
  let last = 0n;
  for (const [name, given] of [...cls.attributes]) {
    if (!isPlain(name, given)) continue;
    let value = given;
    if (given === auto) value = isStrEnum(cls) ? name.toLowerCase() : last + 1n;
    if (typeof value === 'bigint') last = value;
    const alias = [...own.values()].find((member) => {
      const other = member.attributes.get('_value_')!;
      return (
        other === value ||
        (isComparable(value) && isComparable(other) && equal(interpreter, other, value))
      );
    });
    const member = alias ?? makeMember(interpreter, cls, name, value);
    own.set(name, member);
    cls.attributes.set(name, member);
  }
  if (
    isText &&
    [...own.values()].some((member) => typeof member.attributes.get('_value_') !== 'string')
  ) {
    throw unsupported(`the members of ${cls.name} are no strings`);
  }
  cls.protocol = {
    call: (i, args) => byValue(i, cls, own, args),
    getItem: (i, key) => {
      const member = typeof key === 'string' ? own.get(key) : undefined;
      if (member) return member;
      throw raised('KeyError', `${cls.name} has no member ${repr(i, key)}`);
    },
    items: () => [...new Set(own.values())],
  };
  cls.attributes.set('__members__', new PyDict(own));
}

function isComparable(value: PyValue): boolean {
  return !(value instanceof PyObject) || value instanceof PyTuple;
}

function isStrEnum(cls: PyClass): boolean {
  return cls.mro.some((base) => base.name === 'StrEnum' && !base.origin);
}

function makeMember(
  interpreter: Interpreter,
  cls: PyClass,
  name: string,
  value: PyValue,
): PyInstance {
  interpreter.allocate(1);
  const member = new PyInstance(cls);
  member.attributes.set('_name_', name);
  member.attributes.set('_value_', value);
  const init = cls.mro.find(({ attributes }) => attributes.has('__init__'));
  if (init?.origin) {
    const positional = value instanceof PyTuple ? value.items : [value];
    const callee = init.attributes.get('__init__')!;
    call(interpreter, callee, { positional: [member, ...positional], keywords: new Map() });
  }
  return member;
}

/** `Color(1)`. */
function byValue(
  interpreter: Interpreter,
  cls: PyClass,
  own: ReadonlyMap<string, PyInstance>,
  args: CallArguments,
): PyValue {
  const [value] = args.positional;
  if (value === undefined || args.positional.length > 1 || args.keywords.size > 0) {
    throw unsupported(`the call of the enum ${cls.name} with other than one value`);
  }
  if (value instanceof PyInstance && value.class === cls) return value;
  for (const member of own.values()) {
    if (equal(interpreter, member.attributes.get('_value_')!, value)) return member;
  }
  const missing = cls.lookup('_missing_');
  const found =
    missing instanceof ClassMethod
      ? call(interpreter, missing.callee, { positional: [cls, value], keywords: new Map() })
      : null;
  if (found !== null) return found;
  throw raised('ValueError', `${repr(interpreter, value)} is not a valid ${cls.name}`);
}

/** A member of a class that is also a str or an int equals its value. */
function sameValue(interpreter: Interpreter, self: PyInstance, other: PyValue): boolean {
  if (self === other) return true;
  if (!self.class.isSubclassOf(strClass) && !self.class.isSubclassOf(intClass)) return false;
  const value = other instanceof PyInstance ? other.attributes.get('_value_') : other;
  return value !== undefined && equal(interpreter, self.attributes.get('_value_')!, value);
}

export function enums(): PyModule {
  const meta = new PyClass('EnumMeta', [typeClass]);
  const show = new NativeFunction('__str__', 'self', (_, { values }) => {
    const self = values.get('self') as PyInstance;
    if (isStrEnum(self.class)) return self.attributes.get('_value_')!;
    const name = String(self.attributes.get('_name_'));
    return `${self.class.name}.${name}`;
  });
  const attributes = new Map<string, PyValue>([
    ['name', reads('_name_')],
    ['value', reads('_value_')],
    ['__str__', show],
    [
      '__repr__',
      new NativeFunction('__repr__', 'self', (i, { values }) => {
        const self = values.get('self') as PyInstance;
        const name = String(self.attributes.get('_name_'));
        return `<${self.class.name}.${name}: ${repr(i, self.attributes.get('_value_')!)}>`;
      }),
    ],
    [
      '__eq__',
      new NativeFunction('__eq__', 'self, other', (i, { values }) =>
        sameValue(i, values.get('self') as PyInstance, values.get('other')!),
      ),
    ],
  ]);
  const root = new PyClass('Enum', [objectClass], {
    attributes,
    metaclass: meta,
    onSubclass: enumerate,
  });
  const derived = (name: string, base: PyClass): PyClass =>
    new PyClass(name, [base, root], { metaclass: meta });
  return library('enum', { auto: ['', () => auto] }, [
    ['Enum', root],
    ['EnumMeta', meta],
    ['EnumType', meta],
    ['StrEnum', derived('StrEnum', strClass)],
    ['IntEnum', derived('IntEnum', intClass)],
    [
      'unique',
      new NativeFunction('unique', 'enumeration', (_, { values }) => values.get('enumeration')!),
    ],
  ]);
}
