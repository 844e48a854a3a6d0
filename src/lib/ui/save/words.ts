/** What the Save page says, and what is said of a file that was written. */
import type { SaveChoice } from '#lib/worker/protocol.ts';
import { formatBytes, plural } from '../format.ts';

/** `Weights, safetensors`, `Full checkpoint`. */
function kind({ contents, format, sharded }: SaveChoice): string {
  if (contents === 'plain') return 'Without what PyTorch refuses';
  const what = contents === 'checkpoint' ? 'Full checkpoint' : 'Weights';
  if (sharded) return `${what}, ${format} shards`;
  if (format === 'pth') return `${what}, before 1.6`;
  if (format === 'pt') return contents === 'checkpoint' ? what : `${what} only`;
  return `${what}, ${format}`;
}

export const words = {
  group: 'Save',
  commands: {
    saveAs: (kind: string) => ({ title: `Save as…: ${kind}`, words: 'write disk verify' }),
    download: (kind: string) => ({ title: `Download: ${kind}`, words: 'save file' }),
    export: (what: string) => ({ title: `Export ${what}`, words: 'download train elsewhere' }),
  },

  empty: {
    title: 'Nothing to save yet',
    text: 'Open a checkpoint. After training, its best and last states can be saved here too.',
    action: 'Open a checkpoint',
  },

  title: 'What to save',
  training: 'Training is running: best and last are as of the last epoch.',
  groups: {
    best: { title: 'Best', hint: 'by what the run watched' },
    last: { title: 'Last', hint: 'after the last step' },
    opened: { title: 'As opened', hint: 'unchanged' },
  },
  kind,
  moreFormats: 'More formats',
  nothing: 'Nothing can be saved right now.',

  fileName: 'File name',
  folderName: 'Folder name',
  largestShard: 'Largest shard',
  noSize: 'Enter a size such as 5 GB or 500 MB.',
  shards:
    'Model hubs take 5 GB. A tensor that is larger gets a file of its own; what fits in one file gets no index.',
  saveAs: 'Save as…',
  download: 'Download',
  downloadZip: 'Download as .zip',
  onlyDownload:
    'This browser cannot write to a place you choose, so the file goes to your downloads.',
  saveFolder:
    'Save as… makes the folder in the place you choose, then reads all files back and compares. Download puts them into one zip among your downloads.',
  saveFile:
    'Save as… writes to the place you choose, then reads the file back and compares. Download puts it among your downloads.',

  saving: (name: string) => `Saving ${name}`,
  notSaved: (name: string) => `Could not save ${name}`,
  written: (bytes: number, total: number) => `${formatBytes(bytes)} of ${formatBytes(total)}`,
  notListed: 'Could not list what can be saved',
  notAsked: 'Could not ask where to save',

  saved: {
    title: 'Saved',
    how: { picked: 'Saved', download: 'Downloaded' },
    /** Behind the name. */
    facts: (files: number | null, bytes: number, verified: boolean) =>
      (files === null ? '' : `, ${plural(files, 'file')}`) +
      `, ${formatBytes(bytes)}${verified ? ', read back and verified' : ''}.`,
    load: 'Load it in PyTorch',
    adapter:
      'Its keys are those of PEFT’s layers. The adapter, or the merged weights, are exported below.',
  },

  export: {
    title: 'Train on elsewhere',
    which: 'Which state goes along',
    states: { best: 'best', last: 'last' },
    project: {
      title: 'PyTorch project',
      body: '`model.py`, `train.py` with the same data, optimizer, schedule and seeds, `requirements.txt`, the checkpoint. Runs with `python` and under `torchrun`.',
      action: 'Export as PyTorch project',
      what: 'the project',
    },
    peft: {
      title: 'LoRA adapter',
      body: '`adapter_config.json` and `adapter_model.safetensors`, as PEFT loads them.',
      action: 'Export the adapter',
      what: 'the adapter',
    },
    merged: {
      title: 'Merged weights',
      body: 'The base’s weights with the updates added, as one `.pt`.',
      action: 'Export merged',
      what: 'the merged weights',
    },
    writing: (what: string) => `Writing ${what}`,
    failed: (what: string) => `Could not export ${what}`,
  },
} as const;
