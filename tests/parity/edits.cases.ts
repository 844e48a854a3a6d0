/**
 * Edits by the name of what Python makes of each (`tests/judge/edit_cases.py`, `merge_cases.py`,
 * `lora_cases.py`): the file that is edited, and how. Other checkpoints are named by their files.
 */
import type { Edit, MergeHow, Path } from '#lib/edit/edits.ts';

export type EditCase = readonly [file: string, ...edits: Edit[]];

/** Files and folders that tensors are taken from; edits call them by their places here. */
export const others = [
  ...['a.pt', 'b.pt', 'c.pt', 'untied.pt', 'mixed_a.pt', 'mixed_b.pt', 'mixed_c.pt'],
  ...['extremes_a.pt', 'extremes_b.pt', 'parts.pt', 'fc.pt', 'out.pt', 'training.pt'],
  ...['things.pt', 'array.npy', 'arrays.npz', 'plain/adapter_model.safetensors'],
  ...['kohya.safetensors', 'plain', 'patterns', 'rslora', 'turned', 'turned_mixed', 'saved'],
] as const;

const other = (name: (typeof others)[number]) => others.indexOf(name);

const cast = (to: 'float64' | 'float32' | 'float16' | 'bfloat16' | 'float8_e5m2', names = ['*']) =>
  ({ kind: 'cast', names, to }) as const;
const set = (path: Path, value: string) => ({ kind: 'set', path, value }) as const;
const put = (path: Path, name: (typeof others)[number], from: Path) =>
  ({ kind: 'put', path, other: other(name), from }) as const;
const group = ["'optimizer'", "'param_groups'", '0'];

const attention = ['query', 'key', 'value'].map((part) => `layer.{n}.${part}`);
const single: Record<string, EditCase> = {
  rename: ['training', { kind: 'rename', in: null, rules: [{ kind: 'strip', prefix: 'module.' }] }],
  rename_rules: [
    'plain',
    {
      kind: 'rename',
      in: ["'state'"],
      rules: [
        { kind: 'strip', prefix: 'module.' },
        { kind: 'add', prefix: 'net.' },
        { kind: 'replace', pattern: String.raw`layers\.(\d+)\.`, with: 'h.$1.' },
      ],
    },
  ],
  rename_in: [
    'plain',
    { kind: 'rename', in: null, rules: [{ kind: 'replace', pattern: 'gamma', with: 'weight' }] },
  ],
  rename_paths: [
    'attention',
    {
      kind: 'rename',
      in: null,
      rules: [
        { kind: 'path', pattern: 'layer.{n}.query', with: 'h{n+1}.q' },
        { kind: 'path', pattern: 'blocks.{n}.qkv', with: 'layers.{n-1}' },
      ],
    },
  ],
  cat: ['attention', { kind: 'cat', in: null, parts: attention, whole: 'blocks.{n}.qkv' }],
  chunk: ['attention', { kind: 'chunk', in: null, parts: attention, whole: 'blocks.{n+1}.qkv' }],
  names: [
    'plain',
    {
      kind: 'names',
      in: null,
      names: [
        ['module.layers.0.attn.weight', 'module.layers.0.attn.bias'],
        ['module.layers.0.attn.bias', 'module.layers.0.attn.weight'],
      ],
    },
  ],
  flatten: ['training', { kind: 'flatten', separator: '/' }],
  unflatten: ['dotted', { kind: 'unflatten', separator: '.' }],
  flatten_unflatten: [
    'training',
    { kind: 'flatten', separator: ' / ' },
    { kind: 'unflatten', separator: ' / ' },
  ],
  drop: ['training', { kind: 'drop', names: ['optimizer.*', 'epoch'] }],
  drop_many: [
    'things',
    { kind: 'drop', names: ['1.*', 'sparse', 'rows', 'jagged', 'list.[01]', '!same.*'] },
  ],
  keep: ['training', { kind: 'keep', names: ['views.*'] }],
  keep_but: ['training', { kind: 'keep', names: ['model.*', 'epoch', '!*bias'] }],
  delete: [
    'training',
    { kind: 'delete', path: ["'model'", "'module.conv.bias'"] },
    { kind: 'delete', path: ["'optimizer'", "'state'", '3'] },
    { kind: 'delete', path: [...group, "'params'", '1'] },
  ],
  extract: ['training', { kind: 'extract', path: ["'model'"] }],
  extract_deep: ['training', { kind: 'extract', path: ["'optimizer'", "'state'", '1'] }],
  extract_item: ['things', { kind: 'extract', path: ["'list'", '2', '0'] }],
  extract_whole: ['whole', { kind: 'extract', path: ["'net'"] }],
  set_value: ['training', set(["'epoch'"], '4'), set(["'note'"], "['x', (1, 2.5)]")],
  set_values: [
    'training',
    set([...group, "'lr'"], '1e-3'),
    set([...group, "'betas'"], '(0.5, 0.9)'),
    set([...group, "'params'"], '[3, -1]'),
    set([...group, "'foreach'"], 'False'),
    set(["'optimizer'", "'state'", '7'], String.raw`{'deep': {1: [None, True], '\u00e9\n': -0.0}}`),
    set(["'views'"], String(2n ** 70n)),
    set(["'inf'"], '[1e400, -1e400, 1e-320]'),
  ],
  put: ['training', put(["'extra'"], 'things.pt', ["'turned'"])],
  put_values: [
    'training',
    put(["'epoch'"], 'array.npy', []),
    put(["'model'", "'module.conv.bias'"], 'things.pt', ["'upper'"]),
    put([...group, "'params'", '2'], 'things.pt', ["'turned'"]),
    ...['sparse', 'rows', 'conj', 'small', 'parameter'].map((name) =>
      put([`'${name}'`], 'things.pt', [`'${name}'`]),
    ),
    put(["'scale'"], 'arrays.npz', ["'scalar'"]),
  ],
  half: ['training', cast('float16')],
  float8: ['training', cast('float8_e5m2')],
  cast_named: [
    'training',
    cast('float32', ['model.module.norm.num_batches_tracked']),
    cast('bfloat16', ['optimizer.state.*.exp_avg']),
  ],
  cast_things: ['things', cast('float64')],
  compact: ['training', { kind: 'compact', names: ['*'] }],
  compact_named: ['training', { kind: 'compact', names: ['column'] }],
  untie: ['training', { kind: 'untie', names: ['*'] }],
  untie_named: ['training', { kind: 'untie', names: ['*.head.weight'] }],
  tie: ['things', { kind: 'tie', names: ['upper', 'alike', 'equal'] }],
  untie_tie: [
    'training',
    { kind: 'untie', names: ['*.embed.weight', '*.head.weight'] },
    { kind: 'tie', names: ['model.module.embed.weight', 'model.module.head.weight'] },
  ],
};

