/** Runs the calls of an exported program over the shim. */
import type {
  ExportedNode,
  ExportedProgram,
  ExportedTensor,
  ExportedValue,
} from '#lib/checkpoint/exported.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import type { Run } from '../carried/run.ts';
import { PyInstance } from '../python/classes.ts';
import { PyList, PyTuple } from '../python/collections.ts';
import { PythonError, raised, unsupported } from '../python/errors.ts';
import type { BinaryOperator, PyValue } from '../python/object.ts';
import { binary, iterate } from '../python/operators.ts';
import { objectClass } from '../python/types.ts';
import { dtypeValue, PyDevice } from '../torch/dtypes.ts';
import { reshape } from '../torch/ops/shape.ts';
import { PyTensor, shapeText } from '../torch/tensor.ts';
import { differs, recordedText } from './inputs.ts';

/** The modules that nodes come from, as the tracer knows them. */
export class ModulePaths {
  readonly names = new Map<PyInstance, string>();
  readonly #instances = new Map<string, PyInstance>();

  of(path: string): PyInstance {
    let instance = this.#instances.get(path);
    if (!instance) {
      instance = new PyInstance(objectClass);
      this.#instances.set(path, instance);
      this.names.set(instance, path);
    }
    return instance;
  }
}

/** Runs every node; `values` holds the inputs, and gets the results by their names. */
export function runNodes(
  program: ExportedProgram,
  run: Run,
  paths: ModulePaths,
  values: Map<string, PyValue>,
): void {
  const { session, interpreter } = run.program;
  for (const [index, node] of program.nodes.entries()) {
    session.calls.push(paths.of(node.module));
    const { line } = node;
    const { scope, self } = interpreter.frame;
    const frame = { file: line?.file ?? 'node', line: line?.line ?? index, scope, self };
    try {
      interpreter.within(frame, () => {
        interpreter.step();
        const result = callNode(node, run, program, paths, values);
        keep(node, result, run, program, values);
      });
    } catch (error) {
      throw told(error, node);
    } finally {
      session.calls.pop();
    }
  }
}

/** Adds the node to the message: its line alone may hold several calls. */
function told(error: unknown, { target, outputs }: ExportedNode): unknown {
  if (error instanceof PythonError) {
    error.message = `${target} (${outputs[0] ?? 'no result'}): ${error.message}`;
  }
  return error;
}

const operators = new Map<string, BinaryOperator>([
  ['add', '+'],
  ['sub', '-'],
  ['mul', '*'],
  ['floordiv', '//'],
  ['truediv', '/'],
  ['mod', '%'],
  ['pow', '**'],
]);

function callNode(
  node: ExportedNode,
  run: Run,
  program: ExportedProgram,
  paths: ModulePaths,
  values: Map<string, PyValue>,
): PyValue {
  const { target, inputs } = node;
  const valueOf = (value: ExportedValue): PyValue => toPython(value, values);
  const aten = /^torch\.ops\.aten\.(\w+)\.\w+$/.exec(target)?.[1];
  if (aten === 'as_strided') return restrided(node, program, values);
  if (aten !== undefined) {
    const positional = inputs.filter(({ isPositional }) => isPositional);
    const others = inputs.filter(({ isPositional }) => !isPositional);
    return run.aten.call(aten, {
      positional: positional.map(({ value }) => valueOf(value)),
      keywords: new Map(others.map(({ name, value }) => [name, valueOf(value)])),
    });
  }
  if (/^torch\.ops\.higher_order\.wrap_with_(set_grad_enabled|autocast)$/.test(target)) {
    return runPart(node, run, program, paths, values);
  }
  const sizes = operators.get(/^_?operator\.(\w+)$/.exec(target)?.[1] ?? '');
  if (!sizes || inputs.length !== 2) throw unsupported(`the operator ${target} is not supported`);
  const [left, right] = inputs.map(({ value }) => valueOf(value));
  return binary(run.program.interpreter, sizes, left!, right!);
}

/**
 * What stood in `with torch.no_grad()` or `with torch.autocast(enabled=False)`: a part of the program
 * behind the settings, and then what goes into it.
 */
