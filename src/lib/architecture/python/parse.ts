/**
 * Source text to syntax tree. The parser is py-ast; this file guards it. Its recursion overflows
 * on deep nesting, so brackets and blocks are counted before it starts, and it reads both `1` and
 * `1.` as a JavaScript number, so every number is looked up in the text again: an int becomes a
 * bigint, a float stays a number.
 */
import { parse, walk, type StmtNode } from 'py-ast';
import { Refusal } from './errors.ts';
import { maxBracketDepth, maxIndentDepth, maxSourceCharacters } from './limits.ts';

export interface ParsedFile {
  readonly name: string;
  readonly text: string;
  readonly body: readonly StmtNode[];
}

/** Parses one file; what cannot be parsed is refused with its line. */
export function parseFile(name: string, source: string): ParsedFile {
  if (source.length > maxSourceCharacters) {
    throw new Refusal(
      'python-budget',
      `the file has ${source.length} characters, at most ${maxSourceCharacters} are read`,
      name,
    );
  }
  const text = source.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
  const longest = checkNesting(name, text);
  try {
    const tree = parse(text, { filename: name });
    if (tree.nodeType !== 'Module') throw new Error(`the parser returned ${tree.nodeType}`);
    restoreNumbers(name, text, tree.body);
    return { name, text, body: tree.body };
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if (error instanceof RangeError) {
      throw new Refusal('python-budget', 'this is nested too deeply', `${name} line ${longest}`);
    }
    throw syntaxError(name, error);
  }
}

function syntaxError(name: string, error: unknown): Refusal {
  const message = error instanceof Error ? error.message : String(error);
  const line =
    (error as { lineno?: number }).lineno ?? Number(/line (\d+)/.exec(message)?.[1] ?? Number.NaN);
  const said = message.replace(/ at line \d+, column \d+$/, '').replace(/\.$/, '');
  const where = Number.isNaN(line) ? name : `${name} line ${line}`;
  return new Refusal('python-syntax', `syntax error: ${said}`, where);
}

/** Strings and comments, which hide brackets; a triple quote may span lines. */
const opaque =
  /'''[^\\]*?(?:\\[\s\S][^\\]*?)*?'''|"""[^\\]*?(?:\\[\s\S][^\\]*?)*?"""|'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"|#[^\n]*/y;

/**
 * Counts brackets and blocks; f-strings are opaque, the parser recurses into them on its own stack.
 * Returns the line of the longest statement, the likeliest culprit if the parser overflows.
 */
function checkNesting(name: string, text: string): number {
  let brackets = 0;
  let line = 1;
  let statement = { line: 1, start: 0 };
  let longest = { line: 1, length: 0 };
  const indents = [0];
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === '(' || character === '[' || character === '{') {
      if (++brackets > maxBracketDepth) throw tooDeep(name, line, maxBracketDepth, 'brackets');
    } else if (character === ')' || character === ']' || character === '}') {
      brackets = Math.max(0, brackets - 1);
    } else if (character === '"' || character === "'" || character === '#') {
      opaque.lastIndex = at;
      const match = opaque.exec(text)?.[0];
      if (match === undefined) continue;
      for (const inner of match) if (inner === '\n') line++;
      at += match.length - 1;
    } else if (character === '\n') {
      line++;
      if (brackets > 0) continue;
      const length = at - statement.start;
      if (length > longest.length) longest = { line: statement.line, length };
      statement = { line, start: at + 1 };
      const indent = /[ \t\f]*/y;
      indent.lastIndex = at + 1;
      const width = indent.exec(text)![0].length;
      if (text[at + 1 + width] === '\n' || text[at + 1 + width] === '#') continue;
      while (width < indents.at(-1)!) indents.pop();
      if (width > indents.at(-1)!) indents.push(width);
      if (indents.length > maxIndentDepth) throw tooDeep(name, line, maxIndentDepth, 'blocks');
    }
  }
  return text.length - statement.start > longest.length ? statement.line : longest.line;
}

function tooDeep(name: string, line: number, limit: number, what: string): Refusal {
  return new Refusal(
    'python-budget',
    `more than ${limit} ${what} are nested here`,
    `${name} line ${line}`,
  );
}

const numberLiteral =
  /^(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*)?(?:\.[\d_]*)?(?:[eE][+-]?\d[\d_]*)?)/;

/** Gives every int the type bigint. Columns count UTF-8 bytes, as CPython's do. */
function restoreNumbers(name: string, text: string, body: readonly StmtNode[]): void {
  const lines = text.split('\n');
  for (const statement of body) {
    for (const node of walk(statement)) {
      if (node.nodeType !== 'Constant' || typeof node.value !== 'number') continue;
      const literal = numberLiteral.exec(at(lines, node.lineno ?? 0, node.col_offset ?? 0))![0];
      const isInteger = /^0[xXoObB]/.test(literal) || /^[\d_]+$/.test(literal);
      const found = Number(literal.replaceAll('_', ''));
      if (literal === '' || found !== node.value) {
        throw new Refusal(
          'python-unsupported',
          `the number ${node.value} cannot be read at this place`,
          `${name} line ${node.lineno}`,
        );
      }
      if (isInteger) node.value = BigInt(literal.replaceAll('_', ''));
    }
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function at(lines: readonly string[], line: number, column: number): string {
  const text = lines[line - 1] ?? '';
  // eslint-disable-next-line no-control-regex
  if (/^[\x00-\x7f]*$/.test(text)) return text.slice(column);
  return decoder.decode(encoder.encode(text).subarray(column));
}
