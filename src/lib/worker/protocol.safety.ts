/** What the Safety page asks about a file. Types only. */
import type { Result } from '#lib/checkpoint/finding.ts';
import type {
  CallRow,
  NameRow,
  PickleReport,
  RecordRow,
  SafetyReport,
  SourceRow,
  TraceRow,
} from '#lib/inspect/safety/report.ts';

export type { CallRow, NameRow, PickleReport, RecordRow, SafetyReport, SourceRow, TraceRow };

export interface SafetyCalls {
  /**
   * What can be said about the safety of a file, whether it opens or not; without `file`, of the
   * checkpoint that is open. The report stays in the worker for the calls below.
   */
  scan: {
    args: { file?: File };
    result: Result<{ report: SafetyReport }>;
    progress: { bytes: number };
  };
  /** Opcodes of one of the report's pickles, from number `start` on. */
  trace: {
    args: { pickle: number; start: number; count: number };
    result: Result<{ rows: TraceRow[]; total: number }>;
  };
  /**
   * Calls of one of the report's pickles in the order in which unpickling would make them; with
   * `refused`, only those that `weights_only` does not allow.
   */
  madeCalls: {
    args: { pickle: number; start: number; count: number; refused?: boolean };
    result: Result<{ rows: CallRow[]; total: number }>;
  };
  /** The container's records in the order of its directory. */
  records: {
    args: { start: number; count: number };
    result: Result<{ rows: RecordRow[]; total: number }>;
  };
  /** The Python source of a class, by its place in the report. */
  classSource: { args: { index: number }; result: Result<{ text: string }> };
  /** The whole report as a JSON file to download. */
  report: { args: object; result: Result<{ file: File }> };
}
