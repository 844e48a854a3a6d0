/** What the Open page says: the door, the bench, kept runs and samples. */
import type { FoundRun } from '#lib/worker/protocol.ts';
import { formatBytes, formatCount, plural } from '../format.ts';

export const words = {
  title: 'Open a PyTorch checkpoint',
  /** `Marked` shows backquotes as code. */
  body:
    'Drop it anywhere in this window: a `.pt`, `.pth`, `.bin`, `.ckpt`, `.safetensors` or `.gguf` ' +
    'file, the folder of a sharded or distributed one, and with it the model’s `.py` and its data: ' +
    '`.npz`, `.csv`, pictures.',
  promise: 'Nothing is uploaded. Nothing in the file is executed.',

  bench: {
    title: 'On the bench',
    checkpoint: 'Checkpoint',
    source: 'Source',
    data: 'Data',
    noCheckpoint: 'None yet',
    noSource: 'None yet. Needed to run and train.',
    noData: 'None yet. Needed to train.',
    size: (bytes: number, tensors: number) => `${formatBytes(bytes)}, ${plural(tensors, 'tensor')}`,
    model: (name: string, parameters: number) => `${name}, ${formatCount(parameters)} parameters`,
    notBuilt: 'not built yet',
  },

  samples: {
    title: 'Samples',
    lead: 'Small checkpoints that real PyTorch wrote, each with its source and its data.',
    origin: (licence: string, origin: string) => `${licence} licence. ${origin}`,
    open: 'Open sample',
    openTitle: (title: string) => `Open sample: ${title}`,
  },

  runs: {
    title: 'Runs',
    note: 'kept while they were trained',
    of: (model: string, data: string) => `${model} on ${data}`,
    epoch: (epoch: number, end: number, state: FoundRun['state'] | 'here') =>
      `epoch ${epoch} of ${end}${runStates[state]}`,
    noBest: 'nothing validated yet',
    best: (metric: string, value: string, epoch: number) =>
      `best ${metric} ${value}, epoch ${epoch}`,
    place: (bytes: number, place: FoundRun['place']) =>
      `${formatBytes(bytes)} ${place === 'private' ? 'on the private disk' : `in ${place.folder}/`}`,
    go: (run: FoundRun) => (run.state === 'ended' ? 'Open' : 'Resume'),
    goTitle: (run: FoundRun) => `${words.runs.go(run)} ${run.name}`,
    export: 'Export as .zip',
    exportTitle: (name: string) => `Export ${name} as .zip`,
    remove: (name: string) => `Remove ${name}`,
    removeTitle: (name: string) => `Remove the run ${name}?`,
    removePrivate: (bytes: number) =>
      `Its checkpoints and metrics, ${formatBytes(bytes)}, are deleted.`,
    removeListed: (folder: string) => `It is no longer listed; its files stay in ${folder}/.`,
  },
} as const;

const runStates = {
  here: ', in training',
  running: ', in another tab',
  interrupted: ', interrupted',
  ended: '',
} as const;
