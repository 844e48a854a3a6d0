/**
 * What an exported program takes. PyTorch holds it to the sizes of its example, but for those that
 * were left open; for these, to the bounds that the exporter found, and to its guards, which are
 * lines of Python about sizes.
 */
import type { ExportedProgram, ExportedTensor, OpenSize } from '#lib/checkpoint/exported.ts';
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Run } from '../carried/run.ts';
import { PyDict } from '../python/collections.ts';
import { evaluate } from '../python/expressions.ts';
import { truth } from '../python/operators.ts';
import { parseFile } from '../python/parse.ts';
import { Scope } from '../python/scope.ts';
import type { InputDtype } from '../source.ts';
import { shapeText, type PyTensor } from '../torch/tensor.ts';

export interface InputSpec {
  readonly shape: readonly number[];
  readonly dtype: InputDtype;
}

/** Bounds up to here are no bounds: the exporter takes every open size to be 2 at least. */
const ASSUMED = 2;

/**
 * An input to try the program with, like the example's: an open batch is one, other open sizes are
 * those of the example. Null where a size is not known or the dtype is none of ours.
 */
export function proposedInput(program: ExportedProgram, name: string): InputSpec | null {
  const { shape = [], dtype = null } = program.tensors.get(name) ?? {};
  const sizes = shape.map((size, axis) => {
    if (typeof size === 'number') return size;
    return axis === 0 ? Math.max(1, rangeOf(program, size).min) : size.example;
  });
  const known = sizes.filter((size) => size !== null);
  const isOurs = dtype === 'float32' || dtype === 'int64' || dtype === 'bool';
  return isOurs && known.length === sizes.length ? { shape: known, dtype } : null;
}

/**
 * Throws a FindingError where PyTorch would refuse these inputs of the user, by their names in the
 * program.
 */
export function checkInputs(
  program: ExportedProgram,
  run: Run,
  inputs: ReadonlyMap<string, PyTensor>,
): void {
  const sizes = new Map<string, { readonly size: number; readonly place: string }>();
  for (const [name, { shape, dtype }] of inputs) {
    const recorded = program.tensors.get(name);
    if (!recorded) continue;
    if (differs({ shape, dtype }, recorded) || outOfRange(shape, recorded, program)) {
      const other = recordedText(recorded, program);
      throw refused(`the input "${name}" is ${dtype} ${shapeText(shape)}`, other);
    }
    recorded.shape.forEach((size, axis) => {
      if (typeof size === 'number' || size.symbol === null) return;
      const place = `size ${axis} of "${name}"`;
      const before = sizes.get(size.symbol);
      if (before && before.size !== shape[axis]) {
        const others = `inputs where both are the same`;
        throw refused(`${before.place} is ${before.size}, ${place} is ${shape[axis]}`, others);
      }
      sizes.set(size.symbol, { size: shape[axis]!, place });
    });
  }
  for (const guard of program.guards) checkGuard(guard, run, inputs);
}

function refused(given: string, exported: string): FindingError {
  return new FindingError({
    code: 'exported-shapes',
    message: `pt2: ${given}, the program was exported for ${exported}`,
    advice: 'Give inputs like these, or export the program with dynamic_shapes.',
  });
}

/** Whether a tensor is another than the one that was recorded; open sizes fit all. */
export function differs(
  { shape, dtype }: { readonly shape: readonly number[]; readonly dtype: Dtype },
  recorded: ExportedTensor,
): boolean {
  const fits =
    recorded.shape.length === shape.length &&
    recorded.shape.every((size, axis) => typeof size !== 'number' || size === shape[axis]);
  return !fits || (recorded.dtype !== null && recorded.dtype !== dtype);
}

/** What was recorded, in words: `float32 [4 to 32, 3]`. */
export function recordedText({ dtype, shape }: ExportedTensor, program: ExportedProgram): string {
  const sizes = shape.map((size) => {
    if (typeof size === 'number') return size;
    const { min, max } = rangeOf(program, size);
    if (max !== null) return `${min} to ${max}`;
    return min > 0 ? `${min} or more` : 'any';
  });
  return `${dtype} [${sizes.join(', ')}]`;
}

function rangeOf({ ranges }: ExportedProgram, { symbol }: OpenSize) {
  const { min = 0, max = null } = ranges.get(symbol ?? '') ?? {};
  return { min: min > ASSUMED ? min : 0, max };
}

function outOfRange(shape: readonly number[], recorded: ExportedTensor, program: ExportedProgram) {
  return recorded.shape.some((size, axis) => {
    if (typeof size === 'number') return false;
    const { min, max } = rangeOf(program, size);
    return shape[axis]! < min || (max !== null && shape[axis]! > max);
  });
}

/** Guards on what lies in lists and dicts call it by other names than the program does. */
const NAMED = /\bL\['(\w+)'\](?!\[)/g;

function checkGuard(guard: string, run: Run, inputs: ReadonlyMap<string, PyTensor>): void {
  const about = [...guard.matchAll(NAMED)].map(([, name]) => name!);
  const isKnown = about.length === guard.split('L[').length - 1;
  if (!isKnown || !about.every((name) => inputs.has(name))) return;
  const [statement] = parseFile('guards', guard).body;
  if (statement?.nodeType !== 'Expr') return;
  const scope = new Scope('module', run.builtins);
  scope.assign('L', new PyDict(inputs));
  const { interpreter } = run.program;
  if (truth(interpreter, evaluate(interpreter, statement.value, scope))) return;
  const given = [...new Set(about)].map(
    (name) => `"${name}" is ${shapeText(inputs.get(name)!.shape)}`,
  );
  throw refused(given.join(', '), `sizes of which ${guard.replace(NAMED, '$1')} holds`);
}
