import type { Value } from '#lib/checkpoint/value.ts';
import type { Hints } from '../hints.ts';

/**
 * Constructor arguments that no shape tells: from the configuration that comes with the weights,
 * else what is usual in the family. What was taken by custom is kept in words, for a person to check.
 */
export class Customs {
  readonly assumed: string[] = [];
  readonly #hints: Hints;

  constructor(hints: Hints) {
    this.#hints = hints;
  }

  /** The first of `names` that the configuration has as a number; else `usual`, which `words` say. */
  number(names: readonly string[], usual: number, words: string): number {
    for (const name of names) {
      const given = this.#hints.get(name);
      if (typeof given === 'bigint' || typeof given === 'number') return Number(given);
    }
    this.assumed.push(words);
    return usual;
  }

  /** The same for a word, such as the name of an activation. */
  text(names: readonly string[], usual: string, words: string): string {
    for (const name of names) {
      const given = this.#hints.get(name);
      if (typeof given === 'string') return given;
    }
    this.assumed.push(words);
    return usual;
  }

  /** Attention heads that share `width` numbers, by custom `usual` numbers each. */
  heads(width: number, names: readonly string[], usual: number): number {
    for (const name of names) {
      const given = Number(this.#hints.get(name) ?? 0);
      if (given > 0 && width % given === 0) return given;
    }
    const count = width % usual === 0 ? width / usual : 1;
    this.assumed.push(
      `${count} attention ${count === 1 ? 'head' : 'heads'} of ${width / count} numbers`,
    );
    return count;
  }

  /** The kind of model that the configuration names: `bert`. */
  get kind(): string | null {
    const kind = this.#hints.get('model_type');
    return typeof kind === 'string' ? kind : null;
  }

  /**
   * False where the configuration names another kind of model: some have the same keys and compute
   * something else, as Gemma does with Llama's.
   */
  allows(kinds: RegExp): boolean {
    return this.kind === null || kinds.test(this.kind);
  }

  /** The class that the weights were saved from, where the configuration names one. */
  get architecture(): string | null {
    const names = this.#hints.get('architectures') ?? null;
    const [name] = typeof names === 'object' && names?.kind === 'list' ? names.items : [];
    return typeof name === 'string' ? name : null;
  }

  /** Whether the configuration has this very value. */
  says(name: string, value: Value): boolean {
    return this.#hints.get(name) === value;
  }
}
