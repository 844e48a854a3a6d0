/**
 * The two ways in which Python code ends early. `Raised` is what Python itself would raise, and
 * `except` can catch it; `Refusal` says that this evaluator stops here, and nothing catches it.
 * Both learn their place when they leave the frame in which they were thrown.
 */
import type { Finding } from '#lib/checkpoint/finding.ts';
import type { PyValue } from './object.ts';

export type PythonCode = 'python-syntax' | 'python-unsupported' | 'python-error' | 'python-budget';

const advice: Record<PythonCode, string> = {
  'python-syntax': 'Paste the file as it is on disk; it has to be valid Python 3.',
  'python-unsupported':
    'Only the code that the model runs through counts: write this line with supported functions, or leave it out.',
  'python-error': 'PyTorch would stop here too: check the line and the arguments of the model.',
  'python-budget':
    'The source asks for more work than a model needs: look for an endless loop or a size that is too large.',
};

export abstract class PythonError extends Error {
  readonly code: PythonCode;
  /** `model.py line 12`. */
  where: string | undefined;
  constructor(code: PythonCode, message: string, where?: string) {
    super(message);
    this.code = code;
    this.where = where;
  }
}

export class Raised extends PythonError {
  /** Name of the built-in exception class, where `value` is absent. */
  readonly type: string;
  /** The exception instance of a `raise` statement. */
  readonly value: PyValue | undefined;
  constructor(type: string, message: string, value?: PyValue) {
    super('python-error', message);
    this.name = 'Raised';
    this.type = type;
    this.value = value;
  }
}

export class Refusal extends PythonError {
  constructor(code: PythonCode, message: string, where?: string) {
    super(code, message, where);
    this.name = 'Refusal';
  }
}

/** What Python would raise: `throw raised('TypeError', …)`. */
export function raised(type: string, message: string): Raised {
  return new Raised(type, message);
}

/** Something this evaluator or the torch shim cannot do. */
export function unsupported(message: string): Refusal {
  return new Refusal('python-unsupported', message);
}

/** The line of an error in words, for a message that refers to it. */
export function explain(error: PythonError): string {
  const line = error.where?.replace(/^.* line /, 'line ');
  return line ? `${line}: ${error.message}` : error.message;
}

/** Turns what was thrown while Python code ran into a Finding; other errors are bugs and pass. */
export function pythonFinding(error: unknown, severity: Finding['severity'] = 'error'): Finding {
  if (!(error instanceof PythonError)) throw error;
  const { code, message, where } = error;
  return { code, severity, message, ...(where ? { where } : {}), advice: advice[code] };
}
