/** Which files hold training examples and which are held out: as wished, else by their names. */
import { DataError, type DataWish } from './choices.ts';
import type { DataMember } from './given.ts';
import { byPurpose } from './purpose.ts';

export interface Parts {
  readonly train: readonly DataMember[];
  readonly held: readonly DataMember[];
  /** Tests, where there is a validation. */
  readonly unused: readonly DataMember[];
}

export function partsOf(files: readonly DataMember[], { held: wished }: DataWish): Parts {
  if (!wished) return byPurpose(files, ({ path }) => path);
  const held = files.filter(({ path }) => wished.includes(path));
  const train = files.filter((file) => !held.includes(file));
  if (train.length > 0) return { train, held, unused: [] };
  throw new DataError('every file is held out, none is left for training', 'Hold out fewer files.');
}
