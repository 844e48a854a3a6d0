/** The numbers of every op of the graph, by families. */
import type { Op } from '#lib/architecture/graph.ts';
import type { OpFunction } from '../op.ts';
import { elementwise } from './elementwise/index.ts';
import { loss } from './loss/index.ts';
import { reduce } from './reduce/index.ts';
import { sequence } from './sequence/index.ts';
import { shape } from './shape/index.ts';
import { spatial } from './spatial/index.ts';

const ops = new Map<string, OpFunction<never>>(
  [elementwise, loss, reduce, sequence, shape, spatial].flatMap((table) => Object.entries(table)),
);

export function opFunction<K extends Op>(op: K): OpFunction<K> {
  const run = ops.get(op);
  if (!run) throw new Error(`the runtime has no op ${op}`);
  return run as unknown as OpFunction<K>;
}
