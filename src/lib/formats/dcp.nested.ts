/**
 * torch.distributed.checkpoint saves nested dicts and lists flat, by keys such as
 * `optimizer.state.0.exp_avg`, and keeps the path of each. This is the way back, as `set_element`
 * of torch/distributed/checkpoint/_traverse.py goes it: a str is a key, an int an index of a list,
 * and an item that nothing was saved for is None.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { Dict, list, type List, type Value } from '#lib/checkpoint/value.ts';

export type Path = readonly (string | number)[];

/** Steps from the root. Python's own walk over the tree ends at some thousand. */
export const MAX_STEPS = 1000;
/** Items of all lists that were not saved: empty dicts and lists, of which there are few. */
const MAX_GAPS = 100_000;

export class NestedDict {
  readonly root = new Dict();
  #gaps = 0;

  /** Puts a value in its place. Throws a FindingError where something else is there. */
  set(path: Path, value: Value): void {
    let container: Dict | List = this.root;
    for (let step = 0; step + 1 < path.length; step++) {
      const inner = this.#get(container, path[step]!, path);
      if (inner !== undefined && !isContainer(inner)) throw broken(path, 'leads through a value');
      const next: Dict | List = inner ?? (typeof path[step + 1] === 'string' ? new Dict() : list());
      if (inner === undefined) this.#put(container, path[step]!, next, path);
      container = next;
    }
    const last = path.at(-1);
    if (last === undefined) throw broken(path, 'is empty');
    if (this.#get(container, last, path) !== undefined) throw broken(path, 'is taken already');
    this.#put(container, last, value, path);
  }

  #get(container: Dict | List, key: string | number, path: Path): Value | undefined {
    if (container instanceof Dict) return container.get(key);
    if (typeof key === 'string') throw broken(path, 'has a key where a list is');
    return container.items[key] ?? undefined;
  }

  #put(container: Dict | List, key: string | number, value: Value, path: Path): void {
    if (container instanceof Dict) {
      container.set(typeof key === 'string' ? key : BigInt(key), value);
      return;
    }
    const { items } = container;
    const index = Number(key);
    this.#gaps += Math.max(0, index - items.length);
    if (this.#gaps > MAX_GAPS) throw broken(path, 'leaves too many items out');
    while (items.length < index) items.push(null);
    items[index] = value;
  }
}

function isContainer(value: Value): value is Dict | List {
  return value instanceof Dict || (typeof value === 'object' && value?.kind === 'list');
}

function broken(path: Path, what: string): FindingError {
  const shown = path.slice(0, 8).map((step) => `[${JSON.stringify(step)}]`);
  return new FindingError({
    code: 'dcp-structure',
    where: '.metadata',
    message: `dcp: the path ${shown.join('')}${path.length > 8 ? '…' : ''} ${what}`,
    advice: 'The file .metadata is damaged: get the folder again.',
  });
}
