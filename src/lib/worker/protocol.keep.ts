/** Runs that are kept on the disk, and the way on from them. Types only. */
import type { ModelEdits } from '#lib/architecture/edits.ts';
import type { Finding, Result } from '#lib/checkpoint/finding.ts';
import type { DataWish } from '#lib/inputs/data/choices.ts';
import type { Best } from '#lib/training/kept.ts';
import type { RunSettings } from '#lib/training/settings.ts';

export interface KeepCalls {
  /** The runs on the browser's private disk and in folders that were picked, the newest first. */
  runs: { args: object; result: Result<{ runs: FoundRun[] }> };
  /**
   * What it takes to go on with a run: the newest state that verifies, the model's source, and its
   * data where it is there. Folders must be allowed again first.
   */
  openRun: { args: { id: string }; result: Result<{ run: OpenedRun }> };
  removeRun: { args: { id: string }; result: Result<object> };
  /** All files of a run as one zip to download. */
  exportRun: { args: { id: string }; result: Result<{ file: File }> };
}

export interface FoundRun {
  id: string;
  /** The run's name in its settings. */
  name: string;
  model: string;
  /** The private disk, or the name of the picked folder. */
  place: 'private' | { folder: string; handle: FileSystemDirectoryHandle };
  /** `interrupted`: neither ended nor stopped by the person. */
  state: 'running' | 'interrupted' | 'ended';
  epoch: number;
  /** The epoch that it was to end with. */
  end: number;
  best: Best | null;
  /** Milliseconds since 1970. */
  updated: number;
  bytes: number;
  data: string;
}

export interface OpenedRun {
  id: string;
  /** Of the newest state that verifies. */
  checkpoint: File;
  end: number;
  settings: RunSettings;
  edits: ModelEdits;
  /** Null where the file that was opened brings its own forward pass. */
  source: { files: { name: string; text: string }[]; candidate: string; file?: string } | null;
  /** That file; null where it must be brought again, and where there is a source. */
  model: File | null;
  arguments: Record<string, string>;
  /** The data's files; null where they must be brought again: `name` and `fingerprint` say which. */
  data: {
    files: { path: string; file: File }[] | null;
    /** How they were read. */
    wish: DataWish;
    name: string;
    fingerprint: string;
  };
  /** What was wrong with newer files. */
  findings: Finding[];
}
