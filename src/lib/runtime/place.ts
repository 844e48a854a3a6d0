/** Errors that name the place in the model. */
import type { GraphNode } from '#lib/architecture/graph.ts';

/** The error with the module and the line that made the node in front: `module a.0, net.py line 10`. */
export function placed({ origin }: GraphNode, cause: Error): Error {
  const { module, file, line } = origin;
  const place = [module && `module ${module}`, line && `${file ?? 'line'} line ${line}`];
  const where = place.filter(Boolean).join(', ');
  return new Error(`${where ? `${where}: ` : ''}${cause.message}`, { cause });
}
