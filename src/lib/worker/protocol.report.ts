/** The open checkpoint on paper. Types only. */
import type { Result } from '#lib/checkpoint/finding.ts';

export interface ReportCalls {
  /** What is in it as one printable page of HTML, to download. */
  checkpointReport: { args: object; result: Result<{ file: File }> };
}
