/**
 * What a person may decide about data, and what they are told of it, both as plain JSON: the wish
 * comes from the page, and what it leaves out is guessed; the facts say what was found, what could
 * be chosen, and what was.
 */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { ImageRecipe } from '../image.ts';
import type { ArraySpec, DataRecipe, TargetSpec } from './dataset.ts';

/** Each kind of data looks at its own part. */
export interface DataWish {
  /**
   * Paths of files that hold what is held out; by default those that are named for it. Pictures go by
   * their folders alone.
   */
  readonly held?: readonly string[];
  readonly arrays?: ArraysWish;
  readonly table?: TableWish;
  readonly images?: { readonly picture?: ImageRecipe };
  /** Of MNIST's files: (pixel / 255 − mean) / std. */
  readonly idx?: { readonly mean?: number; readonly std?: number };
  readonly text?: { readonly block?: number; readonly stride?: number };
}

export interface ArraysWish {
  /** Names of arrays. */
  readonly inputs?: string;
  readonly targets?: string;
  /** Null where nothing is to be held out. */
  readonly heldInputs?: string | null;
  readonly heldTargets?: string | null;
  readonly inputsAs?: ArraySpec['dtype'];
  readonly targetsAs?: 'class' | 'numbers';
  readonly divide?: number;
  readonly channelsLast?: boolean;
  readonly addChannel?: boolean;
}

export interface TableWish {
  /** Names of columns. */
  readonly features?: readonly string[];
  readonly targets?: readonly string[];
  /** Columns whose numbers are names of classes, or the other way round. */
  readonly as?: Readonly<Record<string, 'numbers' | 'categories'>>;
  /** Columns to standardise; `true` for every feature of numbers, which is the default. */
  readonly standardise?: boolean | readonly string[];
}

/** What could be chosen. */
export type DataChoices =
  | {
      readonly kind: 'arrays' | 'idx';
      readonly arrays: readonly {
        readonly name: string;
        readonly dtype: Dtype;
        readonly shape: readonly number[];
      }[];
    }
  | { readonly kind: 'table'; readonly columns: readonly ColumnFacts[] }
  | {
      readonly kind: 'images';
      /** Height and width of some of the pictures. */
      readonly sizes: readonly (readonly [height: number, width: number])[];
    }
  | {
      readonly kind: 'text';
      /** Of the training text. */
      readonly tokens: number;
      /** The characters, where no tokenizer makes the ids. */
      readonly characters: readonly string[] | null;
    };

export interface ColumnFacts {
  readonly name: string;
  readonly guess: 'numbers' | 'categories';
  /** Some of its different cells. */
  readonly samples: readonly string[];
  /** How many different cells there are; null where they are too many to be counted. */
  readonly distinct: number | null;
  readonly missing: number;
  /** What it is where nothing is wished. */
  readonly role: 'feature' | 'target' | null;
}

export interface DataFacts {
  readonly name: string;
  readonly kind: DataRecipe['kind'];
  readonly train: number;
  /** Examples that the data holds out itself; null where there are none. */
  readonly held: number | null;
  readonly input: ArraySpec;
  readonly target: TargetSpec;
  /** Training examples of each class; null where an example has no one class. */
  readonly classCounts: readonly number[] | null;
  readonly choices: DataChoices;
  readonly recipe: DataRecipe;
  readonly notes: readonly string[];
  readonly fingerprint: string;
}

/** Data that cannot be trained on as it is, or not as wished; what else could be chosen. */
export class DataError extends FindingError {
  readonly choices: DataChoices | null;
  readonly #message: string;
  readonly #advice: string;

  constructor(message: string, advice: string, choices: DataChoices | null = null) {
    super({ code: 'data-unsuitable', message: `data: ${message}`, advice });
    this.name = 'DataError';
    this.choices = choices;
    this.#message = message;
    this.#advice = advice;
  }

  /** The same, with what could be chosen instead. */
  with(choices: DataChoices): DataError {
    return new DataError(this.#message, this.#advice, choices);
  }
}
