/** An optimizer as a statement of Python: `torch.optim.AdamW(model.parameters(), lr=0.001)`. */
import type { OptimizerName, SavedOptimizer } from '#lib/checkpoint/optimizer.ts';
import { isDict, type Dict, type Value } from '#lib/checkpoint/value.ts';
import type { OptimizerSettings, OptionValue } from '#lib/training/settings.ts';
import {
  bracketed,
  identifier,
  pythonCall,
  pythonFloat,
  pythonLiteral,
  pythonString,
} from './python/literal.ts';

/**
 * The expression, and where there are several param_groups, the statement that it needs before it.
 * `parameters` says whether those that are frozen are listed, too.
 */
export function pythonOptimizer(
  { name, options, groups }: OptimizerSettings,
  parameters: 'all' | 'trained',
): { expression: string; groups: string | null } {
  const make = (given: string) =>
    pythonCall(`torch.optim.${identifier(name)}`, [given, ...entriesOf(options).map(asKeyword)]);
  if (groups.length === 0) {
    const all = 'model.parameters()';
    return {
      expression: make(parameters === 'all' ? all : `(p for p in ${all} if p.requires_grad)`),
      groups: null,
    };
  }
  const pairs = groups.map(({ parameters, options }) => {
    const own = bracketed('{', entriesOf(options).map(asEntry), '}');
    return bracketed('(', [pythonLiteral(parameters), own], ')');
  });
  const list = bracketed('[', pairs, ']');
  return {
    expression: make('groups'),
    groups: `groups = ${pythonCall('group_parameters', ['model', list])}`,
  };
}

type Entry = readonly [name: string, value: string];

/** Options of several numbers are tuples of floats: torch takes no int among `betas`. */
function entriesOf(options: Readonly<Record<string, OptionValue>>): Entry[] {
  return Object.entries(options).map(([name, value]) => [
    name,
    typeof value === 'object' && value !== null
      ? bracketed('(', value.map(pythonFloat), ')')
      : pythonLiteral(value),
  ]);
}

const asKeyword = ([name, value]: Entry) => `${identifier(name)}=${value}`;
const asEntry = ([name, value]: Entry) => `${pythonString(name)}: ${value}`;

/**
 * The settings that would make a saved optimizer: what its constructor was given, as far as
 * param_groups tell. `keys` as `matchParameters` gives them, `defaults` as torch's constructor has.
 */
export function settingsOfOptimizer(
  name: OptimizerName,
  { groups }: SavedOptimizer,
  keys: readonly (readonly [Value, string])[],
  defaults: readonly (readonly [string, Value])[],
): OptimizerSettings {
  const given = groups.map(({ options }) => optionsOf(options, defaults));
  const [first = {}] = given;
  if (groups.length < 2) return { name, options: first, groups: [] };
  // Ids count through all groups, and so do keys.
  let at = 0;
  return {
    name,
    options: {},
    groups: groups.map(({ ids }, index) => ({
      parameters: ids.map(() => keys[at++]![1]),
      options: given[index]!,
    })),
  };
}

function optionsOf(
  options: Dict,
  defaults: readonly (readonly [string, Value])[],
): Record<string, OptionValue> {
  const found: Record<string, OptionValue> = {};
  for (const [name, standard] of defaults) {
    // A schedule starts from the rate before it.
    const held = (name === 'lr' ? options.get('initial_lr') : undefined) ?? options.get(name);
    const value = plain(held);
    if (value !== undefined && JSON.stringify(value) !== JSON.stringify(plain(standard))) {
      found[name] = value;
    }
  }
  return found;
}

function plain(value: Value | undefined): OptionValue | undefined {
  if (typeof value === 'bigint') return Number(value);
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'object' || isDict(value)) return undefined;
  return value.kind === 'tuple' || value.kind === 'list' ? value.items.map(Number) : undefined;
}
