/**
 * The state of one run: what it has cost so far, and where it is. Nothing of a run outlives it;
 * two runs of the same files give the same result.
 */
import { PythonError, Refusal, type Raised } from './errors.ts';
import { maxAllocation, maxDepth, maxSteps } from './limits.ts';
import type { PyClass } from './classes.ts';
import type { PyValue } from './object.ts';
import type { Scope } from './scope.ts';

/** A function call, or the top level of a file, that is under way. */
export interface Frame {
  readonly file: string;
  /** The line being evaluated. */
  line: number;
  readonly scope: Scope;
  /** The first argument, which `super()` is about. */
  readonly self: PyValue | undefined;
}

/** What a run finds around it: built-in names, the classes of values, and modules to import. */
export interface Environment {
  readonly builtins: Scope;
  readonly objectClass: PyClass;
  /** `type(value)`. */
  classOf(value: PyValue): PyClass;
  /** Modules of the shim by dotted name: `torch.nn`. */
  readonly libraries: ReadonlyMap<string, PyValue>;
  /**
   * Another file of the source, run at its first import; undefined where there is none. `level`
   * counts the dots of a relative import, `from` is the file that imports.
   */
  readonly loadFile: (path: string, level: number, from: string) => PyValue | undefined;
}

export class Interpreter {
  readonly environment: Environment;
  readonly frames: Frame[] = [];
  /** The exception that an `except` block handles, for a bare `raise`. */
  handled: Raised | null = null;
  /** Above zero within a `try` that catches ImportError: there, an unknown import raises. */
  guardedImports = 0;
  #steps = 0;
  #allocated = 0;
  #depth = 0;

  constructor(environment: Environment) {
    this.environment = environment;
  }

  get frame(): Frame {
    return this.frames.at(-1)!;
  }

  /** What the run has cost so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Counts work. */
  step(count = 1): void {
    this.#steps += count;
    if (this.#steps > maxSteps) {
      throw new Refusal('python-budget', `more than ${maxSteps} steps were taken`);
    }
  }

  /** Counts items or characters before they are made. */
  allocate(count: number | bigint): void {
    this.#allocated += Number(count);
    if (this.#allocated > maxAllocation) {
      throw new Refusal(
        'python-budget',
        `more than ${maxAllocation} items and characters would be made (${count} at once here)`,
      );
    }
  }

  /** Enters a nested evaluation; the caller leaves it in a `finally`. */
  enter(): void {
    if (++this.#depth > maxDepth) {
      throw new Refusal('python-budget', `more than ${maxDepth} evaluations are nested`);
    }
  }

  leave(): void {
    this.#depth--;
  }

  /** Runs within a new frame. An error that leaves it takes its place along. */
  within<T>(frame: Frame, run: () => T): T {
    this.frames.push(frame);
    try {
      return run();
    } catch (error) {
      throw located(error, frame);
    } finally {
      this.frames.pop();
    }
  }
}

/** The name of a file of the shim itself. Its lines say nothing to people: those of its caller do. */
export function shimFile(name: string): string {
  return `<torch.${name}>`;
}

/** Whether a frame runs code of the user's. */
export function isOwn({ file }: Frame): boolean {
  return !file.startsWith('<torch.');
}

function located(error: unknown, frame: Frame): unknown {
  if (!isOwn(frame)) return error;
  const where = `${frame.file} line ${frame.line}`;
  if (error instanceof PythonError) {
    error.where ??= where;
    return error;
  }
  // The depth is counted, so this is a second line of defence for small stacks.
  if (isOverflow(error)) {
    return new Refusal('python-budget', 'this is nested too deeply', where);
  }
  return error;
}

/** Whether the stack was full; a pattern that is compiled just then fails with a SyntaxError. */
function isOverflow(error: unknown): boolean {
  return error instanceof Error && error.message.includes('call stack');
}
