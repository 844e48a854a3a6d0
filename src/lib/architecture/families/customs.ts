import type { Value } from '#lib/checkpoint/value.ts';
import type { Hints } from '../hints.ts';
import type { Proposal } from './family.ts';

/**
 * Constructor arguments that no shape tells: from the configuration that comes with the weights,
 * else what is usual in the family. What was taken by custom is kept in words, for a person to check.
 */
export class Customs {
  readonly #assumed: string[] = [];
  readonly #origins: Record<string, 'configuration' | 'custom'> = {};
  readonly #hints: Hints;

  constructor(hints: Hints) {
    this.#hints = hints;
  }

  /** Where the arguments come from, as a part of a proposal. */
  get origins(): Pick<Proposal, 'assumed' | 'origins'> {
    return { assumed: this.#assumed, origins: this.#origins };
  }

  /** Says something that no argument decides. */
  assume(words: string): void {
    this.#assumed.push(words);
  }

  /** The first of `names` that the configuration has as a number; else `usual`, which `words` say. */
  number(argument: string, names: readonly string[], usual: number, words: string): number {
    const given = this.#first(names, (value) =>
      typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined,
    );
    return this.#take(argument, given, usual, words);
  }

  /** The same for a word, such as the name of an activation. */
  text(argument: string, names: readonly string[], usual: string, words: string): string {
    const given = this.#first(names, (value) => (typeof value === 'string' ? value : undefined));
    return this.#take(argument, given, usual, words);
  }

  /** The argument `heads`: attention heads that share `width` numbers, by custom `usual` each. */
  heads(width: number, names: readonly string[], usual: number): number {
    const given = this.#first(names, (value) => {
      const count = typeof value === 'bigint' ? Number(value) : 0;
      return count > 0 && width % count === 0 ? count : undefined;
    });
    const count = width % usual === 0 ? width / usual : 1;
    const words = count === 1 ? '1 attention head' : `${count} attention heads`;
    return this.#take('heads', given, count, `${words} of ${width / count} numbers`);
  }

  #first<T>(names: readonly string[], read: (value: Value) => T | undefined): T | undefined {
    for (const name of names) {
      const found = read(this.#hints.get(name) ?? null);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #take<T>(argument: string, given: T | undefined, usual: T, words: string): T {
    this.#origins[argument] = given === undefined ? 'custom' : 'configuration';
    if (given === undefined) this.#assumed.push(words);
    return given ?? usual;
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
