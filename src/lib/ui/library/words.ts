/** What the library and the list of recent files say. */
import { formatBytes, plural } from '../format.ts';

export const words = {
  library: 'Library',
  libraryNote: 'kept in this browser, on this device',
  empty: 'Open a checkpoint and keep it here, to have it at hand without looking for the file.',
  keep: (name: string) => `Keep ${name}`,
  keepTitle: (bytes: number, free: number | null) =>
    `Copies ${formatBytes(bytes)} to the browser’s private disk` +
    (free === null ? '' : `, where ${formatBytes(free)} are free`),
  tooLarge: (bytes: number, free: number) =>
    `${formatBytes(bytes)} do not fit: the browser grants ${formatBytes(free)} more.`,
  keeping: (name: string) => `Keeping ${name}`,
  notKept: (name: string) => `Could not keep ${name}`,
  files: (count: number) => plural(count, 'file'),
  open: 'Open',
  openName: (name: string) => `Open ${name}`,
  rename: (name: string) => `Rename ${name}`,
  newName: (name: string) => `New name of ${name}`,
  save: 'Save',
  notRenamed: (name: string) => `Could not rename ${name}`,
  download: (name: string) => `Download ${name}`,
  remove: (name: string) => `Delete ${name} from the library`,
  removed: (name: string) => `Deleted ${name} from the library`,
  notRemoved: (name: string) => `Could not delete ${name}`,
  notRestored: (name: string) => `Could not bring ${name} back`,
  notOpened: (name: string) => `Could not open ${name}`,
  notListed: 'Could not list the library',
  used: (usage: number, quota: number) =>
    `${formatBytes(usage)} used of ${formatBytes(quota)} that the browser grants the lab`,
  lasting: 'The browser keeps it until you delete it.',
  passing: 'The browser may clear it when the disk is full.',
  makeLasting: 'Ask it not to',
  refusedTitle: 'The browser keeps to itself when it clears its disk',
  refused: 'storage: the browser did not promise to keep the lab’s files',
  refusedAdvice: 'Browsers promise it to apps that are installed or used often.',
  outbox: (files: number, bytes: number) =>
    `Left of downloads: ${plural(files, 'file')}, ${formatBytes(bytes)}.`,
  clear: 'Clear',
  clearTitle: 'Clear what is left of downloads?',
  clearBody: 'A download that the browser is still copying would break off.',
  notCleared: 'Could not clear what is left of downloads',

  recent: 'Recent',
  recentNote: 'where your files are, remembered in this browser',
  choose: 'Choose',
  chooseName: (name: string) => `Choose ${name} again`,
  forget: (name: string) => `Forget ${name}`,
  forgetAll: 'Forget all',
  denied: (name: string) => `recent: the browser may not read ${name}`,
  deniedAdvice: 'Try again and allow it, or choose the file.',
  gone: (name: string) => `recent: ${name} is not where it was`,
  goneAdvice: 'It was moved, renamed or deleted. Open it from where it is now.',
  with: (names: readonly string[]) => `with ${names.join(', ')}`,
} as const;
