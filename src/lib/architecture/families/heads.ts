import type { Hints } from './family.ts';

/**
 * The number of attention heads, which no shape tells: from the checkpoint's configuration, else by
 * the custom of so many numbers a head.
 */
export function headsOf(
  width: number,
  hints: Hints,
  names: readonly string[],
  perHead: number,
): { count: number; assumed: string[] } {
  for (const name of names) {
    const given = hints.get(name);
    if (typeof given === 'bigint' && given > 0n && width % Number(given) === 0) {
      return { count: Number(given), assumed: [] };
    }
  }
  const count = width % perHead === 0 ? width / perHead : 1;
  return { count, assumed: [`${count} attention heads of ${width / count} numbers`] };
}
