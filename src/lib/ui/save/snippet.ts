import type { SaveChoice } from '#lib/worker/protocol.ts';

export interface SnippetSubject {
  choice: Pick<SaveChoice, 'contents' | 'format' | 'sharded'>;
  /** Name of the file as it was saved; of shards, the folder's. */
  name: string;
  /** How the model is made: `DigitsCNN(classes=10)`; null where no model was built. */
  model: string | null;
  /** The module that has it: `model`. */
  module: string;
  /** The head that was made anew, of a model that was changed before training. */
  head?: { module: string; outputs: number; isLinear: boolean } | null;
  /** How Python reaches the state_dict from the loaded checkpoint: `['model']`, or nothing. */
  stateDict: string;
}

const imports: Readonly<Record<SaveChoice['format'], readonly string[]>> = {
  pt: ['import torch'],
  pth: ['import torch'],
  bin: ['import torch'],
  safetensors: ['from safetensors.torch import load_file'],
  npz: ['import numpy', 'import torch'],
};

const torchLoad = (file: string) => `torch.load(${file}, map_location="cpu", weights_only=True)`;

/** Lines that make `weights` of a file, whose name is a Python string. */
function weights(
  { format, sharded }: Pick<SaveChoice, 'format' | 'sharded'>,
  file: string,
): readonly string[] {
  if (format === 'npz') {
    return [
      `with numpy.load(${file}) as arrays:`,
      '    weights = {key: torch.from_numpy(arrays[key]) for key in arrays.files}',
    ];
  }
  const load = format === 'safetensors' ? (path: string) => `load_file(${path})` : torchLoad;
  if (!sharded) return [`weights = ${load(file)}`];
  return [
    'weights = {}',
    `for shard in sorted(Path(${file}).glob("*.${format}")):`,
    `    weights.update(${load('shard')})`,
  ];
}

/** Python that loads a file as it is, whatever it holds. */
export function loadSnippet(
  { format, sharded }: { format: SaveChoice['format']; sharded: boolean },
  name: string,
): string {
  const kind = sharded && format === 'pt' ? 'bin' : format;
  const path = sharded ? ['from pathlib import Path'] : [];
  const lines = weights({ format: kind, ...(sharded && { sharded }) }, JSON.stringify(name));
  return [...path, ...imports[kind], '', ...lines].join('\n');
}

/** Lines that give a model the head that its weights are of. */
function newHead(
  target: string,
  { module, outputs, isLinear }: NonNullable<SnippetSubject['head']>,
): string[] {
  const path = JSON.stringify(module);
  const bias = 'bias=head.bias is not None';
  const layer = isLinear
    ? `Linear(head.in_features, ${outputs}, ${bias})`
    : `Conv2d(head.in_channels, ${outputs}, head.kernel_size, head.stride, head.padding, ${bias})`;
  return [
    `head = ${target}.get_submodule(${path})`,
    `${target}.set_submodule(${path}, torch.nn.${layer})`,
  ];
}

/** Python that loads what was saved, ready to paste. */
export function snippet(subject: SnippetSubject): string {
  const { choice, name, model, module, stateDict, head } = subject;
  const file = JSON.stringify(name);
  const className = model ? (/^\w+/.exec(model)?.[0] ?? 'Model') : 'Model';
  const isCall = model === null || model.includes('(');
  const lines = [...imports[choice.format], `from ${module} import ${className}`, ''];
  if (choice.sharded) lines.unshift('from pathlib import Path');
  const target = isCall ? 'model' : className;
  if (isCall) lines.push(`model = ${model ?? 'Model()'}`);
  if (head && !lines.includes('import torch')) lines.unshift('import torch');
  if (head) lines.push(...newHead(target, head));
  if (choice.contents === 'weights') {
    lines.push(...weights(choice, file), `${target}.load_state_dict(weights)`);
  } else {
    lines.push(
      `checkpoint = ${torchLoad(file)}`,
      `${target}.load_state_dict(checkpoint${stateDict})`,
    );
  }
  return lines.join('\n');
}

/** The label of a state_dict as the end of a Python expression: nothing for the whole file. */
export function subscript(label: string): string {
  return label.startsWith('[') ? label : '';
}
