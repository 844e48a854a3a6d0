/**
 * A built model with changes: a head of another size, LoRA, parameters that are not trained. A head
 * and LoRA are what `edits.py` does to the module after its constructor, so keys, graphs, first values
 * and gradients follow from the changed module as they would in PyTorch.
 */
import { FindingError, type Finding, type Result } from '#lib/checkpoint/finding.ts';
import { matchesGlob } from '#lib/checkpoint/glob.ts';
import type { LoraLayer } from '#lib/edit/merge_lora.ts';
import type { Lora, ModelEdits } from './edits.ts';
import source from './edits.py?raw';
import type { Graph, ParameterSpec } from './graph.ts';
import type { Built } from './module_tree.ts';
import type { PyInstance } from './python/classes.ts';
import { PyList } from './python/collections.ts';
import { PythonError, pythonFinding } from './python/errors.ts';
import { call } from './python/functions.ts';
import { shimFile } from './python/interpreter.ts';
import type { PyValue } from './python/object.ts';
import { parseFile } from './python/parse.ts';
import { Scope } from './python/scope.ts';
import type { ModuleTree } from './source.ts';
import { modulesOf } from './torch/tree.ts';

/** The Python of the changes: plain PyTorch, for projects that do the same. */
export const editsSource = source;

/** What PEFT calls the one adapter of a model that has one. */
const ADAPTER = 'default';

export interface Edited {
  readonly module: ModuleTree;
  /** Keys that the changes brought: nothing in a file of the unchanged model is theirs. */
  readonly fresh: ReadonlySet<string>;
  /** Keys that the changes moved, to what they were: `q.base_layer.weight` to `q.weight`. */
  readonly moved: ReadonlyMap<string, string>;
  /** The layers that have LoRA, in the order of the modules. */
  readonly lora: readonly LoraLayer[];
  readonly notes: readonly Finding[];
}

/** Changes a model. Findings say which path, target or option does not fit. */
export function editModel(module: ModuleTree, edits: ModelEdits): Result<Edited> {
  try {
    return { ok: true, ...edit(module, edits) };
  } catch (error) {
    const isPython = error instanceof PythonError;
    if (!isPython && !(error instanceof FindingError)) throw error;
    return { ok: false, findings: [isPython ? pythonFinding(error) : error.finding] };
  }
}

function edit(module: ModuleTree, { head, lora, freeze }: ModelEdits): Edited {
  if (!head && !lora) {
    const { state, notes } = frozen(module.state, freeze);
    return { module: { ...module, state }, fresh: new Set(), moved: new Map(), lora: [], notes };
  }
  if (!module.changed) {
    throw refused(
      'edit-carried',
      `${head ? 'head' : 'lora'}: the model's code comes out of its file and cannot be changed`,
      'Freezing works; for a new head or LoRA, bring the source of the model.',
    );
  }
  if (head) demand('head: outputs', head.outputs, isCount(head.outputs), 'a whole number above 0');
  if (lora) checkOptions(lora);
  const notes: Finding[] = [];
  let layers: LoraLayer[] = [];
  const changed = module.changed((built) => {
    const run = pythonOf(built);
    if (head) {
      checkHead(built, head.module);
      run('replace_head', [head.module, BigInt(head.outputs)]);
    }
    if (lora) {
      layers = targetsOf(built, lora, head?.module ?? null);
      const wrapped = layers.map(({ path }) => path);
      const options = [BigInt(lora.rank), lora.alpha, lora.dropout];
      run('add_lora', [new PyList(wrapped), ...options]);
    }
  });
  const before = new Set(module.state.map(({ key }) => key));
  const moved = new Map<string, string>();
  const fresh = new Set<string>();
  for (const { key } of changed.state) {
    const path = layers.find((layer) => key.startsWith(`${layer.path}.`))?.path;
    const own = path === undefined ? key : key.replace(`${path}.base_layer.`, `${path}.`);
    if (head && own.startsWith(`${head.module}.`)) fresh.add(key);
    else if (!before.has(own)) fresh.add(key);
    else if (own !== key) moved.set(key, own);
  }
  // As PEFT: the base is not trained, its new head is.
  const trained = [...fresh].map((key) => `!${key}`);
  const globs = lora ? ['*', ...trained, ...freeze] : freeze;
  const kept = frozen(changed.state, globs, freeze);
  notes.push(...kept.notes);
  const checked = { ...changed, state: kept.state, trace: tracing(changed, layers) };
  return { module: checked, fresh, moved, lora: layers, notes };
}

/** Calls the functions of edits.py on the module. */
function pythonOf({ program, module }: Built): (name: string, args: readonly PyValue[]) => void {
  const { interpreter, session } = program;
  const scope = new Scope('module', interpreter.environment.builtins);
  session.written.run(parseFile(shimFile('edits'), source), scope);
  return (name, args) => {
    const keywords = new Map<string, PyValue>();
    call(interpreter, scope.names.get(name)!, { positional: [module, ...args], keywords });
  };
}

/** What a module is to the changes, by the layer of torch.nn that it is or extends. */
function kindOf(module: PyInstance): string {
  const layer = module.class.mro.find(({ origin }) => !origin)?.name ?? '';
  // GPT-2's layer, of the source's own: a linear one whose weight lies (inputs, outputs).
  return layer === 'Module' && module.class.name === 'Conv1D' ? 'turned Linear' : layer;
}

function checkHead(built: Built, path: string): void {
  const found = modulesOf(built.module).find(({ name }) => name === path)?.value;
  if (!found || path === '') {
    throw refused(
      'edit-head',
      `head: the model has no module "${path}"`,
      'Choose one of the paths in the tree of modules.',
    );
  }
  const kind = kindOf(found);
  if (kind === 'Linear' || kind === 'Conv2d') return;
  throw refused(
    'edit-head',
    `head: the ${found.class.name} "${path}" is neither a Linear nor a Conv2d`,
    'Choose the last linear layer of the model.',
  );
}

