/** The printable report of the open checkpoint. */
import { findOptimizer } from '#lib/checkpoint/optimizer.ts';
import { reportHtml, type ReportTensor } from '#lib/inspect/report/report.ts';
import { scan } from '#lib/inspect/safety/scan.ts';
import { describeStateDict } from './describe_state_dict.ts';
import { factsOf } from './facts.ts';
import { attempt, type Handlers, type LabState, type Opened } from './lab.state.ts';
import type { ReportCalls } from './protocol.report.ts';
import { tableOf } from './table.ts';

export function reportHandlers(state: LabState): Handlers<keyof ReportCalls> {
  return {
    checkpointReport: (_, { signal }) =>
      attempt(signal, async () => ({ file: await reportFile(state.need(), signal) })),
  };
}

async function reportFile(opened: Opened, signal: AbortSignal): Promise<File> {
  const { checkpoint, source, outline, stateDicts } = opened;
  const { report: safety } = await scan(source, signal);
  const text = reportHtml({
    ...{ checkpoint, safety, totals: outline.totals },
    facts: factsOf(checkpoint),
    stateDicts: stateDicts.map(describeStateDict),
    optimizer: findOptimizer(checkpoint.root),
    tensors: tensorsOf(opened),
    version: __APP_VERSION__,
    made: new Date(),
  });
  return new File([text], `${checkpoint.name}.report.html`, { type: 'text/html' });
}

function tensorsOf(opened: Opened): ReportTensor[] {
  const { rows, columns, owners, numbers } = tableOf(opened);
  const { notes, tied, overlaps, expanded, stored } = columns;
  return rows.map(({ name, tensor }, at) => ({
    ...{ name, tensor, stored: stored[at]!, statistics: numbers.known(at) },
    remarks: [
      owners[at] === null ? '' : `of ${owners[at]}`,
      notes[at]!,
      tied[at]! >= 0 ? `tied with ${rows[tied[at]!]!.name}` : '',
      overlaps[at]! >= 0 ? `overlaps ${rows[overlaps[at]!]!.name}` : '',
      expanded[at] ? 'expanded' : '',
    ].filter((remark) => remark !== ''),
  }));
}
