/** An argument of a constructor in PyTorch, as a form shows it. */
export interface Option {
  readonly name: string;
  readonly kind:
    | 'number'
    | 'integer'
    /** True or False. */
    | 'flag'
    /** None, True or False. */
    | 'maybe'
    /** Two numbers. */
    | 'pair'
    /** Any count of integers. */
    | 'integers'
    | 'choice';
  /** PyTorch's; undefined where a value must be given. */
  readonly standard?: OptionValue;
  /** Of a choice. */
  readonly choices?: readonly string[];
}

export type OptionValue = number | string | boolean | null | readonly number[];
export type Options = Readonly<Record<string, OptionValue>>;

export const number = (name: string, standard?: number | null): Option => {
  return { name, kind: 'number', standard };
};
export const integer = (name: string, standard?: number | null): Option => {
  return { name, kind: 'integer', standard };
};
export const flag = (name: string, standard = false): Option => ({ name, kind: 'flag', standard });
export const maybe = (name: string): Option => ({ name, kind: 'maybe', standard: null });
export const pair = (name: string, standard: readonly [number, number]): Option => {
  return { name, kind: 'pair', standard };
};
export const choice = (name: string, choices: readonly [string, ...string[]]): Option => {
  return { name, kind: 'choice', standard: choices[0], choices };
};

/** As Python writes it: `0.1`, `(0.9, 0.999)`, `None`, `True`. */
export function pythonText(value: OptionValue | undefined): string {
  if (value === undefined || value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'object') return `(${value.join(', ')})`;
  return typeof value === 'number' ? shortNumber(value) : value;
}

/** `0.001`, `1e-8`, `0.3333`. */
export function shortNumber(value: number): string {
  const short = Number(value.toPrecision(4));
  const text = String(short);
  return text.length > 7 ? short.toExponential().replace('e+', 'e') : text;
}

/** What is given, without what equals PyTorch's own value. */
export function given(options: readonly Option[], values: Options): [string, OptionValue][] {
  return options.flatMap(({ name, standard }): [string, OptionValue][] => {
    const value = values[name];
    return value === undefined || isSame(value, standard) ? [] : [[name, value]];
  });
}

/** Whether two plain values, as JSON holds them, are the same. */
export function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return Object.is(a, b);
  const [first, second] = [a, b] as [Record<string, unknown>, Record<string, unknown>];
  const keys = Object.keys(first);
  return (
    Array.isArray(a) === Array.isArray(b) &&
    keys.length === Object.keys(second).length &&
    keys.every((key) => key in second && isSame(first[key], second[key]))
  );
}
