import type { SaveChoice } from '#lib/worker/protocol.ts';

export interface SnippetSubject {
  choice: Pick<SaveChoice, 'contents' | 'format'>;
  /** File name as it was saved. */
  name: string;
  /** How the model is made: `DigitsCNN(classes=10)`; null where no model was built. */
  model: string | null;
  /** The module that has it: `model`. */
  module: string;
  /** How Python reaches the state_dict from the loaded checkpoint: `['model']`, or nothing. */
  stateDict: string;
}

const imports: Readonly<Record<SaveChoice['format'], readonly string[]>> = {
  pt: ['import torch'],
  safetensors: ['from safetensors.torch import load_file'],
  npz: ['import numpy', 'import torch'],
};

const torchLoad = (file: string) => `torch.load(${file}, map_location="cpu", weights_only=True)`;

/** Lines that make `weights` of a file, whose name is a Python string. */
const weights: Readonly<Record<SaveChoice['format'], (file: string) => readonly string[]>> = {
  pt: (file) => [`weights = ${torchLoad(file)}`],
  safetensors: (file) => [`weights = load_file(${file})`],
  npz: (file) => [
    `with numpy.load(${file}) as arrays:`,
    '    weights = {key: torch.from_numpy(arrays[key]) for key in arrays.files}',
  ],
};

/** Python that loads what was saved, ready to paste. */
export function snippet({ choice, name, model, module, stateDict }: SnippetSubject): string {
  const file = JSON.stringify(name);
  const className = model ? (/^\w+/.exec(model)?.[0] ?? 'Model') : 'Model';
  const isCall = model === null || model.includes('(');
  const lines = [...imports[choice.format], `from ${module} import ${className}`, ''];
  const target = isCall ? 'model' : className;
  if (isCall) lines.push(`model = ${model ?? 'Model()'}`);
  if (choice.contents === 'weights') {
    lines.push(...weights[choice.format](file), `${target}.load_state_dict(weights)`);
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