function runPart(
  { target, inputs, isList }: ExportedNode,
  run: Run,
  program: ExportedProgram,
  paths: ModulePaths,
  values: ReadonlyMap<string, PyValue>,
): PyValue {
  const given = inputs.map(({ value }) => value);
  const at = given.findIndex((value) => typeof value === 'object' && value?.kind === 'graph');
  const part = given[at];
  if (typeof part !== 'object' || part?.kind !== 'graph') {
    throw raised('RuntimeError', 'the part that it runs is missing');
  }
  const isAutocast = target.endsWith('autocast');
  if (isAutocast && given[2] !== false) throw unsupported('autocast is not supported');
  const inside = new Map<string, PyValue>();
  part.inputs.forEach((name, index) => {
    if (name !== null) inside.set(name, toPython(given[at + 1 + index] ?? null, values));
  });
  runNodes({ ...program, nodes: part.nodes, tensors: part.tensors }, run, paths, inside);
  const results = part.outputs.map((name) => {
    const value = name === null ? null : (inside.get(name) ?? null);
    const isApart = !isAutocast && given[0] === false && value instanceof PyTensor;
    return isApart ? run.aten.python('.detach', [value]) : value;
  });
  return isList || results.length !== 1 ? new PyTuple(results) : results[0]!;
}

/**
 * The exporter writes as_strided where it wants other strides and the same elements. That is what
 * both the tensor and the result being contiguous proves; anything else is refused.
 */
function restrided(
  { inputs, outputs }: ExportedNode,
  { tensors }: ExportedProgram,
  values: ReadonlyMap<string, PyValue>,
): PyValue {
  const [self, , , offset] = inputs.map(({ value }) => value);
  const value = toPython(self ?? null, values);
  const given = typeof self === 'object' && self?.kind === 'name' && tensors.get(self.name);
  const result = tensors.get(outputs[0] ?? '');
  const shape = result?.shape.filter((size) => typeof size === 'number') ?? [];
  const isSame =
    given && given.isContiguous && result?.isContiguous && shape.length === result.shape.length;
  if (value instanceof PyTensor && isSame && !offset && numel(shape) === numel(value.shape)) {
    return reshape(value, shape, 'as_strided');
  }
  throw unsupported('other strides than those of a contiguous tensor are not supported');
}

function toPython(value: ExportedValue, values: ReadonlyMap<string, PyValue>): PyValue {
  if (value === null || typeof value !== 'object') return value;
  switch (value.kind) {
    case 'name': {
      const found = values.get(value.name);
      if (found !== undefined) return found;
      throw raised('NameError', `nothing before it gives "${value.name}"`);
    }
    case 'list':
      return new PyList(value.items.map((item) => toPython(item, values)));
    case 'text':
      return value.text;
    case 'dtype':
      return dtypeValue(value.dtype);
    case 'placement':
      return new PyDevice('cpu');
    case 'graph':
      throw unsupported('a part of the program as a value is not supported');
    case 'unknown':
      throw unsupported(`an argument of the kind ${value.what} is not supported`);
    default:
      return value satisfies never;
  }
}

/** Names the results, and holds them against what the exporter saw. */
function keep(
  { outputs, isList }: ExportedNode,
  result: PyValue,
  { program: { interpreter } }: Run,
  program: ExportedProgram,
  values: Map<string, PyValue>,
): void {
  if (outputs.length === 0) return;
  const results = isList || outputs.length > 1 ? [...iterate(interpreter, result)] : [result];
  if (results.length !== outputs.length) {
    throw raised(
      'RuntimeError',
      `gives ${results.length} results, the program has ${outputs.length}`,
    );
  }
  outputs.forEach((name, index) => {
    if (name === null) return;
    const value = results[index]!;
    const recorded = program.tensors.get(name);
    if (recorded && value instanceof PyTensor) demandSame(value, recorded, program);
    values.set(name, value);
  });
}

function demandSame(tensor: PyTensor, recorded: ExportedTensor, program: ExportedProgram): void {
  if (!differs(tensor, recorded)) return;
  const { dtype, shape } = tensor;
  const other = recordedText(recorded, program);
  throw raised('RuntimeError', `gives ${dtype} ${shapeText(shape)}, PyTorch gave ${other}`);
}
