/**
 * What a model is for, found out by trials: the first layers suggest what goes in, a trace says
 * whether forward takes it and what comes out. Tracing computes nothing and takes milliseconds.
 */
import type { Graph } from '#lib/architecture/graph.ts';
import type { ModuleTree } from '#lib/architecture/source.ts';
import type { Finding } from '#lib/checkpoint/finding.ts';
import { plainRecipe, recipes, type ImageRecipe } from '#lib/inputs/image.ts';
import type { InputSpec, ModelTask } from './protocol.ts';
import type { InputShape } from './running.ts';

/** Sides of pictures that published models take: of grey ones, and of coloured ones. */
const GREY_SIDES = [28, 32, 64, 96, 128, 224, 256, 299];
const SIDES = [224, 32, 64, 96, 128, 28, 256, 299];
/** Lengths of signals, for models that begin with a conv1d. */
const SAMPLES = [1024, 4096, 16000];
/** Lengths of texts; models with a fixed window take one of them at most. */
const TOKENS = [8, 16, 3, 4, 5, 10, 32, 64, 128];
/** Inputs of text models beside the ids, by the names that transformers gives them. */
const MASKS = /^(attention_mask|mask|input_mask)$/;
const SEGMENTS = /^(token_type_ids|segment_ids)$/;
const IDS = /(^|_)(ids?|idx|tokens?|words|characters|src|indices)$/;

/**
 * What the trials said; a finding where forward needs something that is not supported. `known` are
 * the inputs that a file with its own forward pass says it takes.
 */
export function findTask(
  module: ModuleTree,
  known?: readonly InputShape[],
): { task: ModelTask; findings: Finding[]; graph: Graph | null } {
  const refused: Finding[] = [];
  for (const inputs of suggestions(module, known)) {
    const traced = module.trace(inputs, { training: false });
    if (traced.ok) return { task: taskOf(inputs, traced.graph), findings: [], graph: traced.graph };
    refused.push(...traced.findings);
  }
  // A size that does not fit says nothing; an op that is missing would be for every size.
  const unsupported = refused.find(({ code }) => code === 'python-unsupported');
  return {
    task: unknownTask(module),
    graph: null,
    findings: unsupported ? [{ ...unsupported, severity: 'warning' }] : [],
  };
}

/** Inputs worth a trial, the likeliest first. */
function* suggestions(
  module: ModuleTree,
  known: readonly InputShape[] | undefined,
): Generator<InputSpec[]> {
  if (known) {
    yield known.map(({ shape, dtype }, at) => ({
      name: module.inputs[at]!,
      shape: [...shape],
      dtype,
    }));
  }
  const all = (shape: number[]): InputSpec[] =>
    module.inputs.map((name) => ({ name, shape, dtype: 'float32' }));
  const texts = TOKENS.map((length) => textInputs(module, [1, length]));
  const isText = looksLikeText(module);
  if (isText) yield* texts;
  for (const shape of shapesOf(module)) yield all(shape);
  if (!isText) yield* texts;
}

/** Shapes with a batch of one for the first weight that multiplies its input. */
function shapesOf(module: ModuleTree): number[][] {
  const first = module.state.find(({ shape }) => shape.length >= 2 && shape.length <= 4);
  const size = first?.shape[1];
  if (size === undefined) return [];
  switch (first!.shape.length) {
    case 2:
      return [[1, size]];
    case 3:
      return SAMPLES.map((length) => [1, size, length]);
    default:
      return (size === 3 ? SIDES : GREY_SIDES).map((side) => [1, size, side, side]);
  }
}

function textInputs(module: ModuleTree, shape: number[]): InputSpec[] {
  return module.inputs.map((name) => ({ name, shape, dtype: 'int64' }));
}

/** Names decide only what is tried first. */
function looksLikeText(module: ModuleTree): boolean {
  const first = module.state.find(({ shape }) => shape.length >= 2);
  return (
    module.inputs.some((name) => IDS.test(name)) || /emb|wte|tok|vocab/i.test(first?.key ?? '')
  );
}

function taskOf(inputs: InputSpec[], graph: Graph): ModelTask {
  const outputs = graph.outputs.map((id) => [...graph.nodes[id]!.shape]);
  const vocabulary = vocabularyOf(graph);
  const kind = kindOf(inputs, outputs, vocabulary, graph);
  const recipes = kind === 'image' ? recipesFor(inputs[0]!.shape.slice(1), outputs) : [];
  return { kind, inputs, outputs, vocabulary, recipes };
}

