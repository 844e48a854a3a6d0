/** What the form says of the model: where it starts from, and what of it is trained. */
import type { ModelEdits } from '#lib/worker/protocol.ts';
import { formatCount, plural } from '../../format.ts';
import type { FreezeMode, TrainedCount } from '../freezing.ts';

export const words = {
  title: 'What is trained',
  /** After the count of what is trained. */
  counted: ({ trained, frozen }: TrainedCount, isLora: boolean) =>
    (frozen > 0 ? `of ${formatCount(trained + frozen)} parameters` : 'parameters, all of them') +
    (isLora ? ', by LoRA' : ''),
  start: 'Where the weights come from',
  startsFrom: 'Starts from',
  carried: 'the file’s weights',
  checkpoint: 'the checkpoint’s weights',
  afresh: 'afresh',
  changes: 'Changes of the model',
  apply: 'Apply to the model',

  head: {
    title: 'Head',
    differs: (outputs: number, wanted: number, isClass: boolean) =>
      `${outputs} outputs, the data has ` +
      (isClass ? plural(wanted, 'class', 'classes') : plural(wanted, 'target')),
    asInFile: (module: string) => `${module}, as in the file`,
    summary: (module: string, outputs: number, isNew: boolean) =>
      `${isNew ? 'new ' : ''}${module}, ${plural(outputs, 'output')}`,
    replace: (module: string) => `Replace \`${module}\` by a new one`,
    outputs: 'Outputs',
    fit: (outputs: number) => `New head with ${plural(outputs, 'output')}`,
  },

  frozen: {
    title: 'Frozen',
    summary: (mode: FreezeMode, frozen: number, head: string | undefined) =>
      ({
        nothing: 'nothing',
        body: `all but ${head}`,
        chosen: `${formatCount(frozen)} parameters`,
      })[mode],
    byLora: 'everything that LoRA works beside',
    loraBody: 'LoRA leaves all weights as they are and trains what it adds.',
    keep: 'Keep as they are',
    modes: {
      nothing: 'nothing: all weights are trained',
      body: 'all but the head',
      chosen: 'as chosen',
    },
    globs: 'The same as globs; ! takes back',
    globsExample: 'encoder.* !encoder.norm.*',
    note: (frozen: number) =>
      `${plural(frozen, 'parameter')} with \`requires_grad = False\`. BatchNorm’s running statistics move all the same, as in PyTorch.`,
    trained: 'Trained',
    parameters: 'Parameters',
    tree: 'Modules that are trained',
    partsOf: (module: string) => `Parts of ${module}`,
  },

  lora: {
    title: 'LoRA',
    summary: (lora: ModelEdits['lora'], layers: number, parameters: number) =>
      lora
        ? `rank ${lora.rank}, alpha ${lora.alpha}, ${plural(layers, 'layer')}, ${formatCount(parameters)} parameters`
        : 'no',
    train: 'Train low-rank updates beside linear layers, and nothing else',
    taken: (layers: readonly string[]) =>
      `${plural(layers.length, 'layer')}: ${layers.slice(0, 3).join(', ')}${layers.length > 3 ? ', …' : ''}`,
    none: (names: readonly string[]) =>
      `No linear layer has such a name. There are ${names.slice(0, 8).join(', ')}.`,
  },

  fresh: {
    title: 'Fresh',
    summary: (count: number) => `${plural(count, 'weight')} start as PyTorch makes them`,
  },
} as const;