/** Paths of the linear layers that the targets name. The head is made anew as it is. */
function targetsOf({ module }: Built, { targets }: Lora, head: string | null): LoraLayer[] {
  const modules = modulesOf(module);
  const kinds = new Map(modules.map(({ name, value }) => [name, kindOf(value)]));
  const found = new Set<string>();
  for (const target of targets) {
    const fits = modules.filter(({ name }) => isTarget(name, target) && name !== head);
    const layers = fits.filter(({ name }) => /Linear$/.test(kinds.get(name)!));
    const isGlob = /[*?[]/.test(target);
    for (const { name } of layers) {
      if (kinds.get(parentOf(name)) !== 'MultiheadAttention') found.add(name);
      else if (!isGlob) throw fused(name);
    }
    if (layers.length > 0 || (fits.length > 0 && isGlob)) continue;
    const [other] = fits;
    if (other && kinds.get(other.name) === 'MultiheadAttention') throw fused(other.name);
    throw refused(
      'edit-lora',
      other
        ? `lora: the ${other.value.class.name} "${other.name}" is no linear layer`
        : `lora: no module fits the target "${target}"`,
      'Targets are the last parts of the paths of linear layers, such as q_proj.',
    );
  }
  if (found.size > 0) {
    return modules
      .filter(({ name }) => found.has(name))
      .map(({ name }) => ({ path: name, turned: kinds.get(name) === 'turned Linear' }));
  }
  throw refused(
    'edit-lora',
    `lora: no linear layer fits the targets ${targets.map((target) => `"${target}"`).join(', ')}`,
    'Targets are the last parts of the paths of linear layers, such as q_proj.',
  );
}

/** The whole path or its last parts; a glob may be longer than that. */
function isTarget(path: string, target: string): boolean {
  return path !== '' && (matchesGlob(path, target) || matchesGlob(path, `*.${target}`));
}

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('.')));

function fused(path: string): FindingError {
  return refused(
    'edit-lora',
    `lora: "${path}" belongs to a MultiheadAttention, which reads its weights itself: LoRA would have no effect`,
    'Choose other linear layers, such as those of the feed-forward part.',
  );
}

/** A trace that lacks the update of a layer would train nothing there, and not say so. */
function tracing(module: ModuleTree, lora: readonly LoraLayer[]): ModuleTree['trace'] {
  return (inputs, options) => {
    const traced = module.trace(inputs, options);
    if (!traced.ok) return traced;
    const missed = unreached(traced.graph, lora);
    if (missed === undefined) return traced;
    const error = refused(
      'edit-lora',
      `lora: forward does not call "${missed}" but uses its weight: LoRA would have no effect there`,
      'Take it out of the targets.',
    );
    return { ok: false, findings: [error.finding] };
  };
}

/** A layer whose weight the graph takes and whose update it does not. */
function unreached({ nodes }: Graph, lora: readonly LoraLayer[]): string | undefined {
  const keys = new Set(nodes.flatMap((node) => (node.op === 'parameter' ? [node.attrs.key] : [])));
  const isMissed = ({ path }: LoraLayer): boolean =>
    keys.has(`${path}.base_layer.weight`) && !keys.has(`${path}.lora_A.${ADAPTER}.weight`);
  return lora.find(isMissed)?.path;
}

/**
 * The entries with `requires_grad` off where the globs say so. A tensor with several keys goes by all
 * of them. Notes name those of `asked` that fit nothing.
 */
function frozen(
  state: readonly ParameterSpec[],
  globs: readonly string[],
  asked = globs,
): { state: ParameterSpec[]; notes: Finding[] } {
  const parameters = state.filter(({ kind }) => kind === 'parameter');
  const names = new Map<string, string[]>();
  for (const { key, tiedTo = key } of parameters) {
    names.set(tiedTo, [...(names.get(tiedTo) ?? []), key]);
  }
  const fits = (glob: string, keys: readonly string[]): boolean =>
    keys.some((key) => matchesGlob(key, glob.replace(/^!/, '')));
  const isFrozen = (keys: readonly string[]): boolean =>
    globs.findLast((glob) => fits(glob, keys))?.startsWith('!') === false;
  const all = parameters.map(({ key }) => key);
  return {
    state: state.map((spec) => {
      const keys = names.get(spec.tiedTo ?? spec.key);
      return keys && isFrozen(keys) ? { ...spec, requiresGrad: false } : spec;
    }),
    notes: asked
      .filter((glob) => !fits(glob, all))
      .map((glob) => ({
        code: 'edit-freeze',
        severity: 'warning',
        message: `freeze: "${glob}" fits no parameter`,
        advice: 'Globs are compared with whole keys, such as features.* or *.bias.',
      })),
  };
}

function checkOptions({ rank, alpha, dropout, targets }: Lora): void {
  demand('lora: rank', rank, isCount(rank), 'a whole number above 0');
  demand('lora: alpha', alpha, alpha > 0 && Number.isFinite(alpha), 'a number above 0');
  demand('lora: dropout', dropout, dropout >= 0 && dropout < 1, 'from 0 to below 1');
  demand('lora: targets', targets.length, targets.length > 0, 'at least one');
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value > 0;

function demand(what: string, value: number, isRight: boolean, needed: string): void {
  if (!isRight) {
    throw refused('edit-option', `${what} must be ${needed}, not ${value}`, 'Change the number.');
  }
}

function refused(code: string, message: string, advice: string): FindingError {
  return new FindingError({ code, message, advice });
}
