/**
 * Paths of modules with places for numbers: `stages.{s}.blocks.{n}` fits the start of
 * `stages.0.blocks.12.norm.weight`, up to a dot. `{s+1}` is one more than `{s}` is elsewhere: that is
 * how a library that counts from 1 names what another counts from 0. `{2s+1}` is every other one.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { escaped } from '#lib/checkpoint/glob.ts';

export interface PathMatch {
  readonly numbers: ReadonlyMap<string, number>;
  /** What stands after the path, without the dot. */
  readonly rest: string;
}

/** `{n}`, `{n+1}`, `{2n+1}` */
const PLACE = /\{([1-9]\d?)?([a-z]+)(?:([+-])(\d{1,6}))?\}/g;
/** Indices as Python writes them, as far as they are exact, even times 99. */
const NUMBER = String.raw`(0|[1-9]\d{0,12})`;

interface Place {
  readonly name: string;
  readonly times: number;
  readonly add: number;
}

export class PathPattern {
  readonly text: string;
  /** Names of its numbers. */
  readonly names: ReadonlySet<string>;
  readonly #literals: readonly string[];
  readonly #places: readonly Place[];
  readonly #expression: RegExp;

  /** Throws a FindingError for braces that hold no number; `area` is the edit, for messages. */
  constructor(text: string, area: string) {
    this.text = text;
    this.#places = [...text.matchAll(PLACE)].map(([, times, name, sign, count]) => ({
      name: name!,
      times: Number(times ?? 1),
      add: Number(`${sign ?? ''}${count ?? 0}`),
    }));
    this.names = new Set(this.#places.map(({ name }) => name));
    this.#literals = text.replace(PLACE, '\0').split('\0');
    if (this.#literals.some((part) => /[{}]/.test(part))) {
      throw refused(
        `${area}: a brace in "${text}" is no place for a number`,
        'Write {n}, {n+1} for the number after it, or {2n} for every other one.',
      );
    }
    this.#expression = new RegExp(`^${this.#literals.map(escaped).join(NUMBER)}(?:\\.|$)`);
  }

  /** The numbers in a key that begins with the path; null where it does not. */
  match(key: string): PathMatch | null {
    const found = this.#expression.exec(key);
    if (!found) return null;
    const numbers = new Map<string, number>();
    for (const [at, { name, times, add }] of this.#places.entries()) {
      const number = (Number(found[at + 1]) - add) / times;
      if (number < 0 || !Number.isInteger(number) || (numbers.get(name) ?? number) !== number)
        return null;
      numbers.set(name, number);
    }
    return { numbers, rest: key.slice(found[0].length) };
  }

  /** The key with these numbers; null where one would be below 0. */
  fill({ numbers, rest }: PathMatch): string | null {
    const texts = this.#places.map(({ name, times, add }) => times * numbers.get(name)! + add);
    if (texts.some((number) => number < 0)) return null;
    const path = this.#literals.map((part, at) => part + (texts[at] ?? '')).join('');
    return [path, rest].filter((part) => part !== '').join('.');
  }
}

/** From one path to another. Throws a FindingError where the second has a number that is not known. */
export function pathStep(from: string, to: string, area: string): (key: string) => string | null {
  const [one, other] = [new PathPattern(from, area), new PathPattern(to, area)];
  const unknown = [...other.names].find((name) => !one.names.has(name));
  if (unknown !== undefined) {
    throw refused(
      `${area}: {${unknown}} of "${to}" is no number of "${from}"`,
      'Use the names of the first path in the second.',
    );
  }
  return (key) => {
    const match = one.match(key);
    return match && other.fill(match);
  };
}

function refused(message: string, advice: string): FindingError {
  return new FindingError({ code: 'rename-path', message, advice });
}
