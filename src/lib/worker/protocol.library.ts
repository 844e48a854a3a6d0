/** Checkpoints that are kept on the browser's private disk. Types only. */
import type { Result } from '#lib/checkpoint/finding.ts';
import type { LibraryEntry } from '#lib/storage/library.ts';
import type { Dropped } from './protocol.open.ts';

export type { LibraryEntry };

export interface LibraryCalls {
  library: { args: object; result: Result<{ library: LibraryFacts }> };
  /** Copies what was opened into the library, reads it back and compares. */
  libraryKeep: {
    args: { dropped: Dropped };
    result: Result<{ entry: LibraryEntry }>;
    progress: { bytes: number; total: number };
  };
  /** Its files, to open or to download. */
  libraryOpen: { args: { id: string }; result: Result<{ dropped: Dropped }> };
  libraryRename: { args: { id: string; name: string }; result: Result<{ entry: LibraryEntry }> };
  /** Takes it off the list. Its files stay until the end of that, or of the tab. */
  libraryRemove: { args: { id: string }; result: Result<object> };
  libraryEndRemoval: { args: { id: string; undo: boolean }; result: Result<object> };
  /** Removes what is left of downloads. */
  clearOutbox: { args: object; result: Result<object> };
}

export interface LibraryFacts {
  /** The latest first. */
  entries: LibraryEntry[];
  /** Files on their way to a download, or left of one. */
  outbox: { files: number; bytes: number };
  /** Bytes of all that the lab keeps, runs and the app itself too; null where it is not told. */
  usage: number | null;
  /** Bytes that the browser grants in all. */
  quota: number | null;
  /** Whether the browser has promised not to clear it when space is short. */
  isPersistent: boolean;
}
