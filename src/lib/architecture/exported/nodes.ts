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
import { PyList } from '../python/collections.ts';
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
        const result = callNode(node, run, program, values);
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
  const sizes = operators.get(/^_?operator\.(\w+)$/.exec(target)?.[1] ?? '');
  const [left, right] = inputs.map(({ value }) => valueOf(value));
  if (sizes && left !== undefined && right !== undefined) {
    return binary(run.program.interpreter, sizes, left, right);
  }
  throw unsupported(`the operator ${target} is not supported`);
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
