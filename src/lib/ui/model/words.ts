/** What the Model page says: the source, what is built of it, and how its weights were found. */
import type { Candidate, CarriedForward, Fit, ModelEdits } from '#lib/worker/protocol.ts';
import { formatCount, plural } from '../format.ts';

export const words = {
  group: 'Model',
  commands: {
    choose: { title: 'Choose source files…', words: 'python py zip open' },
    folder: { title: 'Choose a folder of sources…', words: 'python repository open' },
    read: { title: 'Read the edited source', words: 'parse python' },
    carried: { title: 'Use the model of the file', words: 'torchscript exported build' },
    known: (model: string) => ({ title: `Use the source of ${model}`, words: 'recognised build' }),
    afresh: { title: 'Let missing weights start afresh', words: 'strict=False build' },
    asInFile: { title: 'Build the model as it is in the file', words: 'undo head lora freeze' },
    rename: { title: 'Add a rule that renames the file’s keys', words: 'prefix strip regex' },
  },

  empty: {
    title: 'A model needs weights first',
    text: 'Open a checkpoint; then bring the Python source of its nn.Module. TorchScript and .pt2 files bring their own.',
    action: 'Open a checkpoint',
  },
  runIt: 'Run it',
  trainIt: 'Train it',

  source: {
    title: 'Source',
    file: 'Source file',
    edited: 'edited',
    choose: 'Choose .py or .zip',
    read: 'Read',
    keys: 'Tab indents; Esc, then Tab leaves the editor. Ctrl+F finds.',
    failedTitle: 'The source could not be read',
  },
  editor: {
    label: 'Python source of the model',
    description: 'Tab indents. To leave the editor press Escape, then Tab.',
    placeholder:
      'Paste the Python source of the nn.Module here, or drop .py files, a folder or a .zip of them. It is read, never run.',
  },

  /** What a model is built from. */
  build: {
    title: 'Build',
    build: 'Build',
    again: 'Build again',
    weights: 'Weights (state_dict)',
    stateDict: (label: string, tensors: number, elements: number) =>
      `${label} · ${plural(tensors, 'tensor')}, ${formatCount(elements)} elements`,
    noStateDict: 'nothing here looks like a state_dict',
    needs: (names: readonly string[]) => `needs ${names.join(', ')}`,
    ofFile: 'the model of the file',
    building: (what: string) => `Building ${what}`,
    failed: (what: string) => `Could not build ${what}`,
    failedTitle: 'The model could not be built',
    wentWrong: 'What went wrong',
    stillThere: (name: string) => `${name}, built before, is still in place.`,
    remarks: 'Remarks',
  },

  candidates: {
    title: 'Model',
    filter: 'Filter the models',
    filterExample: (count: number) =>
      `Filter ${plural(count, 'class or function', 'classes and functions')}`,
    carried: 'the file’s own',
    none: 'Paste or drop the source first',
    /** One of the list; its file is told where there are several. */
    option: ({ name, kind, file, line }: Candidate, isOfSeveral: boolean, fitsWhole: boolean) =>
      `${name} · ${kind}, ${isOfSeveral ? `${file} ` : ''}line ${line}${fitsWhole ? ' · all keys fit' : ''}`,
    fit: ({ matched, keys }: Fit) =>
      matched === keys
        ? `All ${plural(keys, 'key')} of the weights fit.`
        : `${matched} of ${plural(keys, 'key')} fit as it stands.`,
  },

  arguments: {
    of: (name: string) => `Arguments of ${name}`,
    /** Where a value that was filled in comes from. */
    origins: { configuration: 'configured', shapes: 'by shape', custom: 'by custom' },
    required: 'required',
    example: 'a Python literal',
  },

  recognised: {
    label: 'Recognised model',
    title: (model: string, isWhole: boolean) =>
      `${isWhole ? 'This is' : 'This has the names of'} ${model}`,
    body: 'Every key and every shape of the weights is equal to those of this model, whose source the lab has.',
    refused: (what: string) =>
      `But the configuration asks for ${what}, which that source does not compute. Paste the model’s own.`,
    assumed: (what: readonly string[]) =>
      `No shape tells the rest, which is taken by custom: ${what.join('; ')}.`,
    use: 'Use this source',
  },

  carried: {
    label: 'Forward pass in the file',
    title: 'This file carries its own forward pass',
    wholeTitle: 'This file holds a whole module',
    kinds: {
      torchscript: 'TorchScript’s code is read like a source. Nothing of it runs.',
      exported:
        'The program of torch.export is read operator by operator, for the shapes that it was exported for.',
      module: 'The module was pickled whole: its layers are rebuilt from their attributes.',
    } satisfies Record<CarriedForward['kind'], string>,
    /** Before and after the names of classes. */
    needsSource: ['Bring the .py that defines', '; its arguments are not needed.'],
    hasSource: 'The file has the source of its classes.',
    andOthers: (names: string, others: number) =>
      `${names} and ${plural(others, 'other class', 'other classes')}`,
    use: 'Use the model of the file',
    again: 'Build it again',
  },

  report: {
    title: 'Load report',
    allMatched: 'All keys matched',
    ready: 'Ready to run',
    missingWeights: 'Weights are missing',
    facts: {
      model: 'Model',
      parameters: 'Parameters',
      matched: 'Matched',
      forward: 'forward',
      example: 'Example',
      optimizer: 'Optimizer',
    },
    matched: (keys: number) => plural(keys, 'key'),
    optimizer: (name: string, states: number) => `${name}, ${plural(states, 'state')}`,
    noOptimizer: 'no state that fits',
    stripped: 'Prefix stripped from the file’s keys:',
    missing: { title: 'Missing keys', hint: 'in the model, not in the file' },
    unexpected: { title: 'Unexpected keys', hint: 'in the file, not in the model' },
    mismatched: { title: 'Size mismatch', hint: 'file, then model' },
    fresh: { title: 'Fresh weights', hint: 'not from the file' },
    copy: (list: string) => `Copy ${list.toLowerCase()}`,
    startAfresh: 'Let what is missing start afresh',
    notStrict: 'strict=False',
    builtWith: 'Built with',
    changes: ({ head, freeze, lora, fresh, strict }: ModelEdits): string[] => [
      ...(head ? [`head of ${head.outputs}`] : []),
      ...(freeze.length > 0 ? ['frozen parts'] : []),
      ...(lora ? [`LoRA of rank ${lora.rank}`] : []),
      ...(fresh.length > 0 ? ['fresh weights'] : []),
      ...(strict ? [] : ['strict=False']),
    ],
    asInFile: 'As in the file',
  },

  rename: {
    title: 'Rename the file’s keys',
    rules: (count: number) => plural(count, 'rule'),
    changed: (keys: number) => plural(keys, 'key changes', 'keys change'),
    clashes: (count: number) => plural(count, 'clashes', 'clash'),
    list: 'Keys that change',
    taken: '(taken)',
    none: 'No key changes.',
    add: 'Add a rule',
    apply: 'Build with these names',
  },
} as const;
