/**
 * From a model's source to its graph. Three steps, each of which can be refused with a finding
 * that names the line: read the source, build the module tree, trace forward.
 */
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { isDict, type Value } from '#lib/checkpoint/value.ts';
import { FindingError, type Finding, type Result } from '#lib/checkpoint/finding.ts';
import { findCandidates, findDataclasses } from './candidates.ts';
import type { Graph, ParameterSpec } from './graph.ts';
import { moduleTree, outside, type Built } from './module_tree.ts';
import { globalValue, runProgram, type Program } from './program.ts';
import { PyDict, PyList, PyTuple } from './python/collections.ts';
import { pythonFinding, raised, Refusal, unsupported } from './python/errors.ts';
import { call, PyFunction } from './python/functions.ts';
import { maxSteps, maxTokens } from './python/limits.ts';
import { typeName, usable, type PyValue } from './python/object.ts';
import { parseFile, type ParsedFile } from './python/parse.ts';
import { isModule } from './torch/module.ts';

/** One Python file as the user gave it. */
export interface SourceFile {
  readonly name: string;
  readonly text: string;
}

/** Something in the source that is or makes a model. */
export interface Candidate {
  /** Class, function or variable name. */
  readonly name: string;
  /** `class`: an nn.Module class; `instance`: a module-level nn.Module; `function`: returns one. */
  readonly kind: 'class' | 'instance' | 'function';
  readonly file: string;
  readonly line: number;
  readonly arguments: readonly Argument[];
}

/** A constructor argument; `default` is its Python literal, absent when one must be given. */
export interface Argument {
  readonly name: string;
  readonly default?: string;
  readonly annotation?: string;
}

/** The source was read: what it offers. `build` makes one of them. */
export interface ModelSource {
  readonly candidates: readonly Candidate[];
  /** Dataclasses that a model's constructor may take. */
  readonly dataclasses: readonly { readonly name: string; readonly fields: readonly Argument[] }[];
  /**
   * Arguments by name, as checkpoint values (int is bigint, float is number). `file` says which one,
   * where several files have a model of that name. `steps` is what it took, however it ends.
   */
  build(
    name: string,
    args?: ReadonlyMap<string, Value>,
    file?: string,
  ): Result<{ module: ModuleTree }> & { readonly steps: number };
}

/** What a model's input may be. int64 runs as 32-bit integers. */
export type InputDtype = 'float32' | 'int64' | 'bool';

/** One module of a tree, as `named_modules()` lists it. */
export interface ModuleSpec {
  /** `features.0`; empty for the whole. */
  readonly path: string;
  /** Name of its class; empty where the file does not say. */
  readonly type: string;
  /** Of a layer of torch.nn, what would make it: `1, 16, 3, padding=1`. */
  readonly arguments: string;
}

/** An instantiated module tree. */
export interface ModuleTree {
  readonly name: string;
  /** Every module once, at its first path, parents before children. */
  readonly modules: readonly ModuleSpec[];
  /** As `state_dict()` lists them: persistent buffers and parameters, in order; then constants. */
  readonly state: readonly ParameterSpec[];
  /** Keys in the order of `parameters()`: the order of an optimizer's states. Tied ones once. */
  readonly parameterOrder: readonly string[];
  /** Names of forward's arguments that need a tensor. */
  readonly inputs: readonly string[];
  trace(
    inputs: readonly { shape: readonly number[]; dtype: InputDtype }[],
    options: { training: boolean },
  ): Result<{ graph: Graph }>;
  /** Makes it anew with `change` after the constructor; absent where the file brings the code. */
  readonly changed?: (change: (built: Built) => void) => ModuleTree;
  /**
   * First values of state_dict entries: what `torch.manual_seed(seed)` and the constructor would give
   * them. A finding names the key and the line whose numbers are not known.
   */
  initialise(
    keys: readonly string[],
    seed: bigint,
  ): Result<{ tensors: ReadonlyMap<string, Tensor> }>;
}

/**
 * Reads Python source that defines models. The files may import each other by name. Statements at
 * the top level that cannot be run are warnings; what they would have made is unavailable.
 */
export function readSource(
  files: readonly SourceFile[],
): Result<{ source: ModelSource; warnings: Finding[] }> {
  try {
    const { parsed, unread } = parseAll(files);
    const program = runProgram(parsed);
    const candidates = findCandidates(program, parsed);
    const find = (name: string, file?: string): Candidate | undefined =>
      candidates.find((item) => item.name === name && (file ?? item.file) === item.file) ??
      functionNamed(program, name, file);
    const source: ModelSource = {
      candidates,
      dataclasses: findDataclasses(parsed),
      build: (name, args, file) =>
        build(parsed, find(name, file), args ?? new Map(), () => unknownModel(name, candidates)),
    };
    return { ok: true, source, warnings: [...unread, ...program.warnings] };
  } catch (error) {
    return { ok: false, findings: [pythonFinding(error)] };
  }
}

