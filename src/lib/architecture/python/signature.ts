/**
 * Signatures: what a call's arguments are matched against, by Python's rules. Functions of the
 * source and functions of the shim share them; the shim writes its own as Python text, so that
 * `in_features, out_features, bias=True` reads as it does in PyTorch's documentation.
 */
import type { Arguments } from 'py-ast';
import { raised } from './errors.ts';
import { parseFile } from './parse.ts';
import { ellipsis, type CallArguments, type PyValue } from './object.ts';

export interface Parameter {
  readonly name: string;
  readonly kind: 'positional-only' | 'positional' | 'keyword-only';
  /** Undefined where the argument must be given. */
  readonly default: PyValue | undefined;
}

export interface Signature {
  readonly parameters: readonly Parameter[];
  /** Names of `*args` and `**kwargs`. */
  readonly rest: string | null;
  readonly keywords: string | null;
}

/** What a call bound: every parameter of the signature has its value. */
export interface Bound {
  readonly values: Map<string, PyValue>;
  readonly rest: PyValue[];
  readonly keywords: Map<string, PyValue>;
}

/** Builds a signature from syntax; `evaluate` gives the default values. */
export function signatureOf(
  args: Arguments,
  evaluate: (node: Arguments['defaults'][number]) => PyValue,
): Signature {
  const positional = [...args.posonlyargs, ...args.args];
  const firstDefault = positional.length - args.defaults.length;
  const parameters: Parameter[] = positional.map(({ arg }, index) => ({
    name: arg,
    kind: index < args.posonlyargs.length ? 'positional-only' : 'positional',
    default: index < firstDefault ? undefined : evaluate(args.defaults[index - firstDefault]!),
  }));
  args.kwonlyargs.forEach(({ arg }, index) => {
    const node = args.kw_defaults[index];
    parameters.push({
      name: arg,
      kind: 'keyword-only',
      default: node ? evaluate(node) : undefined,
    });
  });
  return { parameters, rest: args.vararg?.arg ?? null, keywords: args.kwarg?.arg ?? null };
}

const texts = new Map<string, Signature>();

/** The signature that `text` spells; defaults are None, True, False, numbers, strings and `...`. */
export function signatureFromText(text: string): Signature {
  let signature = texts.get(text);
  if (signature) return signature;
  const [definition] = parseFile('signature', `def f(${text}): pass\n`).body;
  if (definition?.nodeType !== 'FunctionDef') throw new Error(`not a signature: ${text}`);
  signature = signatureOf(definition.args, (node) => {
    const operand = node.nodeType === 'UnaryOp' ? node.operand : node;
    if (operand.nodeType !== 'Constant') throw new Error(`not a constant default: ${text}`);
    const value = operand.value as PyValue;
    if (value === '...') return ellipsis;
    return node === operand ? value : -(value as bigint);
  });
  texts.set(text, signature);
  return signature;
}

/** Matches arguments to a signature; what Python would call a TypeError is one here. */
export function bindArguments(name: string, signature: Signature, args: CallArguments): Bound {
  const values = new Map<string, PyValue>();
  const keywords = new Map<string, PyValue>();
  const positional = signature.parameters.filter(({ kind }) => kind !== 'keyword-only');
  const rest = args.positional.slice(positional.length);
  if (rest.length > 0 && signature.rest === null) {
    throw raised(
      'TypeError',
      `${name}() takes ${positional.length} positional arguments, ${args.positional.length} were given`,
    );
  }
  args.positional
    .slice(0, positional.length)
    .forEach((value, index) => values.set(positional[index]!.name, value));
  const byName = new Map(
    signature.parameters.filter(({ kind }) => kind !== 'positional-only').map((p) => [p.name, p]),
  );
  for (const [key, value] of args.keywords) {
    if (!byName.has(key)) {
      if (signature.keywords === null) {
        throw raised('TypeError', `${name}() got an unexpected keyword argument "${key}"`);
      }
      keywords.set(key, value);
    } else if (values.has(key)) {
      throw raised('TypeError', `${name}() got several values for the argument "${key}"`);
    } else {
      values.set(key, value);
    }
  }
  for (const parameter of signature.parameters) {
    if (values.has(parameter.name)) continue;
    if (parameter.default === undefined) {
      throw raised('TypeError', `${name}() is missing the argument "${parameter.name}"`);
    }
    values.set(parameter.name, parameter.default);
  }
  return { values, rest: [...rest], keywords };
}
