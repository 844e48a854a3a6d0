/** Which parameters are trained, as a tree of modules that can be ticked, and as globs. */
import type { BuiltModel, ModelEdits, WeightRow } from '#lib/worker/protocol.ts';
import { matchesGlobs } from '#lib/checkpoint/glob.ts';

export type FreezeMode = 'nothing' | 'body' | 'chosen';

/** All but the layer that gives the output. */
export function bodyOnly(head: string): string[] {
  return ['*', `!${head}.*`];
}

export function freezeMode(freeze: readonly string[], head: string | null): FreezeMode {
  if (freeze.length === 0) return 'nothing';
  const body = head === null ? null : bodyOnly(head);
  return body && body.join('\n') === freeze.join('\n') ? 'body' : 'chosen';
}

export interface TrainedCount {
  trained: number;
  frozen: number;
}

/** A module, or one parameter at the end. */
export interface ModuleRow {
  /** Path of the module, or key of the parameter. */
  path: string;
  /** The last part of it. */
  name: string;
  /** 1 for what lies at the top. */
  level: number;
  isParameter: boolean;
  shape: readonly number[] | null;
  count: TrainedCount;
}

const elements = ({ shape }: WeightRow) => shape.reduce((product, size) => product * size, 1);

/**
 * The weights without what LoRA has added, under the keys that they have without it: what the forms
 * show stays the same whether LoRA is on or not.
 */
export function baseWeights(weights: readonly WeightRow[]): WeightRow[] {
  const base = weights.filter(({ key }) => !/\.lora_[AB]\./.test(key));
  return base.map((row) => ({ ...row, key: row.key.replace('.base_layer.', '.') }));
}

/** Parameters that are trained and those that are not, as the model is built. */
export function builtCount(weights: readonly WeightRow[]): TrainedCount {
  const count = { trained: 0, frozen: 0 };
  for (const row of weights) {
    if (row.kind === 'parameter') count[row.trained ? 'trained' : 'frozen'] += elements(row);
  }
  return count;
}

/** What edits would train: with LoRA, what it adds and a new head. */
export function editedCount({ weights, linears }: EditedModel, edits: ModelEdits): TrainedCount {
  const { head, lora, freeze } = edits;
  const isNew = (key: string) => head !== null && key.startsWith(`${head.module}.`);
  const count = { trained: 0, frozen: 0 };
  const base = baseWeights(weights);
  for (const row of base) {
    if (row.kind !== 'parameter') continue;
    const outputs = isNew(row.key) ? (head?.outputs ?? 1) / (row.shape[0] ?? 1) : 1;
    const isFrozen = (lora !== null && !isNew(row.key)) || matchesGlobs(row.key, freeze);
    count[isFrozen ? 'frozen' : 'trained'] += elements(row) * outputs;
  }
  count.trained += loraParameters(base, linears, lora);
  return count;
}

type EditedModel = Pick<BuiltModel, 'weights' | 'linears'>;

/** The parameters as a tree, row after row, each module before what is in it. */
export function moduleRows(weights: readonly WeightRow[], freeze: readonly string[]): ModuleRow[] {
  const rows: ModuleRow[] = [];
  let open: ModuleRow[] = [];
  for (const row of weights) {
    if (row.kind !== 'parameter') continue;
    const parts = row.key.split('.');
    const size = elements(row);
    const which = matchesGlobs(row.key, freeze) ? 'frozen' : 'trained';
    const above: ModuleRow[] = [];
    for (const [index, name] of parts.entries()) {
      const path = parts.slice(0, index + 1).join('.');
      const isParameter = index === parts.length - 1;
      let module = open[index]?.path === path ? open[index] : undefined;
      if (!module) {
        const count = { trained: 0, frozen: 0 };
        const shape = isParameter ? row.shape : null;
        module = { path, name, level: index + 1, isParameter, shape, count };
        rows.push(module);
      }
      module.count[which] += size;
      above.push(module);
    }
    open = above;
  }
  return rows;
}

/** The globs after a tick: what was said of the row and of what is in it gives way. */
export function withTick(
  freeze: readonly string[],
  { path, isParameter }: Pick<ModuleRow, 'path' | 'isParameter'>,
  isTrained: boolean,
  weights: readonly WeightRow[],
): string[] {
  const bare = (glob: string) => glob.replace(/^!/, '');
  const glob = isParameter ? path : `${path}.*`;
  const others = freeze.filter((it) => bare(it) !== glob && !bare(it).startsWith(`${path}.`));
  const isIn = (key: string) => key === path || key.startsWith(`${path}.`);
  const inside = weights.filter(({ kind, key }) => kind === 'parameter' && isIn(key));
  if (inside.every(({ key }) => matchesGlobs(key, others) !== isTrained)) return others;
  return [...others, isTrained ? `!${glob}` : glob];
}

/** The linear layers that LoRA's targets name. */
export function loraLayers(linears: readonly string[], targets: readonly string[]): string[] {
  return linears.filter((path) =>
    targets.some((target) => matchesGlobs(path, [target, `*.${target}`])),
  );
}

/** What LoRA adds: rank · (in + out) for each linear layer that its targets name. */
export function loraParameters(
  weights: readonly WeightRow[],
  linears: readonly string[],
  lora: ModelEdits['lora'],
): number {
  if (!lora) return 0;
  const shapes = new Map(weights.map(({ key, shape }) => [key, shape]));
  return loraLayers(linears, lora.targets).reduce((sum, path) => {
    const [rows = 0, columns = 0] = shapes.get(`${path}.weight`) ?? [];
    return sum + lora.rank * (rows + columns);
  }, 0);
}

/** Last parts of the linear layers' paths, each once: what PEFT calls target modules. */
export function targetNames(linears: readonly string[]): string[] {
  return [...new Set(linears.map((path) => path.split('.').at(-1) ?? path))];
}
