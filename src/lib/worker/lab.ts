/**
 * The lab behind the page: the calls that the page may make, over what is open. It runs in a worker
 * and knows nothing of messages; `lab.worker.ts` connects it, tests call it directly.
 */
import type { OpenFile } from '#lib/storage/opfs.ts';
import { besideHandlers } from './lab.beside.ts';
import { compareHandlers } from './lab.compare.ts';
import { editHandlers } from './lab.edit.ts';
import { inspectHandlers } from './lab.inspect.ts';
import { keepHandlers } from './lab.keep.ts';
import { libraryHandlers } from './lab.library.ts';
import { modelHandlers } from './lab.model.ts';
import { openHandlers } from './lab.open.ts';
import { reportHandlers } from './lab.report.ts';
import { runHandlers } from './lab.run.ts';
import { safetyHandlers } from './lab.safety.ts';
import { saveHandlers } from './lab.save.ts';
import { LabState, type Handlers } from './lab.state.ts';
import { tableHandlers } from './lab.table.ts';
import { trainHandlers } from './lab.train.ts';
import type { CallName } from './protocol.ts';

export class Lab {
  readonly handlers: Handlers<CallName>;

  /** `openFile` opens files of the browser's private disk, where there is one. */
  constructor(openFile?: OpenFile) {
    const state = new LabState(openFile);
    this.handlers = {
      ...openHandlers(state),
      ...tableHandlers(state),
      ...besideHandlers(state),
      ...compareHandlers(state),
      ...reportHandlers(state),
      ...editHandlers(state),
      ...inspectHandlers(state),
      ...safetyHandlers(state),
      ...modelHandlers(state),
      ...runHandlers(state),
      ...trainHandlers(state),
      ...keepHandlers(state),
      ...libraryHandlers(state),
      ...saveHandlers(state),
    };
  }
}
