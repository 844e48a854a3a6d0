/**
 * data.py: a recipe as Python that makes the same examples out of the same files. Each kind of data
 * has its own template; what is written here are the columns, transforms and names of this data.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import type {
  ArraySpec,
  Augmentation,
  ColumnRecipe,
  DataRecipe,
  TargetSpec,
} from '#lib/inputs/data/dataset.ts';
import type { ImageRecipe } from '#lib/inputs/image.ts';
import {
  bracketed,
  keywords,
  pythonCall,
  pythonLiteral,
  pythonNumber,
  pythonString,
} from './python/literal.ts';
import { fillTemplate, type Filling } from './python/template.ts';
import augmented from './templates/augmented.py?raw';
import arrays from './templates/data_arrays.py?raw';
import idx from './templates/data_idx.py?raw';
import images from './templates/data_images.py?raw';
import table from './templates/data_table.py?raw';
import text from './templates/data_text.py?raw';

/** A data set as far as its Python needs it. */
export interface DataFacts {
  readonly input: ArraySpec;
  readonly target: TargetSpec;
  readonly recipe: DataRecipe;
  readonly augmentation: Augmentation | null;
  /** What makes the ids of a text without `characters`. */
  readonly tokenizer: TokenizerFiles | null;
}

/** Files of Hugging Face's tokenizers, by the names that the kind has them under. */
export interface TokenizerFiles {
  /** `tokenizer.json`; `vocab.json` and `merges.txt`; `vocab.txt`. */
  readonly kind: 'json' | 'byte_level_bpe' | 'word_piece';
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

export interface PythonData {
  readonly text: string;
  /** What it imports beyond the standard library and torch. */
  readonly packages: readonly string[];
}

type Recipe<K extends DataRecipe['kind']> = Extract<DataRecipe, { kind: K }>;

export function pythonData(facts: DataFacts): PythonData {
  const { recipe } = facts;
  switch (recipe.kind) {
    case 'arrays':
      return ofArrays(recipe, facts);
    case 'table':
      return ofTable(recipe, facts);
    case 'images':
      return ofImages(recipe, facts);
    case 'idx':
      return ofIdx(recipe, facts);
    case 'text':
      return ofText(recipe, facts);
    default:
      throw new Error(`export: there is no data ${(recipe satisfies never as DataRecipe).kind}`);
  }
}

/** Whether the data holds out examples itself. */
export function holdsOut(recipe: DataRecipe): boolean {
  switch (recipe.kind) {
    case 'arrays':
    case 'idx':
      return recipe.held !== null;
    case 'images':
      return recipe.folders.held !== null;
    case 'table':
    case 'text':
      return recipe.held.length > 0;
    default:
      return recipe satisfies never;
  }
}

/** Dtypes and shapes of one example; the shapes as the end of `reshape(-1, …)`. */
function specs({ input, target }: DataFacts): Record<string, string> {
  const dtype = (isFloat: boolean) => (isFloat ? 'torch.float32' : 'torch.int64');
  return {
    INPUT_DTYPE: dtype(input.dtype === 'float32'),
    TARGET_DTYPE: dtype(target.kind === 'numbers'),
    INPUT_SHAPE: input.shape.join(', '),
    TARGET_SHAPE: target.shape.join(', '),
  };
}

/** `reshape(-1, )` of a shape without axes is `reshape(-1)`. */
function fill(template: string, filling: Filling): string {
  return fillTemplate(template, filling).replaceAll('reshape(-1, )', 'reshape(-1)');
}

function ofArrays(recipe: Recipe<'arrays'>, facts: DataFacts): PythonData {
  const { train, held, divide } = recipe;
  const ending = (pattern: RegExp) => recipe.files.filter((file) => pattern.test(file));
  const files = {
    npz: ending(/\.npz$/i),
    npy: ending(/\.npy$/i),
    safetensors: ending(/\.safetensors$/i),
    torch: ending(/(?<!\.npz|\.npy|\.safetensors)$/i),
  };
  const augment = augmentOf(facts);
  if (augment && divide === 1 && isJittered(facts)) throw jitterError();
  const isPrefixed = recipe.files.length - files.npy.length > 1;
  const flags = {
    npz: files.npz.length > 0,
    npy: files.npy.length > 0,
    numpy: files.npz.length + files.npy.length > 0,
    torch: files.torch.length > 0,
    safetensors: files.safetensors.length > 0,
    divide: divide !== 1,
    channels_last: recipe.channelsLast,
    add_channel: recipe.addChannel,
    held: held !== null,
    augment: augment !== null,
  };
  const places = {
    ...specs(facts),
    NPZ_FILES: pythonLiteral(files.npz),
    NPY_FILES: pythonLiteral(files.npy),
    TORCH_FILES: pythonLiteral(files.torch),
    SAFETENSORS_FILES: pythonLiteral(files.safetensors),
    PREFIXED: isPrefixed ? 'f"{path.stem}/{name}"' : 'name',
    DIVIDE: pythonNumber(divide),
    ...augmentedPlaces(augment),
    TRAIN_INPUTS: pythonString(train.inputs),
    TRAIN_TARGETS: pythonString(train.targets),
    HELD_INPUTS: pythonString(held?.inputs ?? ''),
    HELD_TARGETS: pythonString(held?.targets ?? ''),
  };
  return {
    text: fill(arrays, { flags, places }),
    packages: [...(flags.safetensors ? ['safetensors'] : []), ...(augment ? ['torchvision'] : [])],
  };
}

function ofTable(recipe: Recipe<'table'>, facts: DataFacts): PythonData {
  const columns = [...recipe.features, ...recipe.targets];
  const kinds = new Set(columns.map((column) => column.as.kind));
  const flags = {
    header: recipe.header,
    numbers: kinds.has('numbers'),
    indices: kinds.has('class') || kinds.has('one_hot'),
    one_hot: kinds.has('one_hot'),
    held: recipe.held.length > 0,
    distinct: recipe.header && columns.some(({ name }) => /\.\d+$/.test(name)),
  };
  const listed = (recipes: readonly ColumnRecipe[]) => bracketed('[', recipes.map(columnOf), ']');
  const places = {
    ...specs(facts),
    SEPARATOR: pythonString(recipe.separator),
    COLUMNS: pythonLiteral([...new Set(columns.map(({ name }) => name))]),
    FEATURES: listed(recipe.features),
    TARGETS: listed(recipe.targets),
    FILES: pythonLiteral(recipe.files),
    HELD_FILES: pythonLiteral(recipe.held),
  };
  return { text: fill(table, { flags, places }), packages: [] };
}

/** `numbers(columns["age"], mean=38.2, std=13.1)`. */
function columnOf({ name, as }: ColumnRecipe): string {
  const cells = `columns[${pythonString(name)}]`;
  if (as.kind === 'numbers') {
    const { mean, std } = as;
    return pythonCall('numbers', [
      cells,
      ...(mean === undefined ? [] : [`mean=${pythonNumber(mean)}`]),
      ...(std === undefined ? [] : [`std=${pythonNumber(std)}`]),
    ]);
  }
  const function_ = as.kind === 'class' ? 'class_index' : 'one_hot';
  const areNumbers = as.categories.every((category) => String(Number(category)) === category);
  const categories = areNumbers ? as.categories.map(Number) : as.categories;
  return pythonCall(function_, [cells, pythonLiteral(categories)]);
}

function ofImages(recipe: Recipe<'images'>, facts: DataFacts): PythonData {
  const { picture, folders } = recipe;
  const augment = augmentOf(facts);
  const longer = picture.resize?.side === 'longer' ? picture.resize.size : null;
  const flags = {
    longer: longer !== null,
    bgr: picture.channels === 'BGR',
    bytes: picture.range === '0..255',
    signed: picture.range === '-1..1',
    augment: augment !== null,
    held: folders.held !== null,
  };
  const target = facts.target.kind === 'class' ? facts.target.classes : [];
  const places = {
    CLASSES: pythonLiteral(target),
    LONGER: String(longer),
    FILTER: `Image.${picture.interpolation.toUpperCase()}`,
    PREPARE: bracketed('[', prepareOf(picture), ']'),
    AUGMENT: bracketed('[', augment ?? [], ']'),
    FINISH: bracketed('[', finishOf(picture), ']'),
    TRAIN_FOLDER: pythonString(folders.train),
    HELD_FOLDER: pythonString(folders.held ?? ''),
  };
  return { text: fill(images, { flags, places }), packages: ['torchvision', 'pillow'] };
}

/** Up to a tensor from 0 to 1. */
function prepareOf({ channels, resize, interpolation, crop, invert }: ImageRecipe): string[] {
  const mode = `interpolation=transforms.InterpolationMode.${interpolation.toUpperCase()}`;
  const steps: string[] = [];
  if (channels === 'L') steps.push('transforms.Grayscale()');
  if (resize?.side === 'longer') steps.push('fit');
  else if (resize) {
    const size = resize.side === 'stretch' ? `(${resize.height}, ${resize.width})` : resize.size;
    steps.push(pythonCall('transforms.Resize', [String(size), mode]));
  }
  if (crop) steps.push(`transforms.CenterCrop((${crop.height}, ${crop.width}))`);
  if (invert) steps.push('transforms.RandomInvert(p=1)');
  return [...steps, 'transforms.ToTensor()'];
}

/** Steps of torchvision on tensors from 0 to 1; null where nothing is changed. */
function augmentOf({ augmentation, input }: DataFacts): string[] | null {
  if (!augmentation) return null;
  const { cropPadding, horizontalFlip, verticalFlip, jitter } = augmentation;
  const [, height, width] = input.shape;
  const steps: string[] = [];
  if (cropPadding > 0) {
    steps.push(`transforms.RandomCrop((${height}, ${width}), padding=${cropPadding})`);
  }
  if (horizontalFlip) steps.push('transforms.RandomHorizontalFlip()');
  if (verticalFlip) steps.push('transforms.RandomVerticalFlip()');
  const strengths = Object.entries(jitter).filter(([, strength]) => strength !== 0);
  if (strengths.length > 0) {
    steps.push(pythonCall('transforms.ColorJitter', keywords(Object.fromEntries(strengths))));
  }
  return steps.length > 0 ? steps : null;
}

/** What the templates of tensors need of it; `mean` and `std` where these were taken off before. */
function augmentedPlaces(
  steps: readonly string[] | null,
  statistics?: { readonly MEAN: string; readonly STD: string },
): Record<string, string> {
  if (!steps) return { TRAINING: 'training' };
  const places = { AUGMENT: bracketed('[', steps, ']'), ...statistics };
  const flags = { normalise: statistics !== undefined };
  return {
    AUGMENTED: fillTemplate(augmented, { flags, places }).trimEnd(),
    TRAINING: 'Augmented(training)',
  };
}

function isJittered({ augmentation }: DataFacts): boolean {
  return Object.values(augmentation?.jitter ?? {}).some((strength) => strength !== 0);
}

function jitterError(): FindingError {
  return new FindingError({
    code: 'export-augmentation',
    message: 'export: torchvision jitters floats from 0 to 1, the inputs are divided by 1',
    advice: 'Divide the pictures by 255, or leave the jitter out.',
  });
}

function finishOf({ channels, range, mean, std }: ImageRecipe): string[] {
  const isPlain = mean.every((value) => value === 0) && std.every((value) => value === 1);
  const count = channels === 'L' ? 1 : 3;
  const each = (values: readonly number[]) =>
    pythonLiteral(values.length === 1 ? Array.from({ length: count }, () => values[0]!) : values);
  return [
    ...(channels === 'BGR' ? ['to_bgr'] : []),
    ...(range === '0..255' ? ['to_bytes'] : []),
    ...(range === '-1..1' ? ['to_signed'] : []),
    ...(isPlain ? [] : [`transforms.Normalize(${each(mean)}, ${each(std)})`]),
  ];
}

function ofIdx({ train, held, mean, std }: Recipe<'idx'>, facts: DataFacts): PythonData {
  const augment = augmentOf(facts);
  const isNormalised = mean !== 0 || std !== 1;
  const statistics = { MEAN: pythonNumber(mean), STD: pythonNumber(std) };
  const places = {
    ...specs(facts),
    ...statistics,
    ...augmentedPlaces(augment, isNormalised ? statistics : undefined),
    TRAIN_IMAGES: pythonString(train.images),
    TRAIN_LABELS: pythonString(train.labels),
    HELD_IMAGES: pythonString(held?.images ?? ''),
    HELD_LABELS: pythonString(held?.labels ?? ''),
  };
  const flags = { normalise: isNormalised, augment: augment !== null, held: held !== null };
  return { text: fill(idx, { flags, places }), packages: augment ? ['torchvision'] : [] };
}

const tokenizerClasses = {
  json: { name: 'Tokenizer', make: 'Tokenizer.from_file' },
  byte_level_bpe: { name: 'ByteLevelBPETokenizer', make: 'ByteLevelBPETokenizer' },
  word_piece: { name: 'BertWordPieceTokenizer', make: 'BertWordPieceTokenizer' },
} as const;

function ofText(recipe: Recipe<'text'>, { tokenizer }: DataFacts): PythonData {
  const { characters } = recipe;
  if (!characters && !tokenizer) {
    throw new Error('export: the text has neither characters nor a tokenizer');
  }
  const { name, make } = tokenizerClasses[tokenizer?.kind ?? 'json'];
  const files = tokenizer?.files ?? [];
  const places = {
    BLOCK: String(recipe.block),
    STRIDE: String(recipe.stride),
    CHARACTERS: characters ? charactersOf(characters) : '',
    TOKENIZER_CLASS: name,
    TOKENIZER: pythonCall(
      make,
      files.map(({ path }) => `str(HERE / ${pythonString(path)})`),
    ),
    FILES: pythonLiteral(recipe.files),
    HELD_FILES: pythonLiteral(recipe.held),
  };
  const flags = { tokenizer: characters === null, held: recipe.held.length > 0 };
  return { text: fill(text, { flags, places }), packages: characters ? [] : ['tokenizers'] };
}

/** One text where each is one character to Python, as is usual; else a list. */
function charactersOf(characters: readonly string[]): string {
  const isText = characters.every((character) => [...character].length === 1);
  return isText ? pythonString(characters.join('')) : pythonLiteral(characters);
}
