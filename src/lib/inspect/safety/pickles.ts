/**
 * The pickles of a file as a scan finds them: one after the other, and inside of one another. Each
 * is read as far as it can be; what it names and would call goes into the report.
 */
import type { Finding } from '#lib/checkpoint/finding.ts';
import type { Global, Value } from '#lib/checkpoint/value.ts';
import { isAllowed, isDangerous } from '#lib/formats/torch.names.ts';
import { ClassSources, namesClass } from '#lib/formats/torch.sources.ts';
import { Budget, examinePickle, type Reading } from '#lib/pickle/read.ts';
import { label } from '../repr.ts';
import type { NameRow, PickleReport } from './report.ts';

/** Names that a report lists: a pickle may name a million. */
const MAX_NAMES = 500;
/** Findings on names that a report holds for each pickle. */
const MAX_FINDINGS = 20;
/** Pickles inside of pickles inside of pickles: nobody has a reason for more. */
const MAX_DEPTH = 5;
/** Pickles of one file that are listed. */
export const MAX_PICKLES = 200;
/** Shorter constants hold no pickle that calls anything: PROTO, a name, a call, STOP. */
const MIN_NESTED = 8;

/** Gives the bytes again that hold a pickle. */
export type Again = (signal?: AbortSignal) => Promise<Uint8Array>;

/** A pickle of the report, and how to come back to it. */
export interface Site {
  readonly report: PickleReport;
  /** Offset at which it starts in the bytes that `again` gives. */
  readonly start: number;
  readonly again: Again;
  /** Why reading broke off. */
  readonly problem?: Finding;
}

/** A run of bytes in which pickles were found: an entry, a file's front, a constant. */
export interface Place {
  /** `archive/data.pkl`; empty for a file that is nothing else. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly again: Again;
  /** How many pickles it lies in. */
  readonly depth: number;
}

/** A container inside of a constant, for the scan to look into. */
export interface Nested {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly again: Again;
  readonly depth: number;
}

export class Pickles {
  readonly sites: Site[] = [];
  readonly findings: Finding[] = [];
  /** Zip files that were found in constants. */
  readonly zips: Nested[] = [];
  readonly sources = new ClassSources();
  readonly #budget = new Budget();

