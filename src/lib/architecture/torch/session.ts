/**
 * What one run of the shim shares: the interpreter, the graph being traced (none while the model
 * is built), and which module is being called.
 */
import type { Interpreter } from '../python/interpreter.ts';
import type { PyInstance } from '../python/classes.ts';
import { unsupported } from '../python/errors.ts';
import { Draws } from './draws.ts';
import type { Tracer } from './tracer.ts';
import { Written } from './written/index.ts';

export class Session {
  #interpreter: Interpreter | undefined;
  /** Set while forward is traced. */
  tracer: Tracer | null = null;
  /** Parts of torch that are written in Python. */
  readonly written = new Written(this);
  /** Random numbers of the build. */
  readonly draws = new Draws();
  /** Modules whose call is under way, outermost first. */
  readonly calls: PyInstance[] = [];

  get interpreter(): Interpreter {
    return this.#interpreter!;
  }
  set interpreter(interpreter: Interpreter) {
    this.#interpreter = interpreter;
  }

  /** Refuses what may only happen while the model is built. */
  buildOnly(what: string): void {
    if (this.tracer) throw unsupported(`${what} in forward is not supported`);
  }
}
