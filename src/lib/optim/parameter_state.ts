import * as tf from '#lib/runtime/tf.ts';
import { toFloat32 } from '#lib/checkpoint/elements.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { Dict, isTensor, type Value } from '#lib/checkpoint/value.ts';
import { element, type Term } from '#lib/runtime/kernels/formula.ts';
import type { Rule, Scalars } from './rule.ts';

/**
 * What an optimizer remembers of one parameter, by torch's names and in their order: scalars on the
 * host, the rest on the backend. None and tensors that the rule has no use for are kept as they are.
 */
export class ParameterState {
  readonly #entries = new Map<string, number | tf.Tensor | null>();

  /** A state of a file. Throws an Error that names the entry that is none, or is missing. */
  static async read(
    saved: Dict,
    rule: Rule,
    key: string,
    signal?: AbortSignal,
  ): Promise<ParameterState> {
    const state = new ParameterState();
    try {
      for (const [name, value] of saved.entries()) {
        if (typeof name !== 'string') throw wrong(name, key, 'no name');
        if (name in rule.scalars)
          state.#entries.set(name, await readScalar(value, name, key, signal));
        else if (value === null)
          state.#entries.set(name, null); // momentum_buffer, before 2.0
        else if (isTensor(value)) {
          const values = toFloat32(await readTensor(value, signal), value.dtype);
          state.#entries.set(name, tf.tensor(values, [...value.shape], 'float32'));
        } else throw wrong(name, key, 'no tensor');
      }
      for (const name of Object.keys(rule.scalars)) {
        if (state.#entries.size > 0 && !state.#entries.has(name)) throw wrong(name, key, 'missing');
      }
      return state;
    } catch (error) {
      state.dispose();
      throw error;
    }
  }

  get scalars(): Scalars {
    const scalars = [...this.#entries].filter(([, entry]) => typeof entry === 'number');
    return Object.fromEntries(scalars as [string, number][]);
  }

  set scalars(scalars: Scalars) {
    for (const [name, value] of Object.entries(scalars)) this.#entries.set(name, value);
  }

  /**
   * Makes what is not there yet of `tensors`, by what they are filled with; says whether it did.
   * Throws an Error where a state that has begun lacks something: only SGD begins in the middle.
   */
  complete(
    rule: Rule,
    tensors: Partial<Readonly<Record<string, number>>>,
    shape: readonly number[],
    key: string,
  ): boolean {
    const missing = Object.keys(tensors).filter((name) => !this.#entries.get(name));
    const hasBegun = Object.keys(rule.scalars).some((name) => this.#entries.has(name));
    if (hasBegun && missing.length > 0) throw wrong(missing[0]!, key, 'missing');
    if (!hasBegun) this.scalars = rule.scalars;
    for (const name of missing) {
      this.#entries.set(name, tf.keep(tf.fill([...shape], tensors[name]!, 'float32')));
    }
    return missing.length > 0;
  }

  /** What the rule's formula works with. */
  get terms(): Record<string, Term> {
    const tensors = [...this.#entries].filter(([, entry]) => entry instanceof tf.Tensor);
    return Object.fromEntries(tensors.map(([name, entry]) => [name, element(entry as tf.Tensor)]));
  }

  /** Takes new tensors in the place of old ones. */
  replace(tensors: Readonly<Record<string, tf.Tensor>>): void {
    for (const [name, tensor] of Object.entries(tensors)) {
      const old = this.#entries.get(name);
      if (old instanceof tf.Tensor) old.dispose();
      this.#entries.set(name, tf.keep(tensor));
    }
  }

  /** The state as torch saves it, read back from the backend as float32. */
  async write(): Promise<Dict> {
    const saved = new Dict();
    for (const [name, entry] of this.#entries) {
      if (entry === null) saved.set(name, null);
      else if (typeof entry === 'number') saved.set(name, floats([entry], []));
      else saved.set(name, floats(await entry.data<'float32'>(), entry.shape));
    }
    return saved;
  }

  dispose(): void {
    for (const entry of this.#entries.values()) {
      if (entry instanceof tf.Tensor) entry.dispose();
    }
    this.#entries.clear();
  }
}

function floats(values: ArrayLike<number>, shape: readonly number[]) {
  return tensorFromBytes(new Uint8Array(Float32Array.from(values).buffer), 'float32', shape);
}

/** A float32 scalar tensor since PyTorch 1.12, a plain number before. */
async function readScalar(
  value: Value,
  name: string,
  key: string,
  signal?: AbortSignal,
): Promise<number> {
  if (typeof value === 'bigint' || typeof value === 'number') return Math.fround(Number(value));
  if (isTensor(value)) return toFloat32(await readTensor(value, signal), value.dtype)[0]!;
  throw wrong(name, key, 'no number');
}

function wrong(name: Value, key: string, what: string): Error {
  return new Error(`optimizer: the state ${String(name)} of ${key} is ${what}`);
}
