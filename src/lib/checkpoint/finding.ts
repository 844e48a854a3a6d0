/**
 * One thing noticed about a file or a model: how grave it is, where it is, what it is. `code` is
 * stable and meant for programs; `message` is a sentence for people.
 */
export interface Finding {
  readonly code: string;
  readonly severity: 'info' | 'warning' | 'error';
  /** A byte offset, a record name, a key or a source line: `byte 1024`, `data/3`, `line 12`. */
  readonly where?: string;
  /** What is wrong, in lower case, with the value in it. */
  readonly message: string;
  /** What the user can do next, as a sentence. */
  readonly advice?: string;
  /** What the user may choose from where the lab does not guess: the checkpoints of a folder. */
  readonly choices?: readonly string[];
}

/** An error that carries a Finding through code that cannot go on. */
export class FindingError extends Error {
  readonly finding: Finding;
  constructor(finding: Omit<Finding, 'severity'>) {
    super(finding.message);
    this.name = 'FindingError';
    this.finding = { severity: 'error', ...finding };
  }
}

/** Turns whatever was thrown into a Finding, keeping the details of a FindingError. */
export function findingOf(error: unknown, code = 'internal'): Finding {
  if (error instanceof FindingError) return error.finding;
  const message = error instanceof Error ? error.message : String(error);
  return { code, severity: 'error', message };
}

/** A result that is either complete or a list of reasons, never half filled. */
export type Result<T> =
  ({ readonly ok: true } & T) | { readonly ok: false; readonly findings: Finding[] };
