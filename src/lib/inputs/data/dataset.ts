/**
 * A data set as training sees it: examples by index, each with one input and one target. They may
 * lie in memory, or be read from a disk batch by batch; the session does not know. Whatever kind of
 * file they came from, `recipe` says how, so that the same examples can be made again elsewhere.
 */
import type { ImageRecipe } from '../image.ts';

/** One tensor of an example, without the batch axis. int64 is held in 32 bits. */
export interface ArraySpec {
  readonly dtype: 'float32' | 'int64';
  readonly shape: readonly number[];
}

/** What the model is to give for an example. */
export type TargetSpec =
  /** A class index, or one for each place of `shape`; −100 counts nowhere, as in torch's losses. */
  | {
      readonly kind: 'class';
      readonly classes: readonly string[];
      readonly shape: readonly number[];
    }
  /** The id of the next token at each of the places. */
  | { readonly kind: 'tokens'; readonly vocabulary: number; readonly shape: readonly number[] }
  /** Numbers of `shape`: values to predict, probabilities of classes, or zeros and ones. */
  | {
      readonly kind: 'numbers';
      /** One for each number of a vector, one for all of another shape. */
      readonly names: readonly string[];
      readonly shape: readonly number[];
    };

/** Examples one behind the other, row-major: (count, …input shape) and (count, …target shape). */
export interface Batch {
  readonly count: number;
  readonly inputs: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
  readonly targets: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
}

export interface ReadOptions {
  /** Augments, where the data has augmentation: the same seed and index give the same picture. */
  readonly augment?: { readonly seed: number };
  readonly signal?: AbortSignal;
}

/** Examples of one purpose: training or held out. */
export interface Examples {
  readonly count: number;
  /** The class of each, for stratified splits and class weights; null where there is no one class. */
  readonly classes: Int32Array | null;
  /** The examples at `indices`, in their order. Throws a FindingError that names a bad one. */
  read(indices: ArrayLike<number>, options?: ReadOptions): Promise<Batch>;
}

export interface Dataset {
  /** The file's name, or the folder's. */
  readonly name: string;
  readonly input: ArraySpec;
  readonly target: TargetSpec;
  readonly train: Examples;
  /** Held out by the data itself; null where validation must be split off. */
  readonly held: Examples | null;
  readonly recipe: DataRecipe;
  /** Lines for people: what was scaled, standardised, left out. */
  readonly notes: readonly string[];
  /** A hash of the files' names, sizes and a sample of their bytes: whether data is the same. */
  readonly fingerprint: string;
}

/** A column of a table: its numbers, standardised or not, or its categories. */
export interface ColumnRecipe {
  readonly name: string;
  /** `numbers` are (x − mean) / std, where these are given; `categories` become one-hot, or ids. */
  readonly as:
    | { readonly kind: 'numbers'; readonly mean?: number; readonly std?: number }
    | { readonly kind: 'one_hot' | 'class'; readonly categories: readonly string[] };
}

/** Changes of pictures in training, drawn anew for each epoch; torchvision's names and units. */
export interface Augmentation {
  readonly horizontalFlip: boolean;
  readonly verticalFlip: boolean;
  /** RandomCrop of the input's size after padding each side by so many pixels; 0 is none. */
  readonly cropPadding: number;
  /** ColorJitter's brightness, contrast, saturation: factors from 1 − j to 1 + j; 0 is none. */
  readonly jitter: {
    readonly brightness: number;
    readonly contrast: number;
    readonly saturation: number;
  };
}

/** How files became examples, as plain JSON: what run.json keeps and train.py is written from. */
export type DataRecipe =
  | {
      /**
       * Arrays by name: npz, pt, safetensors have names; a .npy has the file's without `.npy`. Of
       * several files that have names, the file's without its extension stands before: `train/x`.
       */
      readonly kind: 'arrays';
      readonly files: readonly string[];
      readonly train: { readonly inputs: string; readonly targets: string };
      readonly held: { readonly inputs: string; readonly targets: string } | null;
      /** What the stored numbers are divided by. */
      readonly divide: number;
      /** (N, H, W, C) turned to (N, C, H, W). */
      readonly channelsLast: boolean;
      /** A channel axis was put before (H, W). */
      readonly addChannel: boolean;
    }
  | {
      readonly kind: 'table';
      /** Tables of the same columns, one behind the other. */
      readonly files: readonly string[];
      readonly held: readonly string[];
      readonly separator: string;
      readonly header: boolean;
      readonly features: readonly ColumnRecipe[];
      readonly targets: readonly ColumnRecipe[];
    }
  | {
      /** Folders named for their classes, with a `train` and `val` level above them or not. */
      readonly kind: 'images';
      /** The folders or zips that were brought. */
      readonly files: readonly string[];
      /** What the class folders lie in, by its path from where the files are, or in the zip. */
      readonly folders: { readonly train: string; readonly held: string | null };
      readonly picture: ImageRecipe;
      readonly augmentation: Augmentation | null;
    }
  | {
      /** MNIST's files: images and labels, of training and test. */
      readonly kind: 'idx';
      readonly files: readonly string[];
      readonly train: { readonly images: string; readonly labels: string };
      readonly held: { readonly images: string; readonly labels: string } | null;
      /** (pixel / 255 − mean) / std. */
      readonly mean: number;
      readonly std: number;
    }
  | {
      /** Text files one behind the other; an example is `block` tokens and the ones after each. */
      readonly kind: 'text';
      readonly files: readonly string[];
      readonly held: readonly string[];
      readonly block: number;
      /** Examples begin every so many tokens; the block for ones that do not overlap. */
      readonly stride: number;
      /** The characters by their ids; null where a tokenizer makes the ids. */
      readonly characters: readonly string[] | null;
    };
