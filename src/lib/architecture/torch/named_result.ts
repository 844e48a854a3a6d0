/** Results by name: `x.max(1).indices`. */
import { PyTuple } from '../python/collections.ts';
import type { Interpreter } from '../python/interpreter.ts';
import type { PyValue } from '../python/object.ts';
import type { PyTensor } from './tensor.ts';

export class NamedResult extends PyTuple {
  readonly #names: readonly string[];
  constructor(names: readonly string[], results: readonly PyTensor[]) {
    super(results);
    this.#names = names;
  }
  override getAttribute(interpreter: Interpreter, name: string): PyValue | undefined {
    const at = this.#names.indexOf(name);
    return at < 0 ? super.getAttribute(interpreter, name) : this.items[at];
  }
}
