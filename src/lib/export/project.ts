/**
 * A run as a PyTorch project: the model's source, data.py, train.py and the checkpoint, so that it
 * goes on in plain PyTorch where it stands, on one machine or on many. The text is what the user goes
 * on with: it says what this run does and nothing else.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { ModuleTree } from '#lib/architecture/source.ts';
import type { ArraySpec, DataRecipe, TargetSpec } from '#lib/inputs/data/dataset.ts';
import { holdsOut, pythonData, type TokenizerFiles } from './data.ts';
import { pythonEdits, type ProjectEdits } from './edits.ts';
import { readme } from './readme.ts';
import { pythonSource, type SourceModel } from './source.ts';
import { isRange, pythonTraining, words, type Split, type WholeSettings } from './train.ts';

export interface ProjectParts {
  /** With class weights as numbers: see `resolveLoss`. */
  readonly settings: WholeSettings;
  /** Null where the opened file brings its own forward pass: such a model has no Python. */
  readonly source: SourceModel | null;
  /** The model with its edits, as it was trained. */
  readonly module: Pick<ModuleTree, 'modules'>;
  readonly edits: ProjectEdits;
  /** Whether the optimizer's param_groups list frozen parameters, too, as a file's may. */
  readonly optimized: 'all' | 'trained';
  readonly data: {
    readonly input: ArraySpec;
    readonly target: TargetSpec;
    readonly recipe: DataRecipe;
  };
  /** Which of the training examples are for what; null where the data holds out its own. */
  readonly split: Split | null;
  readonly tokenizer: TokenizerFiles | null;
  /** The output that the loss is taken of: its name in the graph, its shape without the batch. */
  readonly output: { readonly name: string; readonly shape: readonly number[] };
  /** Batches of the epoch in progress behind the state that the project begins with. */
  readonly batch: number;
  /** `last.pt`, which training goes on from, `best.pt`, `metrics.csv`, data: put in as they are. */
  readonly files: readonly ProjectFile[];
}

export interface ProjectFile {
  /** Relative to the project's folder, with slashes. */
  readonly path: string;
  readonly content: string | Uint8Array | Blob;
}

/** Throws a FindingError where the run cannot be said in Python. */
export function projectFiles(parts: ProjectParts): ProjectFile[] {
  const { settings, data, split, tokenizer, module } = parts;
  if (!parts.source) {
    throw new FindingError({
      code: 'export-source',
      message: 'export: the model was run from the file itself and has no Python source',
      advice: 'Open its source on the Model page, and train with that.',
    });
  }
  const isHeldOut = settings.data.validationShare === 0;
  if (isHeldOut !== (split === null) || (isHeldOut && !holdsOut(data.recipe))) {
    throw new Error('export: the split does not fit the settings and the data');
  }
  const names = moduleNames(parts.source);
  const source = pythonSource(parts.source, words);
  const edits = pythonEdits(parts.edits, names.edits);
  // What is split off is split off by train.py, even where the data holds out something.
  const recipe = split === null ? data.recipe : withoutHeld(data.recipe);
  const examples = pythonData({
    ...data,
    recipe,
    augmentation: settings.data.augmentation,
    tokenizer,
  });
  const train = pythonTraining({
    settings,
    source,
    edits,
    optimized: parts.optimized,
    target: data.target,
    outputName: parts.output.name,
    outputShape: parts.output.shape,
    split,
    isPartial: parts.batch > 0,
    hasBatchNorm: module.modules.some(({ type }) => type.startsWith('BatchNorm')),
    dataModule: names.data,
    isStreamed: recipe.kind === 'images',
  });
  const isFile = split !== null && !(isRange(split.train) && isRange(split.validation));
  const text = (path: string, content: string): ProjectFile => ({ path, content });
  return [
    text('README.md', readme(parts)),
    text('requirements.txt', requirements(parts, examples.packages)),
    text('train.py', train),
    text(`${names.data}.py`, examples.text),
    ...(edits.text === null ? [] : [text(`${names.edits}.py`, edits.text)]),
    ...source.files.map(({ path, text: content }) => text(path, content)),
    ...(isFile ? [text('split.json', splitText(split))] : []),
    ...(recipe.kind === 'text' && !recipe.characters ? (tokenizer?.files ?? []) : []).map(
      ({ path, text: content }) => text(path, content),
    ),
    ...parts.files,
  ];
}

/** Names for data.py and edits.py that no module of the source has. */
function moduleNames({ files }: SourceModel): { data: string; edits: string } {
  const taken = new Set(files.flatMap(({ name }) => name.replace(/\.py$/, '').split(/[\\/]/)));
  const free = (name: string): string => (taken.has(name) ? free(`run_${name}`) : name);
  return { data: free('data'), edits: free('edits') };
}

function withoutHeld(recipe: DataRecipe): DataRecipe {
  switch (recipe.kind) {
    case 'arrays':
    case 'idx':
      return { ...recipe, held: null };
    case 'images':
      return { ...recipe, folders: { ...recipe.folders, held: null } };
    case 'table':
    case 'text':
      return { ...recipe, held: [] };
    default:
      return recipe satisfies never;
  }
}

function splitText({ train, validation }: Split): string {
  return `${JSON.stringify({ train: Array.from(train), validation: Array.from(validation) })}\n`;
}

/**
 * Before 2.0 `weights_only` took no floats; GradScaler of every device came with 2.3, and
 * set_submodule with 2.5.
 */
function requirements({ settings, edits }: ProjectParts, packages: readonly string[]): string {
  const version = edits.head || edits.lora ? '2.5' : settings.scaler ? '2.3' : '2.0';
  return ['numpy', ...packages, `torch>=${version}`]
    .toSorted()
    .map((line) => `${line}\n`)
    .join('');
}
