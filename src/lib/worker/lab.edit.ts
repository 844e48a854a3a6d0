/** Editing: the list of edits is the page's; what it makes of the open checkpoint is kept here. */
import { FindingError, type Finding } from '#lib/checkpoint/finding.ts';
import { parseLiteral } from '#lib/architecture/literal.ts';
import { TREE_KEY } from '#lib/edit/kept_tree.ts';
import { storageError } from '#lib/storage/errors.ts';
import { convert, isFlatOutput, isTorchOutput, outputFormats } from './conversion.ts';
import { Preview } from './edit_preview.ts';
import { attempt, notYet, shown, type Handlers, type LabState } from './lab.state.ts';
import type { Calls, Saved } from './protocol.ts';
import type { EditCalls, EditOutput } from './protocol.edit.ts';
import { readEdits } from './read_edits.ts';
import { elementBytes, mustLoad, saveFile, storedBytes, type WriteArguments } from './save.file.ts';
import { saveShards } from './save.shards.ts';

/** Errors that only the disk that is written to gives; others may be about the file that is read. */
const ofTarget = new Set(['QuotaExceededError', 'NoModificationAllowedError', 'NotAllowedError']);

export function editHandlers(state: LabState): Handlers<keyof EditCalls> {
  let count = 0;
  let newest: Preview | null = null;
  const need = (id: number): Preview => {
    if (newest?.id === id) return newest;
    throw notYet('edit: the list of edits has changed meanwhile', 'Try again.');
  };
  const converted = (id: number, output: EditOutput, stem: string) =>
    convert(need(id).tree, state.need().checkpoint, output, stem);

  return {
    previewEdits: ({ edits }, { signal }) =>
      attempt(signal, () => {
        const others = new Map([...state.beside].map(([id, { checkpoint }]) => [id, checkpoint]));
        const context = { others, literal: parseLiteral };
        newest = new Preview(++count, state.need().checkpoint, edits, context, newest);
        return Promise.resolve({ preview: newest.describe() });
      }),
    filterEdits: ({ id, show, text }) => (newest?.id === id ? newest.filter(show, text) : null),
    editRows: ({ id, start, count }) => (newest?.id === id ? newest.rows(start, count) : null),
    checkCasts: ({ id }, { signal, progress }) =>
      attempt(signal, async () => ({ overflows: await need(id).overflows({ signal, progress }) })),
    editLosses: ({ id, output }) =>
      newest?.id === id ? converted(id, output, 'tensor').losses.map(shown) : [],
    saveEdited: ({ id, output, name, ...place }, { signal, progress }) =>
      attempt(signal, async () => {
        const preview = need(id); // it may have a newer one when all is written
        if (!preview.ok) throw new FindingError(unfinished);
        const stem = name.replace(/\.[^.]+$/, '') || 'checkpoint';
        const { root, metadata, losses } = converted(id, output, stem);
        const refused = losses.find(({ severity }) => severity === 'error');
        if (refused) throw new FindingError(refused);
        const args = { ...place, openFile: state.openFile, signal, progress };
        const written = { root, metadata, output, name, stem };
        const write = output.sharded ? writeShards : writeFile;
        const saved = await write(written, args).catch((error: unknown) => {
          throw ofTarget.has((error as Error).name) ? storageError(error, name) : error;
        });
        return { saved, overflows: preview.counted() };
      }),
    readEdits: ({ text }, { signal }) =>
      attempt(signal, () => Promise.resolve({ edits: readEdits(text) })),
  };
}

const unfinished: Finding = {
  code: 'edit-failed',
  severity: 'error',
  message: 'edit: an edit failed, so that nothing was written',
  advice: 'Correct the edit, or switch it off.',
};

type Written = Pick<ReturnType<typeof convert>, 'root' | 'metadata'> & {
  readonly output: EditOutput;
  readonly name: string;
  readonly stem: string;
};
type Place = WriteArguments & Pick<Calls['saveEdited']['args'], 'directory' | 'shardSize'>;

async function writeFile(
  { root, metadata, output, name, stem }: Written,
  args: Place,
): Promise<Saved> {
  const total = isFlatOutput(output) ? elementBytes(root) : storedBytes(root);
  const format = outputFormats[output.format];
  const saved = await saveFile(root, { format, stem, name, total, texts: metadata }, args);
  if (isTorchOutput(output))
    await mustLoad(saved.file ?? (await args.handle!.getFile()), args.signal);
  return saved;
}

function writeShards({ root, metadata, output, name }: Written, args: Place): Promise<Saved> {
  const kind = isTorchOutput(output) ? 'bin' : 'safetensors';
  const isWhole = ([key]: readonly [string, string]) => key === TREE_KEY;
  const texts = new Map([...metadata].filter((text) => !isWhole(text)));
  const whole = new Map([...metadata].filter(isWhole));
  return saveShards(root, kind, name, { ...args, name, texts, whole });
}
