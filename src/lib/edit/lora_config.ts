/**
 * What PEFT's adapter_config.json says of an adapter (peft/tuners/lora/config.py, `LoraConfig`): whether
 * it is plain LoRA, and by how much its pairs are scaled.
 */
import { isDict, isScalar, type Dict, type Value } from '#lib/checkpoint/value.ts';
import { refused } from './lora_pairs.ts';

/** Entries that say nothing of how a pair is merged, or are looked at here. */
const plain = new Set(
  [
    'peft_type peft_version task_type auto_mapping inference_mode runtime_config revision',
    'base_model_name_or_path r lora_alpha lora_dropout use_rslora rank_pattern alpha_pattern',
    'fan_in_fan_out init_lora_weights bias modules_to_save ensure_weight_tying target_modules',
    'exclude_modules target_parameters layers_to_transform layers_pattern',
    'eva_config megatron_core qalora_group_size',
  ].flatMap((line) => line.split(' ')),
);

/** First values that leave the model's weights as they are. PiSSA, OLoRA, LoftQ, CorDA, LoRA-GA do not. */
const firstValues = new Set<Value>([true, false, 'gaussian', 'eva', 'orthogonal', 'mica']);

/** Throws a FindingError for what changes the sum W + scaling · B·A, known or not. */
export function mustBePlain(config: Dict): void {
  const type = config.get('peft_type') ?? 'LORA';
  if (type !== 'LORA') throw otherMethod('peft_type', type);
  const first = config.get('init_lora_weights') ?? true;
  if (!firstValues.has(first)) throw otherMethod('init_lora_weights', first);
  for (const [key, value] of config.entries()) {
    if (!plain.has(String(key)) && isSet(value)) throw otherMethod(String(key), value);
  }
}

function isSet(value: Value): boolean {
  if (isScalar(value)) return value !== null && value !== false;
  return value.kind === 'dict' ? value.size > 0 : value.kind !== 'list' || value.items.length > 0;
}

function otherMethod(key: string, value: Value) {
  const text = isScalar(value) ? String(value) : 'set';
  return refused(
    'method',
    `${key} is ${text} in adapter_config.json, which is more than plain LoRA`,
    'Merge it with PEFT.',
  );
}

/** alpha / rank, or alpha / √rank (rsLoRA), as adapter_config.json says; else the given one. */
export function scalingOf(path: string, rank: number, config: Dict, given: number | null): number {
  const patterns = config.get('alpha_pattern');
  const own = isDict(patterns) ? patternFor(path, patterns) : undefined;
  const alpha = Number(own ?? config.get('lora_alpha') ?? NaN);
  if (Number.isFinite(alpha)) {
    return config.get('use_rslora') === true ? alpha / Math.sqrt(rank) : alpha / rank;
  }
  if (given !== null && Number.isFinite(given)) return given;
  throw refused(
    'scaling',
    'nothing says alpha / rank, by which the adapter is scaled',
    'Give it: adapter_config.json has lora_alpha and r.',
  );
}

/**
 * The first pattern that fits the end of a layer's path, from a dot on (peft/utils/other.py,
 * `get_pattern_key`). They are regular expressions, of which only names are taken, dots and a ^ for the
 * beginning: others, from a file, could take forever.
 */
function patternFor(path: string, patterns: Dict): Value | undefined {
  const name = path.replace(/^base_model\.model\./, '');
  for (const [key, value] of patterns.entries()) {
    const pattern = String(key);
    if (!/^\^?(?:[\w.-]|\\\.)+$/.test(pattern)) {
      throw refused(
        'pattern',
        `alpha_pattern has "${pattern}", which is more than a name`,
        'Merge it with PEFT.',
      );
    }
    if (new RegExp(`^(?:.*\\.)?(?:${pattern})$`, 'u').test(name)) return value;
  }
  return undefined;
}
