/** A fresh evaluator for a model out of a file: the shim of torch, and nothing to import. */
import { adapters, Aten } from '../aten/index.ts';
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import type { Program } from '../program.ts';
import { builtinScope } from '../python/builtins.ts';
import { Interpreter } from '../python/interpreter.ts';
import type { PyValue } from '../python/object.ts';
import type { Scope } from '../python/scope.ts';
import { builtinType, objectClass } from '../python/types.ts';
import { createTorch } from '../torch/namespace.ts';
import { Session } from '../torch/session.ts';

export interface Run {
  readonly program: Program;
  readonly aten: Aten;
  /** Modules of the shim by their dotted names. */
  readonly libraries: ReadonlyMap<string, PyValue>;
  readonly builtins: Scope;
}

/** `dtypes` are those that the code writes as numbers. */
export function newRun(dtypes: ReadonlyMap<bigint, Dtype> = new Map()): Run {
  const session = new Session();
  const torch = createTorch(session);
  const builtins = builtinScope();
  const interpreter = new Interpreter({
    builtins,
    objectClass,
    classOf: builtinType,
    libraries: new Map(),
    loadFile: () => undefined,
  });
  session.interpreter = interpreter;
  const tensors = { session, protocol: torch.protocol };
  const aten = new Aten(tensors, torch.libraries, adapters, dtypes);
  const program = {
    interpreter,
    session,
    tensors,
    globals: new Map<string, Scope>(),
    warnings: [],
  };
  return { program, aten, libraries: torch.libraries, builtins };
}
