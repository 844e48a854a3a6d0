/**
 * What a file asks of the parser, counted before it starts: nested brackets and blocks, which its
 * recursion would overflow on, and tokens, which are what it takes time for.
 */
import { Refusal } from './errors.ts';
import { maxBracketDepth, maxIndentDepth, maxTokens } from './limits.ts';

/** Strings and comments, which hide brackets; a triple quote may span lines. */
const opaque =
  /'''[^\\]*?(?:\\[\s\S][^\\]*?)*?'''|"""[^\\]*?(?:\\[\s\S][^\\]*?)*?"""|'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"|#[^\n]*/y;

/** What is at one place of a file: a word or number, or white space that means nothing. */
const word = /\w+|[^\S\n]+/y;

/**
 * Counts brackets, blocks and tokens before the parser sees them; f-strings are opaque, the parser
 * recurses into them on its own stack. `longest` is the line of the longest statement, the likeliest
 * culprit if the parser overflows.
 */
export function checkNesting(
  name: string,
  text: string,
  mostTokens: number,
): { tokens: number; longest: number } {
  let brackets = 0;
  let tokens = 0;
  let line = 1;
  let statement = { line: 1, start: 0 };
  let longest = { line: 1, length: 0 };
  const indents = new Indents(name);
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    word.lastIndex = at;
    const plain = word.exec(text)?.[0];
    if (plain !== undefined) {
      at += plain.length - 1;
      if (plain.trim() !== '') tokens++;
      continue;
    }
    if (character === '\n') {
      line++;
      if (brackets > 0 || text[at - 1] === '\\') continue;
      const length = at - statement.start;
      if (length > longest.length) longest = { line: statement.line, length };
      statement = { line, start: at + 1 };
      indents.read(text, at + 1, line);
      continue;
    }
    if (++tokens > mostTokens) throw tooLong(`${name} line ${line}`);
    if (character === '(' || character === '[' || character === '{') {
      if (++brackets > maxBracketDepth) throw tooDeep(name, line, maxBracketDepth, 'brackets');
    } else if (character === ')' || character === ']' || character === '}') {
      brackets = Math.max(0, brackets - 1);
    } else if (character === '"' || character === "'" || character === '#') {
      opaque.lastIndex = at;
      const match = opaque.exec(text)?.[0];
      if (match === undefined) continue;
      for (const inner of match) {
        if (inner === '\n') line++;
        else if (inner === '{') tokens++; // what an f-string puts in
      }
      at += match.length - 1;
    }
  }
  const isLast = text.length - statement.start > longest.length;
  return { tokens, longest: isLast ? statement.line : longest.line };
}

/** Blocks by the white space in front of them, which CPython measures in two ways. */
class Indents {
  readonly #name: string;
  /** Columns of the blocks that are open: with tabs up to multiples of 8, and as characters. */
  readonly #open: (readonly [number, number])[] = [[0, 0]];
  constructor(name: string) {
    this.#name = name;
  }

  /** Reads the white space at the start of a statement. Throws where tabs and spaces disagree. */
  read(text: string, start: number, line: number): void {
    let [at, column] = [start, 0];
    for (; text[at] === ' ' || text[at] === '\t'; at++) {
      column = text[at] === '\t' ? (Math.floor(column / 8) + 1) * 8 : column + 1;
    }
    if (at === text.length || text[at] === '\n' || text[at] === '#') return;
    while (column < this.#open.at(-1)![0]) this.#open.pop();
    const [last, characters] = this.#open.at(-1)!;
    const isDeeper = column > last;
    if (isDeeper !== at - start > characters || (!isDeeper && at - start !== characters)) {
      throw new Refusal(
        'python-syntax',
        'syntax error: inconsistent use of tabs and spaces in indentation',
        `${this.#name} line ${line}`,
      );
    }
    if (!isDeeper) return;
    this.#open.push([column, at - start]);
    if (this.#open.length > maxIndentDepth) {
      throw tooDeep(this.#name, line, maxIndentDepth, 'blocks');
    }
  }
}

function tooDeep(name: string, line: number, limit: number, what: string): Refusal {
  return new Refusal(
    'python-budget',
    `more than ${limit} ${what} are nested here`,
    `${name} line ${line}`,
  );
}

function tooLong(where: string): Refusal {
  const message = `more than ${maxTokens} names, numbers and signs are in the source`;
  return new Refusal('python-budget', message, where);
}
