/** What names say of purposes: people call files, folders and arrays by what they are for. */

export type Purpose = 'train' | 'held' | 'test';

/** Held out for choosing between models (`held`), or for the end (`test`), which serves as well. */
const PURPOSES: ReadonlyMap<string, Purpose> = new Map([
  ...(['train', 'training', 'tr'] as const).map((word) => [word, 'train'] as const),
  ...(['val', 'valid', 'validation', 'dev', 'eval', 'held'] as const).map(
    (word) => [word, 'held'] as const,
  ),
  ...(['test', 'testing', 'te', 't10k'] as const).map((word) => [word, 'test'] as const),
]);

/** `X_train`, `trainImages` and `train/x` as lower-case words. */
export function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

/** The purpose that a name's words say, and the words that say something else. */
export function purposeOf(name: string): { purpose: Purpose | null; rest: string[] } {
  const words = wordsOf(name).flatMap((word) => {
    // `xtrain` and `ytest`.
    const [, first, last] = /^([xy])(\w+)$/.exec(word) ?? [];
    return first && last && PURPOSES.has(last) ? [first, last] : [word];
  });
  const found = words.map((word) => PURPOSES.get(word)).filter((purpose) => purpose !== undefined);
  return {
    purpose: found[0] ?? null,
    rest: words.filter((word) => !PURPOSES.has(word)),
  };
}

/** Things with names, apart by what the names say: training, and the held-out ones of one kind. */
export function byPurpose<T>(
  things: readonly T[],
  nameOf: (thing: T) => string,
): { train: T[]; held: T[]; unused: T[] } {
  const of = (wanted: Purpose | null) =>
    things.filter((thing) => purposeOf(nameOf(thing)).purpose === wanted);
  const [held, test] = [of('held'), of('test')];
  const named = of('train');
  const rest = of(null);
  // Where only held-out ones are named, the others are for training; where all are held out, all are.
  const train = [...named, ...rest];
  if (train.length === 0) return { train: [...things], held: [], unused: [] };
  if (held.length === 0) return { train, held: test, unused: [] };
  return { train, held, unused: test };
}
