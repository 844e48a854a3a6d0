/** ATen's operators by their names without an overload. */
import type { Adapter, Adapters } from './adapter.ts';
import { create } from './create.ts';
import { elementwise } from './elementwise.ts';
import { reduce } from './reduce.ts';
import { sequence } from './sequence.ts';
import { shape } from './shape.ts';
import { spatial } from './spatial.ts';

const families: readonly Adapters[] = [create, elementwise, reduce, sequence, shape, spatial];

export const adapters: ReadonlyMap<string, Adapter> = new Map(
  families.flatMap((family) => Object.entries(family)),
);
export { Aten } from './adapter.ts';
