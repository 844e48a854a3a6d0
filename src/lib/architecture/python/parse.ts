/**
 * Source text to syntax tree. The parser is py-ast; this file guards it. Its recursion overflows
 * on deep nesting, so brackets and blocks are counted before it starts, and it reads both `1` and
 * `1.` as a JavaScript number, so every number is looked up in the text again: an int becomes a
 * bigint, a float stays a number.
 */
import { parse, walk, type ExprNode, type StmtNode } from 'py-ast';
import { Refusal } from './errors.ts';
import { maxSourceCharacters, maxTokens } from './limits.ts';
import { checkNesting } from './nesting.ts';

export interface ParsedFile {
  readonly name: string;
  /** One character for each byte of UTF-8, since columns count these: see `segment`. */
  readonly lines: readonly string[];
  readonly body: readonly StmtNode[];
  /** Names, numbers, texts and signs: what reading it costs. */
  readonly tokens: number;
}

/** Parses one file of at most so many tokens; what cannot be parsed is refused with its line. */
export function parseFile(name: string, source: string, mostTokens = maxTokens): ParsedFile {
  if (source.length > maxSourceCharacters) {
    throw new Refusal(
      'python-budget',
      `the file has ${source.length} characters, at most ${maxSourceCharacters} are read`,
      name,
    );
  }
  const text = source
    .replace(/^\uFEFF/, '')
    .replace(/\r\n?/g, '\n')
    .replace(/^[ \t]*\f+/gm, '') // where a line starts again
    .replaceAll('\f', ' ');
  const { tokens, longest } = checkNesting(name, text, mostTokens);
  try {
    const tree = parse(text, { filename: name });
    if (tree.nodeType !== 'Module') throw new Error(`the parser returned ${tree.nodeType}`);
    const lines = text.split('\n').map(bytesOf);
    restoreNumbers(name, lines, tree.body);
    return { name, lines, body: tree.body, tokens };
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if (error instanceof RangeError) {
      throw new Refusal('python-budget', 'this is nested too deeply', `${name} line ${longest}`);
    }
    const line = lineOf(text, /\b0[xob]_*(?!\w)/i);
    // The parser hands such a number to BigInt, which speaks of itself.
    if (line !== undefined && error instanceof SyntaxError && error.message.includes('BigInt')) {
      throw new Refusal(
        'python-syntax',
        'syntax error: a number has no digits',
        `${name} line ${line}`,
      );
    }
    throw syntaxError(name, error);
  }
}

function lineOf(text: string, pattern: RegExp): number | undefined {
  const at = pattern.exec(text)?.index;
  return at === undefined ? undefined : text.slice(0, at).split('\n').length;
}

function syntaxError(name: string, error: unknown): Refusal {
  const message = error instanceof Error ? error.message : String(error);
  const line =
    (error as { lineno?: number }).lineno ?? Number(/line (\d+)/.exec(message)?.[1] ?? Number.NaN);
  const said = message.replace(/ at line \d+, column \d+$/, '').replace(/\.$/, '');
  const where = Number.isNaN(line) ? name : `${name} line ${line}`;
  return new Refusal('python-syntax', `syntax error: ${said}`, where);
}

const numberLiteral =
  /0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*)?(?:\.[\d_]*)?(?:[eE][+-]?\d[\d_]*)?/y;

/** Gives every int the type bigint. Columns count UTF-8 bytes, as CPython's do. */
function restoreNumbers(name: string, lines: readonly string[], body: readonly StmtNode[]): void {
  for (const statement of body) {
    for (const node of walk(statement)) {
      if (node.nodeType !== 'Constant' || typeof node.value !== 'number') continue;
      const line = node.lineno ?? 0;
      numberLiteral.lastIndex = node.col_offset ?? 0;
      const literal = numberLiteral.exec(lines[line - 1] ?? '')?.[0] ?? '';
      const isInteger = /^0[xXoObB]/.test(literal) || /^[\d_]+$/.test(literal);
      const found = Number(literal.replaceAll('_', ''));
      if (literal === '' || found !== node.value) {
        throw new Refusal(
          'python-unsupported',
          `the number ${node.value} cannot be read at this place`,
          `${name} line ${line}`,
        );
      }
      if (isInteger) node.value = BigInt(literal.replaceAll('_', ''));
    }
  }
}

/** An expression as it stands in the file. */
export function segment({ lines }: ParsedFile, node: ExprNode): string {
  const { lineno = 1, col_offset = 0, end_lineno = lineno, end_col_offset = 0 } = node;
  const first = lines[lineno - 1] ?? '';
  if (end_lineno === lineno) return textOf(first.slice(col_offset, end_col_offset));
  const between = lines.slice(lineno, end_lineno - 1);
  const last = (lines[end_lineno - 1] ?? '').slice(0, end_col_offset);
  return textOf([first.slice(col_offset), ...between, last].join('\n'));
}

// eslint-disable-next-line no-control-regex
const ascii = /^[\x00-\x7f]*$/;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A text with one character for each of its bytes in UTF-8. */
function bytesOf(text: string): string {
  if (ascii.test(text)) return text;
  let bytes = '';
  for (const byte of encoder.encode(text)) bytes += String.fromCharCode(byte);
  return bytes;
}

function textOf(bytes: string): string {
  if (ascii.test(bytes)) return bytes;
  return decoder.decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
}