/** Outputs of classifiers of ImageNet: with TensorFlow's background class, too. */
const IMAGENET_CLASSES = [1000, 1001];

/** What a picture goes through before a model that takes (C, H, W). */
function recipesFor(shape: number[], outputs: readonly number[][]): ModelTask['recipes'] {
  const plain = { title: '0 to 1', recipe: plainRecipe(shape) };
  if (shape[0] === 1) return [plain];
  const whole: ImageRecipe = { ...plain.recipe, resize: null, crop: null };
  const published = [
    { title: 'ImageNet, 256 and 224', recipe: recipes.imagenet },
    { title: 'ImageNet V2, 232 and 224', recipe: recipes.imagenetV2 },
    { title: 'ImageNet, ±1, 342 and 299', recipe: recipes.inception },
    { title: 'CLIP, bicubic', recipe: recipes.clip },
  ];
  const unscaled = [
    { title: 'Whole picture, 0 to 1', recipe: whole },
    { title: 'MTCNN, whole picture', recipe: recipes.mtcnn },
  ];
  const [output] = outputs;
  if (output?.length === 2 && IMAGENET_CLASSES.includes(output[1]!)) {
    return [...published, plain, ...unscaled];
  }
  // Several maps are a detector's, as MTCNN's first net gives them.
  if (outputs.length > 1) return [unscaled[1]!, plain, unscaled[0]!, ...published];
  return [plain, ...unscaled, ...published];
}

/** Without a trial: the suggestion stays a guess that the person may correct. */
function unknownTask(module: ModuleTree): ModelTask {
  const [shape] = shapesOf(module);
  const inputs = module.inputs.map((name): InputSpec => {
    return { name, shape: shape?.length === 2 ? shape : [], dtype: 'float32' };
  });
  const isVector = inputs.length === 1 && shape?.length === 2;
  return {
    kind: isVector ? 'vector' : 'tensors',
    inputs,
    outputs: [],
    vocabulary: null,
    recipes: [],
  };
}

function kindOf(
  inputs: readonly InputSpec[],
  outputs: readonly number[][],
  vocabulary: number | null,
  graph: Graph,
): ModelTask['kind'] {
  const [input] = inputs;
  const [output] = outputs;
  if (!input || !output) return 'tensors';
  // A program that was exported for one batch takes no other, so pictures and rows do not fit one by one.
  if (input.shape[0] !== 1) return 'tensors';
  if (vocabulary !== null && inputs.every(({ name }, at) => at === 0 || isBeside(name))) {
    if (output.length > 1 && output.at(-1) === vocabulary) {
      return output.length === 3 && looksAhead(graph) ? 'tensors' : 'write';
    }
    return output.length === 2 || output.length === 3 ? 'compare' : 'tensors';
  }
  if (inputs.length > 1 || input.dtype !== 'float32') return 'tensors';
  if (input.shape.length === 2) return 'vector';
  return input.shape.length === 4 && [1, 3].includes(input.shape[1]!) ? 'image' : 'tensors';
}

/** Whether places see those after them. Such a model fills gaps, as BERT does, and cannot go on. */
function looksAhead({ nodes }: Graph): boolean {
  return nodes.some((node) => {
    if (node.op !== 'scaled_dot_product_attention' || node.attrs.is_causal) return false;
    const [, , , mask] = node.inputs;
    return mask === null || nodes[mask]!.shape.at(-2) === 1;
  });
}

/** Whether an input is one that goes with token ids: a mask of ones, or segments of zeros. */
export function isBeside(name: string): boolean {
  return MASKS.test(name) || SEGMENTS.test(name);
}

/** The number that such an input is filled with, for one text without padding. */
export function besideValue(name: string): number {
  return MASKS.test(name) ? 1 : 0;
}

/** Rows of the table that the first input's ids look up; null where they do not. */
function vocabularyOf({ nodes, inputs }: Graph): number | null {
  const lookup = nodes.find((node) => node.op === 'embedding' && node.inputs[0] === inputs[0]);
  if (lookup?.op === 'embedding') return nodes[lookup.inputs[1]]!.shape[0]!;
  const spread = nodes.find((node) => node.op === 'one_hot' && node.inputs[0] === inputs[0]);
  return spread?.op === 'one_hot' ? spread.attrs.num_classes : null;
}
