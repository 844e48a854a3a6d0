/** What disks answer, as sentences that the person can act on. */
import { FindingError } from '#lib/checkpoint/finding.ts';

interface Told {
  readonly code: string;
  /** What happened to the file or folder of that name. */
  message(name: string): string;
  readonly advice: string;
}

/** By the names that the File System standard gives to errors, and one of our own. */
const told: Readonly<Record<string, Told>> = {
  QuotaExceededError: {
    code: 'storage-full',
    message: (name) => `${name} was not written, the disk is full`,
    advice:
      'Free some space, or remove runs that are no longer needed; what was kept is still there.',
  },
  NotAllowedError: {
    code: 'storage-permission',
    message: (name) => `${name} was not written, the permission for its folder was withdrawn`,
    advice: 'Allow writing into the folder again; what was kept is still there.',
  },
  NotFoundError: {
    code: 'storage-gone',
    message: (name) => `${name} was not found, its folder was moved or removed`,
    advice: 'Put the folder back, or choose another one.',
  },
  NoModificationAllowedError: {
    code: 'storage-in-use',
    message: (name) => `${name} is being written by another tab or program`,
    advice: 'Close the other one and try again.',
  },
  NotReadableError: {
    code: 'storage-unreadable',
    message: (name) => `${name} could not be read, it was changed by another program meanwhile`,
    advice: 'Try again when the other program is done.',
  },
  LockedError: {
    code: 'run-in-use',
    message: (name) => `the run ${name} is in use in another tab`,
    advice: 'Go on with it there, or close that tab first.',
  },
};

/** The error of a disk as a FindingError about the file or folder of that name; others unchanged. */
export function storageError(error: unknown, name: string): unknown {
  if (error instanceof FindingError) return error;
  const reason = (error as Error | undefined)?.name ?? '';
  if (!Object.hasOwn(told, reason)) return error;
  const { code, message, advice } = told[reason]!;
  return new FindingError({ code, message: `storage: ${message(name)}`, advice });
}