  /** Reads the pickle at `start`; `title` is how the report calls it. */
  read(place: Place, start: number, title: string): Reading {
    const constants: { value: Value; offset: number }[] = [];
    const reading = examinePickle(place.bytes, start, this.#budget, {
      constant: (value, offset) => {
        if (mayNest(value) && constants.length < MAX_PICKLES) constants.push({ value, offset });
      },
      persistent: (id) => {
        if (namesClass(id)) this.sources.take(id);
      },
    });
    if (this.sites.length >= MAX_PICKLES) {
      this.#add(
        'pickle-many',
        'error',
        undefined,
        `the file holds more than ${MAX_PICKLES} pickles`,
      );
      return reading;
    }
    const { problem } = reading;
    this.sites.push({
      report: this.#report(reading, start, title),
      start,
      again: place.again,
      ...(problem && { problem }),
    });
    this.#judge(reading, place.name);
    for (const { value, offset } of constants) this.#nested(place, value, offset);
    return reading;
  }

  #report(reading: Reading, start: number, where: string): PickleReport {
    const counts = new Map(reading.calls.map(({ name, count }) => [name, count]));
    const rows: NameRow[] = reading.names.map(({ global, offset }) => {
      const name = `${global.module}.${global.name}`;
      return {
        name: label(name),
        standing: standingOf(global),
        calls: counts.get(name) ?? 0,
        offset,
      };
    });
    const order = ['dangerous', 'unknown', 'allowed'];
    rows.sort((a, b) => order.indexOf(a.standing) - order.indexOf(b.standing));
    return {
      id: this.sites.length,
      where,
      bytes: reading.end - start,
      protocol: reading.protocol,
      opcodes: reading.opcodes,
      complete: reading.problem === undefined,
      calls: reading.calls.reduce((sum, { count }) => sum + count, 0),
      names: rows.slice(0, MAX_NAMES),
    };
  }

  #judge(reading: Reading, name: string): void {
    const { problem, names, left } = reading;
    const called = new Set(reading.calls.map(({ name }) => name));
    let listed = 0;
    for (const { global, offset } of names) {
      const full = `${global.module}.${global.name}`;
      const standing = standingOf(global);
      if (standing === 'allowed' || ++listed > MAX_FINDINGS) continue;
      const would = called.has(full) ? 'call' : 'look up';
      if (standing === 'dangerous') {
        this.#add(
          'pickle-dangerous',
          'error',
          byteOf(name, offset),
          `unpickling would ${would} ${full}, which runs commands or code or reaches files`,
          'Do not load it without weights_only=True. Get the weights from a source that you trust, best as .safetensors.',
        );
      } else {
        this.#add(
          'pickle-unknown-name',
          'warning',
          byteOf(name, offset),
          `unpickling would ${would} ${full}, which PyTorch does not know as harmless`,
          'What it does depends on the code that is installed where the file is loaded.',
        );
      }
    }
    if (listed > MAX_FINDINGS) {
      this.#add(
        'pickle-unknown-name',
        'warning',
        name || undefined,
        `${listed - MAX_FINDINGS} more names are not known as harmless`,
      );
    }
    const computed = reading.calls.find(({ global }) => global.module === '');
    if (computed) {
      this.#add(
        'pickle-computed-call',
        'error',
        byteOf(name, computed.offset),
        'unpickling would call a value that the pickle itself computes: what that is cannot be told from names',
        'Checkpoints have no reason for this. Do not load it without weights_only=True.',
      );
    }
    if (left > 0) {
      this.#add(
        'pickle-leftover',
        'warning',
        byteOf(name, reading.end),
        `the pickle leaves ${left} values behind that are not part of the result`,
        'torch.save never does; it is a way to hide calls.',
      );
    }
    if (problem) {
      this.#add(
        'pickle-broken',
        'error',
        byteOf(name, Number(/\d+/.exec(problem.where ?? '')?.[0] ?? 0)),
        problem.message,
        'What comes behind this place is not known: the file counts as unreadable.',
      );
    }
  }

  /** A constant that is itself a pickle, or a zip. */
  #nested(place: Place, value: Value, offset: number): void {
    if (place.depth >= MAX_DEPTH) {
      this.#add(
        'pickle-deep',
        'error',
        byteOf(place.name, offset),
        `pickles lie in pickles more than ${MAX_DEPTH} levels deep`,
      );
      return;
    }
    const bytes = bytesOf(value)!;
    const name = `bytes at ${byteOf(place.name, offset)}`;
    const again = () => Promise.resolve(bytes);
    const inner = { name, bytes, again, depth: place.depth + 1 };
    if (bytes[0] === 0x50) {
      this.zips.push(inner);
    } else if (examinePickle(bytes).problem === undefined) {
      this.#add(
        'pickle-nested',
        'warning',
        byteOf(place.name, offset),
        'a pickle lies inside of the pickle as bytes: whoever unpickles those runs it without a check',
      );
      this.stack(inner);
    }
  }

  /** Reads the pickles that follow on one another from `start`; gives where the last one ends. */
  stack(place: Place, start = 0): number {
    const first = this.read(place, start, place.name || 'the pickle');
    let { end } = first;
    for (let number = 2; first.problem === undefined && end < place.bytes.length; number++) {
      if (examinePickle(place.bytes, end).problem) break;
      ({ end } = this.read(
        place,
        end,
        place.name ? `pickle ${number} of ${place.name}` : `pickle ${number}, at byte ${end}`,
      ));
      if (number === 2) {
        this.#add(
          'pickle-stacked',
          'warning',
          byteOf(place.name, first.end),
          'another pickle follows the first one: a reader that goes on would run it too',
        );
      }
      if (this.sites.length >= MAX_PICKLES) break;
    }
    return end;
  }

  #add(
    code: string,
    severity: Finding['severity'],
    where: string | undefined,
    message: string,
    advice?: string,
  ): void {
    this.findings.push({
      code,
      severity,
      ...(where && { where }),
      message,
      ...(advice && { advice }),
    });
  }
}

export function standingOf(global: Global): NameRow['standing'] {
  if (isDangerous(global)) return 'dangerous';
  return isAllowed(global) ? 'allowed' : 'unknown';
}

/** `byte 812 of archive/data.pkl`. */
export function byteOf(name: string, offset: number): string {
  return name ? `byte ${offset} of ${name}` : `byte ${offset}`;
}

/** Whether a constant begins as a pickle of protocol 2 to 5, or a zip, does. */
function mayNest(value: Value): boolean {
  const begins = (at: (index: number) => number | undefined) =>
    (at(0) === 0x80 && at(1)! >= 2 && at(1)! <= 5) ||
    (at(0) === 0x50 && at(1) === 0x4b && at(2) === 3 && at(3) === 4);
  if (typeof value === 'string') {
    return value.length >= MIN_NESTED && begins((index) => value.charCodeAt(index));
  }
  if (typeof value !== 'object' || value?.kind !== 'bytes') return false;
  return value.bytes.length >= MIN_NESTED && begins((index) => value.bytes[index]);
}

/** The bytes of a constant; protocol 2 writes bytes as text with a character for each. */
function bytesOf(value: Value): Uint8Array | null {
  if (typeof value === 'string') return Uint8Array.from(value, (it) => it.charCodeAt(0));
  return typeof value === 'object' && value?.kind === 'bytes' ? value.bytes : null;
}
