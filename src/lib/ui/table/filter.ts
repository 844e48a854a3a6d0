/**
 * What is typed above the table, as a test of its rows. Words stand apart by spaces, and a row must
 * fit all of them; `!` before one turns it round:
 *
 *     conv             names that have it
 *     conv*.weight     a glob: the whole name, or its end behind a dot
 *     /^layer[12]\./   a regular expression; /…/i for either case
 *     >1MB <=64kB      sizes
 *     std>0.5 zeros>=50%   figures, where they are known
 *     dtype:float16  shape:64,*  kind:"Linear"  is:tied
 */
import { globPattern } from '#lib/checkpoint/glob.ts';
import { parseBytes } from '../format.ts';
import { words } from './words.ts';

export const figureNames = [
  ...['elements', 'bytes', 'min', 'max', 'mean', 'std', 'norm', 'zeros', 'nan', 'inf'],
] as const;
/** Numbers of a row; zeros are a share from 0 to 1. */
export type Figure =
  'elements' | 'bytes' | 'min' | 'max' | 'mean' | 'std' | 'norm' | 'zeros' | 'nan' | 'inf';

/** What a filter asks of the rows, by their numbers. */
export interface Filtered {
  readonly names: readonly string[];
  /** What is shown instead of the name; else empty. */
  readonly titles: readonly string[];
  /** Both in lower case. */
  readonly lower: readonly string[];
  dtype(row: number): string;
  shape(row: number): readonly number[];
  kind(row: number): string;
  /** NaN where it is not known. */
  figure(figure: Figure): ArrayLike<number>;
  /** What can stand behind `is:`, and whether a row is that. */
  readonly marks: ReadonlyMap<string, (row: number) => boolean>;
}

export type RowTest = (row: number) => boolean;

/** Null where everything fits. Throws a FilterError that says what cannot be understood. */
export function parseFilter(text: string, rows: Filtered): RowTest | null {
  const tests = wordsOf(text).map((word) => {
    const negated = word.startsWith('!') && word.length > 1;
    const test = testOf(negated ? word.slice(1) : word, rows);
    return negated ? (row: number) => !test(row) : test;
  });
  if (tests.length === 0) return null;
  return (row) => tests.every((test) => test(row));
}

/** What is typed is no filter, perhaps not yet. */
export class FilterError extends Error {}

/** Words apart by spaces; a regular expression, brackets and quotes keep theirs. */
export function wordsOf(text: string): string[] {
  return text.match(/!?\/(?:\\.|[^/\\])+\/i?(?=\s|$)|(?:"[^"]*"|\[[^\]]*\]|[^\s"[]|\[|")+/gu) ?? [];
}

function testOf(word: string, rows: Filtered): RowTest {
  const expression = /^\/((?:\\.|[^/\\])+)\/(i?)$/u.exec(word);
  if (expression) return named(regExpOf(expression[1]!, expression[2]!), rows);
  const comparison = /^([a-z]*)(>=|<=|>|<|=)(.*)$/u.exec(word);
  if (comparison) {
    const [, name, sign, value] = comparison;
    return compared(name!, sign!, value!, word, rows);
  }
  const field = /^(dtype|shape|kind|is):(.*)$/u.exec(word);
  if (field) return fielded(field[1]!, unquoted(field[2]!), rows);
  const name = unquoted(word);
  if (/[*?]/u.test(name)) return named(new RegExp(`(^|[. ])${globPattern(name)}$`, 'su'), rows);
  const part = name.toLowerCase();
  return (row) => rows.lower[row]!.includes(part);
}

const unquoted = (text: string) => text.replaceAll('"', '');

function named(expression: RegExp, { names, titles }: Filtered): RowTest {
  return (row) =>
    expression.test(names[row]!) || (titles[row] !== '' && expression.test(titles[row]!));
}

function regExpOf(source: string, flags: string): RegExp {
  try {
    return new RegExp(source, `u${flags}`);
  } catch {
    throw new FilterError(words.filter.noExpression(source));
  }
}

function compared(
  name: string,
  sign: string,
  value: string,
  word: string,
  rows: Filtered,
): RowTest {
  const figure = figureNames.find((known) => known === (name === '' ? 'bytes' : name));
  if (!figure) throw new FilterError(words.filter.noFigure(name!, figureNames));
  const bound = boundOf(figure, value);
  if (bound === null) {
    const example = figure === 'bytes' ? '1MB' : figure === 'zeros' ? '50%' : '0.5';
    throw new FilterError(words.filter.noNumber(word, `${name}${sign}${example}`));
  }
  const column = rows.figure(figure);
  const tests: Record<string, RowTest> = {
    '>': (row) => column[row]! > bound,
    '>=': (row) => column[row]! >= bound,
    '<': (row) => column[row]! < bound,
    '<=': (row) => column[row]! <= bound,
    '=': (row) => column[row] === bound,
  };
  return tests[sign]!;
}

/** The number of a comparison; null where it is none. */
function boundOf(figure: Figure, value: string): number | null {
  const isShare = figure === 'zeros' && value.endsWith('%');
  const text = isShare ? value.slice(0, -1) : value;
  const number = text === '' ? NaN : Number(text);
  if (!Number.isNaN(number)) return isShare ? number / 100 : number;
  return figure === 'bytes' ? parseBytes(text) : null;
}

function fielded(field: string, value: string, rows: Filtered): RowTest {
  if (value === '') throw new FilterError(words.filter.noValue(field));
  switch (field) {
    case 'dtype': {
      const dtypes = value.replaceAll('torch.', '').split(',');
      return (row) => dtypes.includes(rows.dtype(row));
    }
    case 'kind': {
      const kind = value.toLowerCase();
      return (row) => rows.kind(row).toLowerCase().includes(kind);
    }
    case 'shape': {
      const expression = new RegExp(`^${globPattern(value.replace(/[[\]\s]/gu, ''))}$`, 'su');
      return (row) => expression.test(rows.shape(row).join());
    }
    default: {
      const test = rows.marks.get(value);
      if (!test) throw new FilterError(words.filter.noMark(value, [...rows.marks.keys()]));
      return test;
    }
  }
}
