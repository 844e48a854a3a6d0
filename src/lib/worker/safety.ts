/** The safety report of a file, and the calls that look into it. */
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Source } from '#lib/file/source.ts';
import type { CallRow, RecordRow, SafetyReport, TraceRow } from './protocol.ts';

/** Rows `start` to `start + count` of a list, and how many there are. */
export interface Rows<T> {
  readonly rows: T[];
  readonly total: number;
}

/** A report and the sources that its parts are read from again on demand. */
export class Safety {
  readonly report: SafetyReport;

  private constructor(report: SafetyReport) {
    this.report = report;
  }

  static async scan(source: Source, signal: AbortSignal): Promise<Safety> {
    signal.throwIfAborted();
    throw new FindingError({
      code: 'safety-missing',
      message: `${source.name}: the lab does not scan files yet`,
    });
  }

  async trace(_pickle: number, _start: number, _count: number): Promise<Rows<TraceRow>> {
    return { rows: [], total: 0 };
  }

  async calls(_pickle: number, _start: number, _count: number): Promise<Rows<CallRow>> {
    return { rows: [], total: 0 };
  }

  async records(_start: number, _count: number): Promise<Rows<RecordRow>> {
    return { rows: [], total: 0 };
  }

  /** The whole report, with every call and record, as JSON. */
  async file(): Promise<File> {
    return new File([JSON.stringify(this.report)], `${this.report.name}.safety.json`);
  }
}
