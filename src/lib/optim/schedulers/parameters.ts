/**
 * The arguments of torch's schedulers: their names, types and defaults, and how plain JSON becomes
 * what Python would have been given. Unknown names and wrong types are refused by name.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { list, type Value } from '#lib/checkpoint/value.ts';
import { Attributes } from './attributes.ts';
import type { SchedulerOption, SchedulerSettings } from './settings.ts';

/** A condition on a number, and its name for people. */
export type Condition = readonly [holds: (value: number) => boolean, words: string];
export const positive: Condition = [(value) => value > 0, 'positive'];
export const share: Condition = [(value) => value >= 0 && value <= 1, 'between 0 and 1'];

export interface Parameter {
  /** `rates`: a float for all param_groups or a list with one for each. Strings: a choice. */
  readonly type: 'int' | 'float' | 'bool' | 'ints' | 'rates' | readonly string[];
  /** As torch's 2.13; a parameter without one must be given, and None may be where it is None. */
  readonly default?: Value;
  readonly must?: Condition;
}
export type Parameters = Readonly<Record<string, Parameter>>;

/** The arguments that `settings` give, with defaults in the place of what they leave out. */
export function readArguments(
  { name, options }: SchedulerSettings,
  parameters: Parameters,
): Attributes {
  for (const key of Object.keys(options)) {
    if (!Object.hasOwn(parameters, key)) refuse(`${name} has no option ${key}`);
  }
  const args = new Attributes();
  for (const [key, parameter] of Object.entries(parameters)) {
    const value = Object.hasOwn(options, key)
      ? valueOf(options[key]!, parameter, `${name}'s ${key}`)
      : parameter.default;
    if (value === undefined) refuse(`${name} needs ${key}`);
    args.set({ [key]: value });
  }
  return args;
}

function valueOf(option: SchedulerOption, parameter: Parameter, what: string): Value {
  const { type } = parameter;
  const said = `${what} is ${JSON.stringify(option)}`;
  const float = (value: unknown): number =>
    typeof value === 'number' && Number.isFinite(value) ? value : refuse(`${said}, no float`);
  const int = (value: unknown): bigint =>
    Number.isSafeInteger(value) ? BigInt(value as number) : refuse(`${said}, no int`);
  const items = (value: SchedulerOption): readonly number[] =>
    Array.isArray(value) ? (value as readonly number[]) : refuse(`${said}, no list`);

  if (option === null && parameter.default === null) return null;
  if (typeof option === 'number' && parameter.must && !parameter.must[0](option)) {
    refuse(`${said}, not ${parameter.must[1]}`);
  }
  switch (type) {
    case 'int':
      return int(option);
    case 'float':
      return float(option);
    case 'bool':
      return typeof option === 'boolean' ? option : refuse(`${said}, no bool`);
    case 'ints':
      return list(...items(option).map(int));
    case 'rates':
      return typeof option === 'number' ? float(option) : list(...items(option).map(float));
    default:
      if (typeof option === 'string' && type.includes(option)) return option;
      return refuse(`${said}, not one of ${type.join(', ')}`);
  }
}

export function refuse(message: string): never {
  throw new FindingError({
    code: 'scheduler-arguments',
    message: `scheduler: ${message}`,
    advice: "Give the arguments of torch.optim.lr_scheduler's class, within its bounds.",
  });
}
