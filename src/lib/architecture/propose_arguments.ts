/**
 * Constructor arguments that a person need not type: what the checkpoint's configuration gives by
 * name, then what makes the model's shapes equal to the file's. The second is a search: one number
 * after the other is changed to sizes and counts that occur in the file, and kept where more keys
 * and shapes fit. It finds widths and depths; what no shape depends on keeps its default.
 */
import { isTensor, type Dict, type Value } from '#lib/checkpoint/value.ts';
import { bind } from './binding.ts';
import type { Hints } from './hints.ts';
import { literalText, parseLiteral } from './literal.ts';
import type { Argument, Candidate, ModelSource, ModuleTree } from './source.ts';

/** A proposal for an argument, as Python text, and where it comes from. */
export interface ProposedArgument {
  readonly text: string;
  readonly from: 'configuration' | 'shapes';
}

/** Builds of one search. A small model takes a millisecond, one of a hundred layers twenty. */
const maxBuilds = 400;
/** Steps of all of them, beyond which a search ends with what it has: about two seconds. */
const maxSearchSteps = 8_000_000;

/** Numbers that are tried for an argument; models have fewer different sizes. */
const maxNumbers = 40;

/** One number or flag that can be changed: an argument, or a field of an argument's dataclass. */
interface Variable {
  readonly argument: string;
  readonly field: string | null;
  readonly from: 'configuration' | 'default' | 'open';
  text: string | null;
}

/** Proposals for a candidate's arguments; none for those whose defaults fit. */
export function proposeArguments(
  source: ModelSource,
  candidate: Candidate,
  stateDict: Dict,
  hints: Hints,
): ReadonlyMap<string, ProposedArgument> {
  const configs = new Map<string, string>();
  const variables = candidate.arguments.flatMap((argument) => {
    const config = configOf(source, argument, hints);
    if (config) configs.set(argument.name, config.name);
    return config
      ? config.fields.map((field) => variableOf(argument.name, field, hints, field.name))
      : [variableOf(argument.name, argument, hints, null)];
  });
  const before = variables.map(({ text }) => text);
  const isComplete = search(source, candidate, stateDict, variables, configs);
  const proposals = new Map<string, ProposedArgument>();
  for (const { name } of candidate.arguments) {
    const own = variables.filter(({ argument }) => argument === name);
    const changed = own.filter((variable) => variable.text !== before[variables.indexOf(variable)]);
    const given = own.filter(({ from }) => from === 'configuration');
    const isOpen = own.some(({ from }) => from === 'open') || configs.has(name);
    if (changed.length + given.length === 0 && !isOpen) continue;
    if (own.some(({ text }) => text === null) || (!isComplete && given.length === 0)) continue;
    proposals.set(name, {
      text: textOf(name, own, configs),
      from: changed.length > 0 || given.length === 0 ? 'shapes' : 'configuration',
    });
  }
  return proposals;
}

function variableOf(
  argument: string,
  { name, default: preset }: Argument,
  hints: Hints,
  field: string | null,
): Variable {
  const hint = literalText(hints.get(name));
  if (hint !== null) return { argument, field, from: 'configuration', text: hint };
  return { argument, field, from: preset === undefined ? 'open' : 'default', text: preset ?? null };
}

/** The dataclass that an argument takes: by its annotation, or the one whose fields are configured. */
function configOf(
  source: ModelSource,
  argument: Argument,
  hints: Hints,
): { name: string; fields: readonly Argument[] } | null {
  const annotated = source.dataclasses.find(({ name }) => name === argument.annotation);
  if (annotated) return annotated;
  if (argument.default !== undefined || !/^(config|args|params|cfg|hparams)$/.test(argument.name)) {
    return null;
  }
  const ranked = source.dataclasses
    .map((item) => ({ item, known: item.fields.filter(({ name }) => hints.has(name)).length }))
    .toSorted((a, b) => b.known - a.known);
  return ranked[0]?.item ?? null;
}

