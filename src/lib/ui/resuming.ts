/**
 * The way back into a kept run: what was opened by hand when it was started is opened again, with
 * the run's newest state as the checkpoint.
 */
import type { FoundRun, RunSettings } from '#lib/worker/protocol.ts';
import type { Lab } from './lab.svelte.ts';
import { words } from './words.ts';

/** Opens all that a run needs; false where that fails, which has been said. */
export async function openRun(lab: Lab, run: FoundRun): Promise<boolean> {
  if (!(await lab.runs.allow(run))) return false;
  const opened = await lab.runs.open(run);
  if (!opened) return false;
  const { source, edits, data } = opened;
  if (!(await lab.openCheckpoint({ file: opened.checkpoint }))) return false;
  if (!source) return withoutSource(lab, run);
  const { files, candidate, file } = source;
  if (!(await lab.model.setFiles(files, candidate, false, file))) return false;
  lab.model.arguments = { ...opened.arguments };
  lab.model.keptEdits = edits;
  const isBuilt = await lab.build('source', edits);
  if (data.files) await lab.openData(data.files, { wish: data.wish });
  lab.form.take(opened.settings);
  // One that has come to its end is a checkpoint like others: what follows is another run.
  if (run.epoch < opened.end) lab.training.continueRun({ id: run.id, end: opened.end }, run.place);
  if (opened.findings.length > 0) lab.problems.add(words.resuming.found(run.name), opened.findings);
  lab.go('/train');
  if (!data.files) return missing(lab, run, data.name);
  return isBuilt;
}

/** States hold weights and no code: a model that came out of a file is not made of them again. */
function withoutSource(lab: Lab, { name }: FoundRun): false {
  lab.problems.add(words.resuming.alone(name), [
    {
      code: 'runs.source',
      severity: 'info',
      message: words.resuming.withoutSource(name),
      advice: words.resuming.withoutSourceAdvice,
    },
  ]);
  lab.go('/checkpoint');
  return false;
}

function missing(lab: Lab, { name }: FoundRun, what: string): false {
  lab.problems.add(words.resuming.bring(what), [
    {
      code: 'runs.missing',
      severity: 'info',
      message: words.resuming.tooLarge(what, name),
      advice: words.resuming.tooLargeAdvice,
    },
  ]);
  return false;
}

/** The kept run with these settings that was cut off last. */
export async function findInterrupted(lab: Lab, settings: RunSettings): Promise<FoundRun | null> {
  await lab.runs.refresh();
  const lost = lab.runs.list?.filter(
    ({ state, name }) => state === 'interrupted' && name === settings.name,
  );
  return lost?.toSorted((a, b) => b.updated - a.updated)[0] ?? null;
}
