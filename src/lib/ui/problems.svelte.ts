import { WorkerCrash, WorkerError } from '#lib/worker/client.ts';
import type { Finding, Result } from '#lib/worker/protocol.ts';

/** Something that went wrong, shown until the person dismisses it. */
export interface Problem {
  id: number;
  /** What was tried: `Could not open last.pth`. */
  title: string;
  findings: Finding[];
  /** For a report: what was open when it came. */
  about: string;
  /** For a report: a stack. */
  details?: string;
  /** What the person can do about it. */
  actions?: Action[];
}

export interface Action {
  label: string;
  run: () => unknown;
}

/** More than this would bury the page. */
const mostShown = 4;

export class Problems {
  list = $state.raw<Problem[]>([]);
  /** Says what is open. */
  about: () => string = () => '';
  #lastId = 0;

  add(
    title: string,
    findings: Finding[],
    { details, actions }: Pick<Problem, 'details' | 'actions'> = {},
  ): void {
    const id = ++this.#lastId;
    const problem = { id, title, findings, about: this.about(), details, actions };
    this.list = [problem, ...this.list.filter((other) => other.title !== title)].slice(
      0,
      mostShown,
    );
  }

  /**
   * A defect of the lab, as opposed to a fault in the user's files. That the worker died is told
   * once, not by every call that was under way.
   */
  defect(title: string, error: unknown): void {
    if (error instanceof WorkerCrash) return;
    const message = error instanceof Error ? error.message : String(error);
    const details =
      error instanceof WorkerError
        ? error.details
        : error instanceof Error
          ? error.stack
          : undefined;
    this.add(title, [{ code: 'internal', severity: 'error', message }], { details });
  }

  /** Passes a good result on; shows a bad one. */
  check<T>(title: string, result: Result<T>): result is { readonly ok: true } & T {
    if (!result.ok) this.add(title, result.findings);
    return result.ok;
  }

  dismiss(id: number): void {
    this.list = this.list.filter((problem) => problem.id !== id);
  }
}

/** A finding as text, for the clipboard. */
export function findingText({ severity, code, where, message, advice }: Finding): string {
  const next = advice ? `\n  ${advice}` : '';
  return `${severity} ${code}${where ? ` (${where})` : ''}: ${message}${next}`;
}

/** The whole problem as text, for the clipboard. */
export function problemText(problem: Problem): string {
  const lines = problem.findings.map(findingText);
  return [problem.title, ...lines, problem.about, problem.details].filter(Boolean).join('\n');
}
