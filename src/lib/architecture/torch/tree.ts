/** Walks a module tree in PyTorch's order. */
import type { ParameterSpec } from '../graph.ts';
import type { PyInstance } from '../python/classes.ts';
import { Refusal } from '../python/errors.ts';
import { isModule, nonPersistent, store } from './module.ts';
import { PyTensor } from './tensor.ts';

export interface Named<T> {
  readonly name: string;
  readonly value: T;
}

function join(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}.${name}`;
}

/** Direct children that are not None. */
export function children(module: PyInstance): Named<PyInstance>[] {
  return (store(module, '_modules')?.entries() ?? []).flatMap(([name, value]) =>
    isModule(value) ? [{ name: String(name), value }] : [],
  );
}

/** Every module once, at its first path, parents before children: `named_modules()`. */
export function modulesOf(root: PyInstance): Named<PyInstance>[] {
  const found: Named<PyInstance>[] = [];
  const seen = new Set<PyInstance>();
  const visit = (module: PyInstance, name: string): void => {
    if (seen.has(module)) return;
    seen.add(module);
    found.push({ name, value: module });
    for (const child of children(module)) visit(child.value, join(name, child.name));
  };
  visit(root, '');
  return found;
}

function tensorsOf(module: PyInstance, kind: '_parameters' | '_buffers'): Named<PyTensor>[] {
  return (store(module, kind)?.entries() ?? []).flatMap(([name, value]) =>
    value instanceof PyTensor ? [{ name: String(name), value }] : [],
  );
}

/** Every parameter once: `named_parameters()`. */
export function parametersOf(root: PyInstance): Named<PyTensor>[] {
  return uniqueTensors(root, '_parameters');
}

/** Every buffer once: `named_buffers()`. */
export function buffersOf(root: PyInstance): Named<PyTensor>[] {
  return uniqueTensors(root, '_buffers');
}

function uniqueTensors(root: PyInstance, kind: '_parameters' | '_buffers'): Named<PyTensor>[] {
  const seen = new Set<PyTensor>();
  return modulesOf(root).flatMap((module) =>
    tensorsOf(module.value, kind).flatMap(({ name, value }) => {
      if (seen.has(value)) return [];
      seen.add(value);
      return [{ name: join(module.name, name), value }];
    }),
  );
}

/** A tree deeper than this contains itself; calls nest a few frames per level. */
const maxTreeDepth = 200;

/** Modules listed, repeated ones each time; the largest models have some ten thousand. */
const maxTreeSize = 200_000;

export interface StateEntry extends Named<PyTensor> {
  readonly kind: ParameterSpec['kind'];
}

/**
 * The entries of `state_dict()`: of every module its parameters, its persistent buffers, and then
 * its children. A module that hangs in the tree twice is listed twice.
 */
export function stateOf(root: PyInstance): StateEntry[] {
  const entries: StateEntry[] = [];
  let visited = 0;
  const visit = (module: PyInstance, prefix: string, depth: number): void => {
    if (depth > maxTreeDepth || ++visited > maxTreeSize) {
      throw new Refusal(
        'python-budget',
        `the module tree is deeper than ${maxTreeDepth} or larger than ${maxTreeSize}`,
      );
    }
    for (const { name, value } of tensorsOf(module, '_parameters')) {
      entries.push({ name: join(prefix, name), value, kind: 'parameter' });
    }
    for (const { name, value } of tensorsOf(module, '_buffers')) {
      if (nonPersistent(module)?.has(name)) continue;
      entries.push({ name: join(prefix, name), value, kind: 'buffer' });
    }
    for (const child of children(module)) visit(child.value, join(prefix, child.name), depth + 1);
  };
  visit(root, '', 0);
  return entries;
}
