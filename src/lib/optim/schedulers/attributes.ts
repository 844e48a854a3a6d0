import { FindingError } from '#lib/checkpoint/finding.ts';
import { Dict, list, type List, type Value } from '#lib/checkpoint/value.ts';

/** A Python number: int or float, which a state_dict keeps apart. */
export type Num = number | bigint;

export function isNumber(value: Value | undefined): value is Num {
  return typeof value === 'number' || typeof value === 'bigint';
}

export function isList(value: Value | undefined): value is List {
  return typeof value === 'object' && value !== null && value.kind === 'list';
}

/** Python's product: of two ints an int. */
export function times(a: Num, b: Num): Num {
  return typeof a === 'bigint' && typeof b === 'bigint' ? a * b : Number(a) * Number(b);
}

/** Python's quotient of floats; where Python raises ZeroDivisionError, so does this. */
export function divide(a: number, b: number): number {
  if (b !== 0) return a / b;
  throw new FindingError({
    code: 'scheduler-arguments',
    message: `scheduler: its arguments divide ${a} by zero, as they do in PyTorch`,
    advice: 'Choose other arguments for the schedule.',
  });
}

/**
 * Values by name, in order: the arguments of a scheduler's constructor, or its `__dict__`, which is
 * what its state_dict gives. Reading throws a FindingError where a value has another type.
 */
export class Attributes {
  readonly dict: Dict;

  constructor(dict: Dict = new Dict()) {
    this.dict = dict;
  }

  set(entries: Readonly<Record<string, Value>>): void {
    for (const [key, value] of Object.entries(entries)) this.dict.set(key, value);
  }

  get(key: string): Value {
    return this.dict.get(key) ?? null;
  }

  num(key: string): Num {
    const value = this.get(key);
    return isNumber(value) ? value : refuse(key, 'number');
  }

  number(key: string): number {
    return Number(this.num(key));
  }

  flag(key: string): boolean {
    const value = this.get(key);
    return typeof value === 'boolean' ? value : refuse(key, 'bool');
  }

  text(key: string): string {
    const value = this.get(key);
    return typeof value === 'string' ? value : refuse(key, 'str');
  }

  items(key: string): readonly Value[] {
    const value = this.get(key);
    return isList(value) ? value.items : refuse(key, 'list');
  }

  nums(key: string): Num[] {
    return this.items(key).map((item) => (isNumber(item) ? item : refuse(key, 'list of numbers')));
  }

  /** An argument that is one number for all param_groups, or a list with one for each. */
  perGroup(key: string, count: number): Num[] {
    const value = this.get(key);
    if (isNumber(value)) return Array<Num>(count).fill(value);
    const values = this.nums(key);
    if (values.length === count) return values;
    throw new FindingError({
      code: 'scheduler-arguments',
      message: `scheduler: ${key} has ${values.length} values, param_groups has ${count}`,
      advice: 'Give one value for all groups, or one for each.',
    });
  }
}

function refuse(key: string, type: string): never {
  throw new FindingError({
    code: 'scheduler-state',
    message: `scheduler: ${key} is no ${type}`,
    advice: 'Start a fresh schedule, or open a checkpoint that torch.optim.lr_scheduler wrote.',
  });
}

/** A number of every param_group, such as its `lr`. */
export function ofGroups(groups: readonly Dict[], key: string): Num[] {
  return groups.map((group, index) => {
    const value = group.get(key);
    if (isNumber(value)) return value;
    throw new FindingError({
      code: 'scheduler-groups',
      message: `scheduler: ${key} of param_groups[${index}] is ${value === undefined ? 'missing' : 'no number'}`,
      advice: 'Start a fresh schedule, or resume from a checkpoint with its own optimizer.',
    });
  });
}

export function rateList(groups: readonly Dict[]): List {
  return list(...ofGroups(groups, 'lr'));
}