function textOf(
  argument: string,
  variables: readonly Variable[],
  configs: ReadonlyMap<string, string>,
): string {
  const config = configs.get(argument);
  if (config === undefined) return variables[0]!.text!;
  const fields = variables
    .filter(({ field, text, from }) => field !== null && text !== null && from !== 'default')
    .map(({ field, text }) => `${field}=${text}`);
  const changed = variables
    .filter(({ from, text }) => from === 'default' && text !== null && isPlain(text))
    .map(({ field, text }) => `${field}=${text}`);
  return `${config}(${[...fields, ...changed].join(', ')})`;
}

const isPlain = (text: string) => /^(-?\d+|True|False)$/.test(text);

/** Changes the variables' texts. True where every key and shape fits in the end. */
function search(
  source: ModelSource,
  candidate: Candidate,
  stateDict: Dict,
  variables: readonly Variable[],
  configs: ReadonlyMap<string, string>,
): boolean {
  const numbers = numbersIn(stateDict);
  const spent = { builds: 0, steps: 0 };
  const isOver = () => spent.builds >= maxBuilds || spent.steps >= maxSearchSteps;
  const score = (): number => {
    const built = buildWith(source, candidate, variables, configs);
    spent.builds++;
    spent.steps += built.steps;
    return built.ok ? scoreOf(built.module, stateDict) : -Infinity;
  };
  for (const variable of variables) {
    if (variable.from === 'open' && variable.text === null) variable.text = numbers[0] ?? '1';
  }
  let best = score();
  for (let improves = true; improves && best < 0 && !isOver();) {
    improves = false;
    for (const variable of variables) {
      if (variable.from === 'configuration' || !isPlain(variable.text!)) continue;
      const isFlag = variable.text === 'True' || variable.text === 'False';
      let kept = variable.text;
      for (const text of isFlag ? ['True', 'False'] : numbers) {
        if (text === kept || isOver()) continue;
        variable.text = text;
        const reached = score();
        if (reached <= best) continue;
        [best, kept, improves] = [reached, text, true];
        if (best === 0) return true;
      }
      variable.text = kept;
    }
  }
  return best === 0;
}

function buildWith(
  source: ModelSource,
  candidate: Candidate,
  variables: readonly Variable[],
  configs: ReadonlyMap<string, string>,
): ReturnType<ModelSource['build']> {
  const args = new Map<string, Value>();
  for (const { name } of candidate.arguments) {
    const own = variables.filter(({ argument }) => argument === name);
    const isDefault = own.every(({ from, text }) => from === 'default' && !isPlain(text ?? ''));
    if (isDefault && !configs.has(name)) continue;
    args.set(name, parseLiteral(textOf(name, own, configs)));
  }
  return source.build(candidate.name, args, candidate.file);
}

/** 0 where everything fits; else less than 0, the less the more is missing. */
function scoreOf(module: ModuleTree, stateDict: Dict): number {
  const { missing, unexpected, mismatched } = bind(module.state, stateDict);
  const differing = mismatched.reduce((sum, { checkpoint, model }) => {
    if (checkpoint.length !== model.length) return sum + 1;
    const axes = model.filter((size, axis) => size !== checkpoint[axis]).length;
    return sum + axes / (model.length + 1);
  }, 0);
  return -(missing.length + unexpected.length + differing);
}

/** Sizes of the file's tensors and how many numbered parts it has, the most frequent first. */
function numbersIn(stateDict: Dict): string[] {
  const found = new Map<number, number>();
  const add = (number: number) => found.set(number, (found.get(number) ?? 0) + 1);
  const parts = new Map<string, Set<string>>();
  for (const [key, value] of stateDict.entries()) {
    if (typeof key !== 'string' || !isTensor(value)) continue;
    value.shape.forEach(add);
    const names = key.split('.');
    names.forEach((name, at) => {
      if (!/^\d+$/.test(name)) return;
      const prefix = names.slice(0, at).join('.');
      if (!parts.has(prefix)) parts.set(prefix, new Set());
      parts.get(prefix)!.add(name);
    });
  }
  for (const numbered of parts.values()) add(numbered.size);
  return [...found]
    .toSorted((a, b) => b[1] - a[1])
    .slice(0, maxNumbers)
    .map(([number]) => String(number));
}
