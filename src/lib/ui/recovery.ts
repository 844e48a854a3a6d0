/**
 * After the lab's worker died: what was open is opened again, and a kept run that was cut off goes
 * on.
 */
import type { WorkerCrash } from '#lib/worker/client.ts';
import type { Lab } from './lab.svelte.ts';
import { findInterrupted } from './resuming.ts';
import { words } from './words.ts';

export class Recovery {
  readonly #lab: Lab;
  /** When the run was kept that was resumed by itself last: not twice from the same state. */
  #resumedAt = 0;

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  /**
   * A fresh worker knows nothing: what was open is opened again. What it died of is not, nor what
   * fails while it is opened again, so that a file cannot bring down one worker after the other.
   */
  async after(crash: WorkerCrash): Promise<void> {
    const lab = this.#lab;
    const { checkpoint, data, safety, training } = lab;
    const lost = training.running ? training.settings : null;
    const advice = [
      crash.files.length > 0 && words.recovery.notAgain(crash.files.join(', ')),
      training.unsaved && !lost && words.recovery.learnedLost,
    ];
    const tell = (outcome: string) =>
      lab.problems.add(words.recovery.title, [
        {
          code: 'worker.crash',
          severity: 'error',
          message: crash.message,
          advice: [...advice, outcome].filter(Boolean).join(' '),
        },
      ]);
    const had = checkpoint.opened !== null || data.opened !== null || lab.beside.list.length > 0;
    tell(had ? words.recovery.reopening : words.recovery.fresh);
    lab.running.backend = null;
    lab.graph.modelChanged();
    const curves = training.takeCurves();
    training.reset();
    lab.saving.reset();
    const run = lost && (await findInterrupted(lab, lost));
    if (run && run.updated > this.#resumedAt && (await lab.resumeRun(run))) {
      this.#resumedAt = run.updated;
      training.giveCurves(curves);
      tell(words.recovery.goesOn(run.name, run.epoch));
      return lab.train('checkpoint');
    }
    const { report, subject } = safety;
    await checkpoint.reopen();
    await lab.beside.reopen();
    await data.reopen();
    await lab.model.restore();
    if (report && subject) await safety.scan(subject, safety.chosen);
    if (lab.model.built) await lab.modelBuilt();
    if (run) advice.push(words.recovery.kept);
    else if (lost) advice.push(words.recovery.notKept);
    if (lost) advice.push(words.recovery.smallerBatch);
    if (had && (checkpoint.opened || data.opened)) tell(words.recovery.reopened);
  }
}
