/**
 * Between what a pickle says and what torch means by it: the calls that rebuild tensors, parameters
 * and containers become those things, by an allow-list; every other call stays the inert data it
 * is. `torch.express.ts` is the way back.
 */
import { rewrite } from '#lib/checkpoint/rewrite.ts';
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { metaStorage, type Storage } from '#lib/checkpoint/tensor.ts';
import { isDict, type PersistentId, type Value } from '#lib/checkpoint/value.ts';
import { builtinMeanings } from './builtins.ts';
import { numpyMeanings } from './numpy.ts';
import { isGlobal, isStorageId, parseStorageId, type StorageReference } from './torch.storages.ts';
import { tensorMeanings } from './torch.tensors.ts';
import { isVariable, variableMeanings } from './torch.variables.ts';

const meanings = new Map([
  ...builtinMeanings,
  ...numpyMeanings,
  ...tensorMeanings,
  ...variableMeanings,
]);

/**
 * Gives the calls that torch's files are made of their meaning. `storageOf` is asked once for each
 * persistent id of a storage; before that, `resolve` may put something in the place of any persistent
 * id. Throws a FindingError where a call of torch's own has arguments that cannot be true.
 */
export function interpret(
  root: Value,
  storageOf: (reference: StorageReference) => Storage,
  resolve?: (reference: PersistentId) => Value | undefined,
): Value {
  return rewrite(root, {
    after(value) {
      const resolved = value.kind === 'persistent' ? resolve?.(value) : undefined;
      if (resolved !== undefined) return resolved;
      if (value.kind === 'persistent' && isStorageId(value)) {
        const reference = parseStorageId(value);
        const { dtype, offset, numel } = reference;
        value.storage = { storage: storageFor(reference, storageOf), dtype, offset, numel };
        return value;
      }
      if (value.kind !== 'call' || !isGlobal(value.callable)) return value;
      const made = meanings.get(`${value.callable.module}.${value.callable.name}`)?.(value);
      if (made === undefined) return value;
      // What the pickle does to the result afterwards must not get lost: few kinds keep it.
      const { state, entries, appended } = value;
      const isTaken = isDict(made) || isNumpy(made) || isVariable(value.callable);
      const isChanged = appended || (!isTaken && (state !== undefined || entries));
      return isChanged ? value : made;
    },
  });
}

/** PyTorch writes no record for a storage on the device `meta`. */
function storageFor(
  reference: StorageReference,
  storageOf: (reference: StorageReference) => Storage,
): Storage {
  const { location, dtype, numel } = reference;
  if (location !== 'meta') return storageOf(reference);
  return metaStorage(numel * (dtype === 'untyped' ? 1 : itemsize(dtype)));
}

/** An array of NumPy: its state is what it was made of. */
function isNumpy(value: Value): boolean {
  return typeof value === 'object' && value?.kind === 'tensor' && value.numpy === true;
}
