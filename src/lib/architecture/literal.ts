import type { ExprNode } from 'py-ast';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { Dict, list, tuple, type Value } from '#lib/checkpoint/value.ts';
import { parseFile } from './python/parse.ts';

/**
 * Reads a Python literal that a person typed for an argument: numbers, texts, True, None, tuples,
 * lists, dicts. A bare name becomes a Global, something that the source defines; a call of one
 * (`GPTConfig(n_layer=2)`) a Call that the source's own run will make, its keywords as the state.
 * Throws a FindingError for anything else; nothing is evaluated here.
 */
export function parseLiteral(text: string): Value {
  const refuse = (reason: string) =>
    new FindingError({
      code: 'python-literal',
      message: `argument: ${JSON.stringify(text)} ${reason}`,
      advice: "Write it as in Python: 128, 0.5, True, (3, 3), 'relu', [64, 128].",
    });
  let body;
  try {
    body = parseFile('argument', text.trim()).body;
  } catch {
    throw refuse('is no Python expression');
  }
  const [statement] = body;
  if (body.length !== 1 || statement?.nodeType !== 'Expr') throw refuse('is no Python expression');

  const read = (node: ExprNode): Value => {
    switch (node.nodeType) {
      case 'Constant': {
        const { value } = node;
        if (value === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof value)) {
          return value as Value;
        }
        break;
      }
      case 'UnaryOp': {
        const operand = read(node.operand);
        const numeric = typeof operand === 'number' || typeof operand === 'bigint';
        if (numeric && node.op.nodeType === 'USub') return -operand;
        if (numeric && node.op.nodeType === 'UAdd') return operand;
        break;
      }
      case 'Tuple':
        return tuple(...node.elts.map(read));
      case 'List':
        return list(...node.elts.map(read));
      case 'Dict':
        return new Dict(
          node.keys.map((key, index): [Value, Value] => {
            if (!key) throw refuse('spreads a dict');
            return [read(key), read(node.values[index]!)];
          }),
        );
      case 'Call': {
        if (node.func.nodeType !== 'Name') break;
        const keywords = node.keywords.map(({ arg, value }): [Value, Value] => {
          if (arg === undefined || arg === null) throw refuse('spreads a dict');
          return [arg, read(value)];
        });
        return {
          kind: 'call',
          callable: read(node.func),
          args: tuple(...node.args.map(read)),
          how: 'reduce',
          state: new Dict(keywords),
        };
      }
      case 'Name':
        return { kind: 'global', module: '', name: node.id };
    }
    throw refuse('is no literal');
  };
  return read(statement.value);
}

/** What `parseLiteral` reads as this value; null for what is no plain value. */
export function literalText(value: Value | undefined): string | null {
  switch (typeof value) {
    case 'bigint':
      return String(value);
    case 'number':
      return Number.isFinite(value)
        ? Number.isInteger(value)
          ? `${value}.0`
          : String(value)
        : null;
    case 'boolean':
      return value ? 'True' : 'False';
    case 'string':
      return JSON.stringify(value);
    default:
      break;
  }
  if (value === null) return 'None';
  if (value?.kind !== 'list' && value?.kind !== 'tuple') return null;
  const items = value.items.map((item) => literalText(item));
  if (items.includes(null)) return null;
  if (value.kind === 'list') return `[${items.join(', ')}]`;
  return items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`;
}
