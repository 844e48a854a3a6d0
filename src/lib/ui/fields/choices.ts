export interface Choice<T> {
  readonly value: T;
  readonly label: string;
  readonly disabled?: boolean;
}

/** The choices of a select: what each value is called, or values that are names themselves. */
export function choicesOf<T extends string>(
  names: readonly T[] | Readonly<Record<T, string>>,
  disabled?: Readonly<Partial<Record<T, boolean>>>,
): Choice<T>[] {
  const labels: [string, string][] = Array.isArray(names)
    ? names.map((name: T) => [name, name])
    : Object.entries(names);
  return labels.map(([name, label]) => {
    const value = name as T;
    return { value, label, disabled: disabled?.[value] };
  });
}