type OtherName = (typeof others)[number];

/** A merge of a file with others, each with the path of its dict, or just by its name. */
function merge(
  file: string,
  how: MergeHow,
  ...others: (OtherName | readonly [OtherName, ...Path])[]
): EditCase {
  return mergeIn(null, file, how, ...others);
}

function mergeIn(
  path: Path | null,
  file: string,
  how: MergeHow,
  ...others: (OtherName | readonly [OtherName, ...Path])[]
): EditCase {
  const given = others.map((it) => {
    const [name, ...rest] = typeof it === 'string' ? [it] : it;
    return { other: other(name), in: rest.length > 0 ? rest : null };
  });
  return [file, { kind: 'merge', in: path, how, others: given }];
}

const weighted = (...weights: number[]) => ({ kind: 'weighted', weights }) as const;
const ema = (decay: number) => ({ kind: 'ema', decay }) as const;
const task = (...scales: number[]) => ({ kind: 'task', scales }) as const;
const slerp = (t: number) => ({ kind: 'slerp', t }) as const;

const merges: Record<string, EditCase> = {
  average: merge('a', weighted(0.5, 0.5), 'b.pt'),
  weighted: merge('a', weighted(0.2, 0.3, 0.5), 'b.pt', 'c.pt'),
  weighted_mixed: merge('mixed_a', weighted(-1.5, 0, 1e-3), 'mixed_b.pt', 'mixed_c.pt'),
  weighted_untied: merge('a', weighted(0.25, 0.75), 'untied.pt'),
  weighted_extremes: merge('extremes_a', weighted(2, 0), 'extremes_b.pt'),
  weighted_in: mergeIn(["'model'"], 'parts', weighted(0.5, 0.5), ['parts.pt', "'ema'"]),
  ema_twice: merge('a', ema(0.9), 'b.pt', 'c.pt'),
  ema_ends: merge('extremes_a', ema(1), 'extremes_b.pt'),
  ema_mixed: merge('mixed_a', ema(0.999), 'mixed_b.pt'),
  task_one: merge('a', task(0.7), 'b.pt', 'c.pt'),
  task_many: merge('c', task(1, -0.4), 'a.pt', 'b.pt', 'c.pt'),
  task_extremes: merge('extremes_b', task(0.5), 'extremes_a.pt', 'extremes_b.pt'),
  slerp_one: merge('a', slerp(0.3), 'b.pt'),
  slerp_ends: merge('mixed_a', slerp(1), 'mixed_b.pt'),
  slerp_extremes: [
    'extremes_a',
    { kind: 'drop', names: ['nan', 'inf', 'infs'] },
    merge('extremes_a', slerp(0.4), 'extremes_b.pt')[1]!,
  ],
  disjoint: merge('fc', { kind: 'disjoint' }, 'out.pt', ['training.pt', "'views'"]),
  disjoint_in: mergeIn(["'model'"], 'parts', { kind: 'disjoint' }, 'fc.pt'),
};

const lora = (file: string, name: OtherName | null, scaling: number | null = null): EditCase => [
  file,
  { kind: 'lora', in: null, other: name === null ? null : other(name), scaling },
];

const adapters: Record<string, EditCase> = {
  lora_plain: lora('lora', 'plain'),
  lora_given: lora('lora', 'plain/adapter_model.safetensors', 0.25),
  lora_patterns: lora('lora', 'patterns'),
  lora_rslora: lora('lora', 'rslora'),
  lora_turned: lora('gpt', 'turned'),
  lora_turned_mixed: lora('gpt', 'turned_mixed'),
  lora_saved: lora('lora', 'saved'),
  lora_wrapped: lora('wrapped', null, 2),
  lora_kohya: lora('lora', 'kohya.safetensors'),
};

export const cases: Readonly<Record<string, EditCase>> = { ...single, ...merges, ...adapters };

/** Every kind of edit that changes the tree; what changes the container's texts is judged by conversions. */
export const kinds = {
  ...{ rename: true, names: true, cat: true, chunk: true, keep: true, drop: true, cast: true },
  ...{ compact: true, untie: true, tie: true, set: true, put: true, delete: true, extract: true },
  ...{ flatten: true, unflatten: true, merge: true, lora: true },
} satisfies Record<Exclude<Edit['kind'], 'metadata'>, true>;

/** Every way to merge. */
export const ways = {
  ...{ disjoint: true, weighted: true, slerp: true, ema: true, task: true },
} satisfies Record<MergeHow['kind'], true>;
