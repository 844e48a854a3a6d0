/** The modules of the standard library that model files use, by name. */
import { Property, PyClass } from './classes.ts';
import { abc, collections } from './libraries/collections.ts';
import { copy } from './libraries/copy.ts';
import { dataclasses } from './libraries/dataclasses.ts';
import { enums } from './libraries/enum.ts';
import { functools, operator } from './libraries/functools.ts';
import { inertModules } from './libraries/inert.ts';
import { inspect } from './libraries/inspect.ts';
import { itertools } from './libraries/itertools.ts';
import { math, numpy } from './libraries/math.ts';
import { typing } from './libraries/typing.ts';
import { library, type PyModule } from './modules.ts';
import type { PyValue } from './object.ts';
import { objectClass, typeClass } from './types.ts';

export { library } from './modules.ts';

/** Decorators of `abc`; that an abstract method is missing shows when it is called. */
function abstractBases(): PyModule {
  return library(
    'abc',
    {
      abstractmethod: ['function', (_, { values }) => values.get('function')!],
      abstractproperty: ['function', (_, { values }) => new Property(values.get('function')!)],
    },
    [
      ['ABC', new PyClass('ABC', [objectClass])],
      ['ABCMeta', new PyClass('ABCMeta', [typeClass])],
    ],
  );
}

/** Fresh for every run. */
export function standardLibraries(): Map<string, PyValue> {
  const modules = [
    math(),
    numpy(),
    collections(),
    abc,
    functools(),
    operator(),
    itertools(),
    abstractBases(),
    dataclasses(),
    enums(),
    typing('typing'),
    typing('typing_extensions'),
    copy(),
    inspect(),
    ...inertModules(),
  ];
  return new Map(modules.map((module) => [module.name, module]));
}
