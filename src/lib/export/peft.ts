/**
 * LoRA as PEFT keeps it: `adapter_config.json` and `adapter_model.safetensors`, which go onto the same
 * base model in Python, and those of others onto a model here. Keys in the file stand below
 * `base_model.model.` and leave the adapter's name out; a new head is one of `modules_to_save`.
 */
import type { Edited } from '#lib/architecture/edit_model.ts';
import type { Lora, ModelEdits } from '#lib/architecture/edits.ts';
import { FindingError, type Finding } from '#lib/checkpoint/finding.ts';
import { tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, isTensor } from '#lib/checkpoint/value.ts';
import { isJsonObject, JsonError, parseJson, type Json } from '#lib/formats/json.ts';

export const CONFIG_FILE = 'adapter_config.json';
export const WEIGHTS_FILE = 'adapter_model.safetensors';

const PREFIX = 'base_model.model.';
const UPDATE = /\.(lora_[AB])\.(?:default\.)?weight$/;

export interface AdapterOptions {
  /** Where Python finds the base model; null leaves that to the code that loads it. */
  readonly base: string | null;
  readonly taskType: 'CAUSAL_LM' | 'SEQ_CLS' | 'TOKEN_CLS' | 'FEATURE_EXTRACTION' | null;
}

export interface WrittenAdapter {
  /** The text of adapter_config.json. */
  readonly config: string;
  /** What adapter_model.safetensors holds. */
  readonly tensors: Dict;
  readonly notes: readonly Finding[];
}

/**
 * The adapter of a model that was changed and trained. `floats` has its weights by state_dict key.
 * Throws a FindingError where an adapter cannot hold what was trained.
 */
export function writeAdapter(
  edits: ModelEdits,
  edited: Edited,
  floats: ReadonlyMap<string, Float32Array<ArrayBuffer>>,
  { base, taskType }: AdapterOptions,
): WrittenAdapter {
  const { lora, head } = edits;
  if (!lora) throw refused('the model has no LoRA', 'Save its weights as a checkpoint instead.');
  const tensors = new Dict();
  for (const { key, shape, requiresGrad, kind } of edited.module.state) {
    const isUpdate = UPDATE.test(key) && edited.fresh.has(key);
    const isHead = head !== null && key.startsWith(`${head.module}.`);
    if (isUpdate || isHead) {
      const values = floats.get(key);
      if (!values) throw new Error(`peft: no values for ${key}`);
      const name = PREFIX + (isUpdate ? key.replace(UPDATE, '.$1.weight') : key);
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      tensors.set(name, tensorFromBytes(bytes, 'float32', shape));
    } else if (kind === 'parameter' && requiresGrad) {
      throw refused(
        `"${key}" was trained beside the adapter, which has no place for it`,
        'Save the whole model, or merge LoRA into its weights.',
      );
    }
  }
  const config = {
    alpha_pattern: {},
    auto_mapping: null,
    base_model_name_or_path: base,
    bias: 'none',
    fan_in_fan_out: edited.lora.every(({ turned }) => turned),
    inference_mode: true,
    init_lora_weights: true,
    layers_pattern: null,
    layers_to_transform: null,
    lora_alpha: lora.alpha,
    lora_dropout: lora.dropout,
    modules_to_save: head ? [savedName(edited, head.module)] : null,
    peft_type: 'LORA',
    r: lora.rank,
    rank_pattern: {},
    revision: null,
    target_modules: targetModules(edited, lora),
    task_type: taskType,
    use_dora: false,
    use_rslora: false,
  };
  return { config: `${JSON.stringify(config, null, 2)}\n`, tensors, notes: movedBuffers(edited) };
}

/** Paths as they are without LoRA. */
function pathsOf({ module, lora }: Edited): string[] {
  const inside = lora.map(({ path }) => `${path}.`);
  return module.modules
    .map(({ path }) => path)
    .filter((path) => path !== '' && !inside.some((prefix) => path.startsWith(prefix)));
}

