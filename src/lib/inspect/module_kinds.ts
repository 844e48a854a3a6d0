/**
 * What kind of module a tensor belongs to, by the names and shapes of those that stand beside it:
 * a state_dict does not say. PyTorch's layers name their parameters in ways of their own
 * (torch/nn/modules); where several kinds leave the same traces, the kind names them all.
 */

export interface NamedShape {
  /** Full name, with dots. */
  readonly name: string;
  readonly shape: readonly number[];
}

/** For each tensor the kind of its module, or null where nothing tells. */
export function moduleKinds(tensors: readonly NamedShape[]): (string | null)[] {
  const modules = new Map<string, Map<string, readonly number[]>>();
  const places = tensors.map(({ name, shape }) => {
    const { module, key } = split(name);
    const members = modules.get(module) ?? new Map<string, readonly number[]>();
    modules.set(module, members.set(key, shape));
    return module;
  });
  const kinds = new Map([...modules].map(([name, members]) => [name, kindOf(members)]));
  return places.map((module) => kinds.get(module) ?? null);
}

/** The module and the key of its own: `conv1.weight` is `weight` of `conv1`. */
export function split(name: string): { module: string; key: string } {
  const dot = name.lastIndexOf('.');
  return { module: name.slice(0, Math.max(0, dot)), key: name.slice(dot + 1) };
}

function kindOf(members: ReadonlyMap<string, readonly number[]>): string | null {
  const has = (key: string) => members.has(key);
  if (has('running_mean') || has('num_batches_tracked')) return 'BatchNorm, InstanceNorm';
  if (has('in_proj_weight') || has('in_proj_bias')) return 'MultiheadAttention';
  if (has('weight_ih_l0') || has('weight_ih')) return 'LSTM, GRU, RNN';
  if (['lora_A', 'lora_B'].some(has)) return 'LoRA';
  const weight = members.get('weight');
  const bias = members.get('bias');
  switch (weight?.length) {
    case 1:
      return 'LayerNorm, GroupNorm, RMSNorm';
    case 2:
      return bias ? 'Linear' : 'Linear, Embedding';
    case 3:
      return 'Conv1d';
    case 4:
      return 'Conv2d';
    case 5:
      return 'Conv3d';
    default:
      return null;
  }
}