/** Of several files, one that cannot be parsed is a warning: models may not need it. */
function parseAll(files: readonly SourceFile[]): { parsed: ParsedFile[]; unread: Finding[] } {
  const parsed: ParsedFile[] = [];
  const unread: Finding[] = [];
  let tokens = 0;
  for (const { name, text } of files) {
    try {
      const file = parseFile(name, text, maxTokens - tokens);
      parsed.push(file);
      tokens += file.tokens;
    } catch (error) {
      if (files.length === 1) throw error;
      unread.push(pythonFinding(error, 'warning'));
    }
  }
  if (parsed.length > 0 || !unread[0]) return { parsed, unread };
  throw new Refusal(
    'python-syntax',
    `none of ${files.length} files can be read: ${unread[0].message}`,
    unread[0].where,
  );
}

/** A function that was not offered, since its text does not show that it returns a model. */
function functionNamed(program: Program, name: string, file?: string): Candidate | undefined {
  for (const key of program.globals.keys()) {
    const value = file === undefined || file === key ? globalValue(program, key, name) : undefined;
    if (!(value instanceof PyFunction)) continue;
    return { name, kind: 'function', file: key, line: value.line, arguments: [] };
  }
  return undefined;
}

function unknownModel(name: string, candidates: readonly Candidate[]): Finding {
  const offered = candidates.map((item) => item.name).join(', ') || 'none';
  return new FindingError({
    code: 'python-error',
    message: `there is no model "${name}" in the source; it has: ${offered}`,
  }).finding;
}

function build(
  files: readonly ParsedFile[],
  candidate: Candidate | undefined,
  args: ReadonlyMap<string, Value>,
  unknown: () => Finding,
): ReturnType<ModelSource['build']> {
  if (!candidate) return { ok: false, findings: [unknown()], steps: 0 };
  // Only the candidate's file and what it imports; not the whole folder that was given.
  const make = (): Built => instantiate(runProgram(files, [candidate.file]), candidate, args);
  try {
    const built = make();
    const { steps } = built.program.interpreter;
    return { ok: true, module: moduleTree(candidate.name, built, make), steps };
  } catch (error) {
    const finding = pythonFinding(error);
    const steps = finding.code === 'python-budget' ? maxSteps : 0;
    return { ok: false, findings: [finding], steps };
  }
}

/** Makes the candidate in a fresh run. */
function instantiate(
  program: Program,
  candidate: Candidate,
  args: ReadonlyMap<string, Value>,
): Built {
  return outside(program, candidate, () => {
    // What the files themselves draw comes before the seed.
    if (candidate.kind !== 'instance') program.session.draws.reseed(null);
    const value = usable(globalValue(program, candidate.file, candidate.name) ?? null);
    const keywords = new Map(
      [...args].map(([key, given]) => [key, toPython(program, candidate, given)] as const),
    );
    if (candidate.kind === 'instance' && keywords.size > 0) {
      throw raised('TypeError', `${candidate.name} is already made and takes no arguments`);
    }
    const module =
      candidate.kind === 'instance'
        ? value
        : call(program.interpreter, value, { positional: [], keywords });
    if (isModule(module)) return { program, module, place: candidate };
    throw raised('TypeError', `${candidate.name}() returns a ${typeName(module)}, not a Module`);
  });
}

/** An argument as Python sees it. A Global names something that the source defines. */
function toPython(program: Program, candidate: Candidate, value: Value): PyValue {
  if (value === null || typeof value !== 'object') return value;
  const convert = (item: Value): PyValue => toPython(program, candidate, item);
  switch (value.kind) {
    case 'list':
      return new PyList(value.items.map(convert));
    case 'tuple':
      return new PyTuple(value.items.map(convert));
    case 'dict':
      return new PyDict([...value.entries()].map(([key, item]) => [convert(key), convert(item)]));
    case 'global': {
      const found = globalValue(program, candidate.file, value.name);
      if (found !== undefined) return found;
      throw raised('NameError', `name "${value.name}" is not defined in ${candidate.file}`);
    }
    case 'call':
      return call(program.interpreter, usable(convert(value.callable)), {
        positional: itemsOf(value.args).map(convert),
        keywords: new Map(entriesOf(value.state).map(([key, item]) => [key, convert(item)])),
      });
    default:
      throw unsupported(`a ${value.kind} as an argument is not supported`);
  }
}

function itemsOf(value: Value): readonly Value[] {
  return value !== null && typeof value === 'object' && value.kind === 'tuple' ? value.items : [];
}

/** Keyword arguments, which `parseLiteral` puts into a call's state. */
function entriesOf(value: Value | undefined): [string, Value][] {
  return isDict(value) ? [...value.entries()].map(([key, item]) => [String(key), item]) : [];
}