/** Names by which PEFT finds these layers and no others: short ones, whole paths, or a pattern. */
function targetModules(edited: Edited, { targets }: Lora): readonly string[] | string {
  const wanted = edited.lora.map(({ path }) => path);
  const paths = pathsOf(edited);
  const finds = (names: readonly string[]): boolean => {
    const found = paths.filter((path) =>
      names.some((name) => path === name || path.endsWith(`.${name}`)),
    );
    return found.length === wanted.length && found.every((path) => wanted.includes(path));
  };
  if (!targets.some((target) => /[*?[]/.test(target)) && finds(targets)) return targets;
  if (finds(wanted)) return wanted;
  return wanted.map((path) => path.replaceAll('.', String.raw`\.`)).join('|');
}

/** PEFT saves every module whose path ends so. */
function savedName(edited: Edited, head: string): string {
  const other = pathsOf(edited).find((path) => path !== head && path.endsWith(head));
  if (other === undefined) return head;
  throw refused(
    `modules_to_save cannot tell the head "${head}" from "${other}"`,
    'Save the whole model, or merge LoRA into its weights.',
  );
}

function movedBuffers({ module }: Edited): Finding[] {
  const moved = module.state.find(({ key }) => key.endsWith('running_mean'));
  if (!moved) return [];
  return [
    {
      code: 'peft-buffers',
      severity: 'warning',
      where: moved.key,
      message: 'peft: running statistics that moved in training are no part of an adapter',
      advice: 'Save the whole model if it was trained in train mode with BatchNorm.',
    },
  ];
}

export interface ReadAdapter {
  /** The changes that make room for it: `editModel(base, {...noEdits, ...edits})`. */
  readonly edits: Pick<ModelEdits, 'lora' | 'head'>;
  /** By the changed model's keys. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** Options that change what an adapter computes, and the values that change nothing. */
const neutral: Readonly<Record<string, readonly (Json | undefined)[]>> = {
  peft_type: ['LORA'],
  bias: ['none'],
  use_dora: [false],
  use_rslora: [false],
  use_qalora: [false],
  lora_bias: [false],
  layer_replication: [null],
  target_parameters: [null],
  trainable_token_indices: [null],
  alora_invocation_tokens: [null],
};

/** Reads an adapter. Throws a FindingError that names the option or key that is not supported. */
export function readAdapter(config: Uint8Array, weights: Dict): ReadAdapter {
  const options = optionsOf(config);
  for (const [name, values] of Object.entries(neutral)) {
    const value = options.get(name);
    if (value !== undefined && !values.includes(value)) {
      throw refused(`${name} ${JSON.stringify(value)} is not supported`, unsupportedAdvice);
    }
  }
  for (const name of ['rank_pattern', 'alpha_pattern']) {
    const value = options.get(name);
    if (isJsonObject(value) && value.pairs.length > 0) {
      throw refused(`${name} of single layers is not supported`, unsupportedAdvice);
    }
  }
  const layers = new Set<string>();
  const saved = new Map<string, Tensor>();
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of weights.entries()) {
    if (typeof name !== 'string' || !name.startsWith(PREFIX) || !isTensor(tensor)) {
      throw refused(`the key "${String(name)}" is none of an adapter`, unsupportedAdvice);
    }
    const key = name.slice(PREFIX.length).replace(/\.modules_to_save(\.default)?\./, '.');
    if (UPDATE.test(key)) {
      layers.add(key.replace(UPDATE, ''));
      tensors.set(key.replace(UPDATE, '.$1.default.weight'), tensor);
    } else if (/\.lora_\w+/.test(key)) {
      throw refused(`the key "${name}" is not supported`, unsupportedAdvice);
    } else {
      saved.set(key, tensor);
      tensors.set(key, tensor);
    }
  }
  const lora = {
    rank: number(options, 'r'),
    alpha: number(options, 'lora_alpha'),
    dropout: options.has('lora_dropout') ? number(options, 'lora_dropout') : 0,
    targets: [...layers],
  };
  return { edits: { lora, head: headOf(saved) }, tensors };
}

/**
 * The adapter's values for a model that was changed by its edits. Throws a FindingError where a
 * layer lacks its update, the model lacks a layer, or a size differs.
 */
export function adapterValues(edited: Edited, { tensors }: ReadAdapter): Map<string, Tensor> {
  const shapes = new Map(edited.module.state.map(({ key, shape }) => [key, shape]));
  for (const [key, { shape }] of tensors) {
    const own = shapes.get(key);
    if (own?.join() === shape.join()) continue;
    throw refused(
      own
        ? `"${key}" has the shape [${shape.join(', ')}], the model needs [${own.join(', ')}]`
        : `the model has no "${key}"`,
      'The adapter was made for another base model.',
    );
  }
  const missing = [...edited.fresh].find((key) => !tensors.has(key));
  if (missing === undefined) return new Map(tensors);
  throw refused(`the adapter has no "${missing}"`, 'The adapter was made for another base model.');
}

const unsupportedAdvice = 'Merge the adapter in Python (merge_and_unload) and open the result.';

function optionsOf(config: Uint8Array): Map<string, Json> {
  let json: Json;
  try {
    json = parseJson(config);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw refused(`${CONFIG_FILE} is no JSON: ${error.message}`, 'Take the file that PEFT wrote.');
  }
  if (isJsonObject(json)) return new Map(json.pairs);
  throw refused(`${CONFIG_FILE} holds no options`, 'Take the file that PEFT wrote.');
}

function number(options: ReadonlyMap<string, Json>, name: string): number {
  const value = options.get(name);
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value);
  throw refused(`${CONFIG_FILE} has no number ${name}`, 'Take the file that PEFT wrote.');
}

/** The one module that was saved whole. */
function headOf(saved: ReadonlyMap<string, Tensor>): ModelEdits['head'] {
  const paths = [...new Set([...saved.keys()].map((key) => key.replace(/\.[^.]*$/, '')))];
  const [path] = paths;
  if (path === undefined) return null;
  const weight = saved.get(`${path}.weight`);
  if (paths.length === 1 && weight) return { module: path, outputs: weight.shape[0] ?? 0 };
  throw refused(`modules_to_save other than one layer is not supported`, unsupportedAdvice);
}

function refused(message: string, advice: string): FindingError {
  return new FindingError({ code: 'peft', message: `peft: ${message}`, advice });
}
