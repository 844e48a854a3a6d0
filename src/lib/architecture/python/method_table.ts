/** How the methods of built-in types are told: a signature in Python's words, and what it does. */
import { NativeFunction, type NativeBody } from './functions.ts';
import type { Interpreter } from './interpreter.ts';
import type { PyValue } from './object.ts';
import type { Bound } from './signature.ts';

export interface MethodTable {
  get(name: string): NativeFunction | undefined;
}

export type Method<T> = (self: T, bound: Bound, interpreter: Interpreter) => PyValue;

/** Methods by name; `signatures` leaves `self` out. Made when the first one is looked up. */
export function methodTable<T extends PyValue>(
  methods: Readonly<Record<string, readonly [signature: string, body: Method<T>]>>,
): MethodTable {
  let table: Map<string, NativeFunction> | undefined;
  return {
    get(name) {
      table ??= new Map(
        Object.entries(methods).map(([key, [signature, body]]) => {
          const call: NativeBody = (interpreter, bound) => {
            const self = bound.values.get('self') as T;
            if (typeof self === 'string') interpreter.step(self.length / 256);
            return body(self, bound, interpreter);
          };
          const all = ['self', ...(signature.includes('/') ? [] : ['/']), signature];
          return [key, new NativeFunction(key, all.filter(Boolean).join(', '), call)];
        }),
      );
      return table.get(name);
    },
  };
}
