import type { Value } from '#lib/checkpoint/value.ts';
import type { Hints } from '../hints.ts';
import type { Proposal } from './family.ts';

/** transformers' names for activations, some of them several for one. */
const ACTIVATIONS: ReadonlyMap<string, string> = new Map([
  ['gelu', 'gelu'],
  ['gelu_python', 'gelu'],
  ['gelu_new', 'gelu_new'],
  ['gelu_fast', 'gelu_new'],
  ['gelu_pytorch_tanh', 'gelu_new'],
  ['relu', 'relu'],
  ['silu', 'silu'],
  ['swish', 'silu'],
]);

/**
 * Constructor arguments that no shape tells: from the configuration that comes with the weights,
 * else what is usual in the family. What was taken by custom is kept in words, for a person to check.
 */
export class Customs {
  readonly #assumed: string[] = [];
  readonly #origins: Record<string, 'configuration' | 'custom'> = {};
  readonly #hints: Hints;
  #refused: string | undefined;

  constructor(hints: Hints) {
    this.#hints = hints;
  }

  /** What this reading adds to a proposal. */
  get reading(): Pick<Proposal, 'assumed' | 'origins' | 'refused'> {
    const refused = this.#refused === undefined ? {} : { refused: this.#refused };
    return { assumed: this.#assumed, origins: this.#origins, ...refused };
  }

  /** The configuration asks for something that the family's source does not compute: what. */
  refuse(words: string): void {
    this.#refused ??= words;
  }

  /**
   * Refuses where the configuration has another word than those: some kinds of model (`model_type`)
   * have the same keys and compute something else, as Gemma does with Llama's.
   */
  expect(name: string, words: RegExp, what: string): void {
    const given = this.#hints.get(name);
    if (typeof given === 'string' && !words.test(given)) this.refuse(`${what} ${given}`);
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

  /** The argument `act`, by the names that the families' sources know. */
  activation(names: readonly string[], usual: 'gelu' | 'gelu_new'): string {
    const given = this.#first(names, (value) => (typeof value === 'string' ? value : undefined));
    const known = given === undefined ? undefined : ACTIVATIONS.get(given);
    if (given !== undefined && known === undefined) this.refuse(`the activation ${given}`);
    return this.#take('act', known, usual, usual === 'gelu' ? 'exact GELU' : 'GELU by tanh');
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
