/** Which places the globs of an edit take. */
import { FindingError, type Finding } from '#lib/checkpoint/finding.ts';
import { globTest } from '#lib/checkpoint/glob.ts';
import type { Place } from './places.ts';

/** A glob fits a place by its full name or by its key; of several that fit, the last decides. */
export class Selection {
  readonly #area: string;
  readonly #globs: readonly {
    readonly text: string;
    /** The glob without the `!` that takes back. */
    readonly bare: string;
    readonly fits: (name: string) => boolean;
  }[];
  readonly #used = new Set<string>();

  /** `area` is the edit, for messages. Throws a FindingError for a glob that is none. */
  constructor(area: string, globs: readonly string[]) {
    this.#area = area;
    this.#globs = globs.map((text) => {
      const bare = text.replace(/^!/, '');
      return { text, bare, fits: this.#test(bare) };
    });
  }

  #test(glob: string): (name: string) => boolean {
    try {
      return globTest(glob);
    } catch {
      throw new FindingError({
        code: 'edit-glob',
        message: `${this.#area}: "${glob}" is no glob`,
        advice: 'Write [a-z] in the order of the alphabet, and [[] for a bracket.',
      });
    }
  }

  /** The glob that takes the place; null where none does. `counts` leaves globs out of account. */
  takes({ name, key }: Place, counts: (bare: string) => boolean = () => true): string | null {
    let taking: string | null = null;
    for (const { text, bare, fits } of this.#globs) {
      if (!counts(bare) || (!fits(name) && !fits(key))) continue;
      this.#used.add(text);
      taking = text === bare ? text : null;
    }
    return taking;
  }

  /** A note for each glob that fitted none of the places that `takes` was asked about. */
  idle(what = 'tensor'): Finding[] {
    return this.#globs
      .filter(({ text }) => !this.#used.has(text))
      .map(({ text }) => ({
        code: 'edit-idle',
        severity: 'warning' as const,
        message: `${this.#area}: "${text}" fits no ${what}`,
        advice: 'Compare it with the names here; edits before this one have already changed them.',
      }));
  }
}

/** Whether a glob has no wildcards: it names one thing. */
export function isName(glob: string): boolean {
  return !/[*?[]/.test(glob);
}
