/** The safety report of a file, and the calls that look into it. */
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Source } from '#lib/file/source.ts';
import { standingOf, type Site } from '#lib/inspect/safety/pickles.ts';
import { scan, type Scan } from '#lib/inspect/safety/scan.ts';
import { argumentText, sourceText, valueText } from '#lib/inspect/safety/texts.ts';
import { plain } from '#lib/inspect/repr.ts';
import { disassemble } from '#lib/pickle/decode.ts';
import { Budget, examinePickle } from '#lib/pickle/read.ts';
import type { CallRow, RecordRow, SafetyReport, TraceRow } from './protocol.ts';

/** Rows `start` to `start + count` of a list, and how many there are. */
export interface Rows<T> {
  readonly rows: T[];
  readonly total: number;
}

/** Calls and records that the JSON file lists for each pickle; a file may hold millions. */
const MAX_LISTED = 10_000;

/** A report and the sources that its parts are read from again on demand. */
export class Safety {
  readonly #scan: Scan;
  /** The bytes that were read again last: a list is paged through. */
  #latest: { site: Site; bytes: Uint8Array } | undefined;

  private constructor(scan: Scan) {
    this.#scan = scan;
  }

  get report(): SafetyReport {
    return this.#scan.report;
  }

  static async scan(source: Source, signal: AbortSignal): Promise<Safety> {
    return new Safety(await scan(source, signal));
  }

  async trace(pickle: number, start: number, count: number): Promise<Rows<TraceRow>> {
    const { site, bytes } = await this.#open(pickle);
    const total = site.report.opcodes;
    const rows: TraceRow[] = [];
    const end = Math.min(start + count, total);
    let number = 0;
    let last = site.start;
    try {
      for (const { offset, name, argument } of disassemble(bytes, site.start)) {
        if (number >= end) break;
        if (number++ >= start) {
          rows.push({ offset, opcode: name, argument: argumentText(name, argument) });
        }
        last = offset;
      }
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    }
    if (site.problem && end === total && end > start) {
      const { where, message } = site.problem;
      const offset = Number(/\d+/.exec(where ?? '')?.[0] ?? last);
      const row = rows.find((it) => it.offset === offset);
      if (row) row.problem = plain(message);
      else rows.push({ offset, opcode: '', argument: '', problem: plain(message) });
    }
    return { rows, total };
  }

  /** The calls of a pickle, or those of them that `weights_only` does not allow. */
  async calls(
    pickle: number,
    start: number,
    count: number,
    refused = false,
  ): Promise<Rows<CallRow>> {
    const { site, bytes } = await this.#open(pickle);
    const rows: CallRow[] = [];
    let number = 0;
    examinePickle(bytes, site.start, new Budget(), {
      call: ({ offset, opcode, global, args }) => {
        const standing = standingOf(global);
        if (refused && standing === 'allowed') return true;
        if (number++ >= start && rows.length < count) {
          const name = global.module ? `${global.module}.${global.name}` : global.name;
          rows.push({
            offset,
            opcode,
            name: plain(name),
            standing,
            arguments: valueText(args),
          });
        }
        return rows.length < count;
      },
    });
    const { names, calls } = site.report;
    const unlike = names.filter(({ standing }) => standing !== 'allowed');
    return { rows, total: refused ? unlike.reduce((sum, it) => sum + it.calls, 0) : calls };
  }

  async records(start: number, count: number): Promise<Rows<RecordRow>> {
    const { records } = this.#scan;
    return { rows: records.slice(start, start + count), total: records.length };
  }

  /** The source of a class as text that is safe to show. */
  sourceText(index: number): string {
    const source = this.#scan.sources[index];
    if (!source) throw notHere(`source ${index}`);
    return sourceText(source.text);
  }

  /** The whole report with calls and records, as JSON; says where a list is cut. */
  async file(): Promise<File> {
    const { report, records } = this.#scan;
    const pickles = [];
    for (const pickle of report.pickles) {
      const { rows } = await this.calls(pickle.id, 0, MAX_LISTED);
      pickles.push({ ...pickle, made: rows, cut: rows.length < pickle.calls });
    }
    const whole = {
      ...report,
      pickles,
      records: records.slice(0, MAX_LISTED),
      cut: records.length > MAX_LISTED,
    };
    const type = 'application/json';
    return new File([JSON.stringify(whole, null, 2)], `${report.name}.safety.json`, { type });
  }

  async #open(pickle: number): Promise<{ site: Site; bytes: Uint8Array }> {
    const site = this.#scan.sites[pickle];
    if (!site) throw notHere(`pickle ${pickle}`);
    if (this.#latest?.site !== site) this.#latest = { site, bytes: await site.again() };
    return this.#latest;
  }
}

function notHere(what: string): FindingError {
  return new FindingError({
    code: 'safety-unknown',
    message: `safety: there is no ${what}`,
    advice: 'Scan the file again.',
  });
}
