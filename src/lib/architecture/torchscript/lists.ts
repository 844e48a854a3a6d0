/** What TorchScript's code does with lists and dicts. Its functions share names with ATen's. */
import { PyDict, PyList, PySlice, PyTuple } from '../python/collections.ts';
import { raised } from '../python/errors.ts';
import { indexOf } from '../python/indexing.ts';
import { typeName, type PyValue } from '../python/object.ts';
import { binary, getItem, truth } from '../python/operators.ts';
import type { ScriptFunction } from './functions.ts';

function listOf([value]: readonly PyValue[], what: string): PyList {
  if (value instanceof PyList) return value;
  throw raised('TypeError', `${what}: a list is needed, not ${typeName(value ?? null)}`);
}

export const listFunctions: ReadonlyMap<string, ScriptFunction> = new Map<string, ScriptFunction>([
  [
    'list',
    ([value], interpreter) => {
      const items = value instanceof PyTuple || value instanceof PyList ? value.items : null;
      if (!items) throw raised('TypeError', `list: ${typeName(value!)} is no list`);
      interpreter.allocate(items.length);
      return new PyList(items);
    },
  ],
  [
    'append',
    (args, interpreter) => {
      interpreter.allocate(1);
      listOf(args, 'append').items.push(args[1]!);
      return args[0]!;
    },
  ],
  [
    'extend',
    (args, interpreter) => {
      const more = listOf(args.slice(1), 'extend').items;
      interpreter.allocate(more.length);
      for (const item of [...more]) listOf(args, 'extend').items.push(item);
      return null;
    },
  ],
  [
    'insert',
    (args, interpreter) => {
      interpreter.allocate(1);
      const { items } = listOf(args, 'insert');
      items.splice(Number(args[1] as bigint), 0, args[2]!);
      return null;
    },
  ],
  [
    'pop',
    (args) => {
      const { items } = listOf(args, 'pop');
      return items.splice(indexOf(args[1] ?? -1n, items.length, 'list'), 1)[0]!;
    },
  ],
  [
    'slice',
    ([value, start, end, step], interpreter) => {
      if (!(value instanceof PyList || value instanceof PyTuple)) return undefined;
      return getItem(interpreter, value, new PySlice(start ?? null, end ?? null, step ?? null));
    },
  ],
  ['keys', ([value]) => (value instanceof PyDict ? new PyList(value.keys()) : undefined)],
  ['values', ([value]) => (value instanceof PyDict ? new PyList(value.values()) : undefined)],
  [
    'any',
    ([value], interpreter) =>
      value instanceof PyList ? value.items.some((item) => truth(interpreter, item)) : undefined,
  ],
  [
    'all',
    ([value], interpreter) =>
      value instanceof PyList ? value.items.every((item) => truth(interpreter, item)) : undefined,
  ],
  ['copy', ([value]) => (value instanceof PyList ? new PyList(value.items) : undefined)],
  [
    'sum',
    ([value], interpreter) =>
      value instanceof PyList
        ? value.items.reduce((total, item) => binary(interpreter, '+', total, item), 0n as PyValue)
        : undefined,
  ],
  [
    'reverse',
    (args) => {
      listOf(args, 'reverse').items.reverse();
      return null;
    },
  ],
  [
    'clear',
    (args) => {
      listOf(args, 'clear').items.length = 0;
      return null;
    },
  ],
]);
