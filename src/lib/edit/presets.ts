/**
 * What libraries call the parts of the same model, where names and joined tensors are all that
 * differs. A file is recognised by every key of its state_dict: where one has no place in a table, or
 * a shape tells of another variant, nothing is offered, since half a model is none.
 */
import { isTensor, type Dict } from '#lib/checkpoint/value.ts';
import type { Edit, Path } from './edits.ts';
import { PathPattern } from './path_pattern.ts';
import type { RenameRule } from './rename.ts';

/** A way to another library's names. */
export interface NamePreset {
  /** `ViT: transformers → timm` */
  readonly title: string;
  edits(place: Path | null): readonly Edit[];
}

interface Side {
  readonly library: string;
  /** What heads put before the names of the model in them; the model alone has them without it. */
  readonly prefix?: string;
  /** Parameters whose shapes show the variant; the first of them must be there. */
  readonly known: readonly (readonly [path: string, fits: (shape: readonly number[]) => boolean])[];
}

interface Correspondence {
  readonly model: string;
  readonly sides: readonly [Side, Side];
  /** Paths of modules and parameters, of the one side and of the other. */
  readonly paths: readonly (readonly [one: string, other: string])[];
  /** What the one side holds apart, and the other in one. */
  readonly joined?: readonly { readonly parts: readonly string[]; readonly whole: string }[];
}

const any = () => true;
const isMatrix = ({ length }: readonly number[]) => length === 2;
/** Of a convolution without groups, from as many channels to as many. */
const isSquare = ([to, from]: readonly number[]) => to === from;

const resnetLayer = 'resnet.encoder.stages.{s}.layers.{n}';
const convnextLayer = 'convnext.encoder.stages.{s}.layers.{n}';
const vitLayer = 'vit.encoder.layer.{n}';
const timmVit: Side = {
  library: 'timm',
  known: [
    ['blocks.{n}.attn.qkv.weight', isMatrix],
    ['cls_token', any],
  ],
};

const correspondences: readonly Correspondence[] = [
  {
    model: 'ResNet',
    sides: [
      {
        library: 'transformers',
        prefix: 'resnet.',
        known: [[`${resnetLayer}.layer.{k}.convolution.weight`, any]],
      },
      {
        library: 'timm, torchvision',
        // Wide ones and those with groups have no counterpart.
        known: [
          ['layer{s}.{n}.conv2.weight', isSquare],
          ['layer{s}.{n}.conv3.weight', ([to, from]) => to === 4 * from!],
        ],
      },
    ],
    paths: [
      ['resnet.embedder.embedder.convolution', 'conv1'],
      ['resnet.embedder.embedder.normalization', 'bn1'],
      [`${resnetLayer}.layer.{k}.convolution`, 'layer{s+1}.{n}.conv{k+1}'],
      [`${resnetLayer}.layer.{k}.normalization`, 'layer{s+1}.{n}.bn{k+1}'],
      [`${resnetLayer}.shortcut.convolution`, 'layer{s+1}.{n}.downsample.0'],
      [`${resnetLayer}.shortcut.normalization`, 'layer{s+1}.{n}.downsample.1'],
      ['classifier.1', 'fc'],
    ],
  },
  {
    model: 'ConvNeXt',
    sides: [
      {
        library: 'transformers',
        prefix: 'convnext.',
        known: [[`${convnextLayer}.layer_scale_parameter`, any]],
      },
      { library: 'timm', known: [['stages.{s}.blocks.{n}.mlp.fc1.weight', isMatrix]] },
    ],
    paths: [
      ['convnext.embeddings.patch_embeddings', 'stem.0'],
      ['convnext.embeddings.layernorm', 'stem.1'],
      ['convnext.encoder.stages.{s}.downsampling_layer.{k}', 'stages.{s}.downsample.{k}'],
      [`${convnextLayer}.layer_scale_parameter`, 'stages.{s}.blocks.{n}.gamma'],
      [`${convnextLayer}.dwconv`, 'stages.{s}.blocks.{n}.conv_dw'],
      [`${convnextLayer}.layernorm`, 'stages.{s}.blocks.{n}.norm'],
      [`${convnextLayer}.pwconv1`, 'stages.{s}.blocks.{n}.mlp.fc1'],
      [`${convnextLayer}.pwconv2`, 'stages.{s}.blocks.{n}.mlp.fc2'],
      ['convnext.layernorm', 'head.norm'],
      ['classifier', 'head.fc'],
    ],
  },
  {
    model: 'ViT',
    sides: [
      {
        library: 'transformers',
        prefix: 'vit.',
        known: [[`${vitLayer}.attention.attention.query.weight`, isMatrix]],
      },
      timmVit,
    ],
    paths: [
      ['vit.embeddings.cls_token', 'cls_token'],
      ['vit.embeddings.position_embeddings', 'pos_embed'],
      ['vit.embeddings.patch_embeddings.projection', 'patch_embed.proj'],
      [`${vitLayer}.attention.output.dense`, 'blocks.{n}.attn.proj'],
      [`${vitLayer}.layernorm_before`, 'blocks.{n}.norm1'],
      [`${vitLayer}.layernorm_after`, 'blocks.{n}.norm2'],
      [`${vitLayer}.intermediate.dense`, 'blocks.{n}.mlp.fc1'],
      [`${vitLayer}.output.dense`, 'blocks.{n}.mlp.fc2'],
      ['vit.layernorm', 'norm'],
      ['classifier', 'head'],
    ],
    joined: [
      {
        parts: ['query', 'key', 'value'].map((it) => `${vitLayer}.attention.attention.${it}`),
        whole: 'blocks.{n}.attn.qkv',
      },
    ],
  },
  {
    model: 'ViT',
    sides: [
      {
        library: 'torchvision',
        known: [['encoder.layers.encoder_layer_{n}.self_attention.in_proj_weight', isMatrix]],
      },
      timmVit,
    ],
    paths: (
      [
        ['class_token', 'cls_token'],
        ['encoder.pos_embedding', 'pos_embed'],
        ['conv_proj', 'patch_embed.proj'],
        ['encoder.ln', 'norm'],
        ['heads.head', 'head'],
      ] as (readonly [string, string])[]
    ).concat(
      (
        [
          ['ln_1', 'norm1'],
          ['self_attention.in_proj_weight', 'attn.qkv.weight'],
          ['self_attention.in_proj_bias', 'attn.qkv.bias'],
          ['self_attention.out_proj', 'attn.proj'],
          ['ln_2', 'norm2'],
          ['mlp.0', 'mlp.fc1'],
          ['mlp.3', 'mlp.fc2'],
        ] as const
      ).map(([one, other]) => [`encoder.layers.encoder_layer_{n}.${one}`, `blocks.{n}.${other}`]),
    ),
  },
];

/** What else names are known by: an ending that a library has given up. */
const givenUp: readonly { title: string; sign: RegExp; rules: readonly RenameRule[] }[] = [
  {
    title: 'BERT: gamma, beta → weight, bias',
    sign: /(^|\.)LayerNorm\.(gamma|beta)$/,
    rules: [
      { kind: 'replace', pattern: String.raw`(^|\.)LayerNorm\.gamma$`, with: '$1LayerNorm.weight' },
      { kind: 'replace', pattern: String.raw`(^|\.)LayerNorm\.beta$`, with: '$1LayerNorm.bias' },
    ],
  },
];

/** The names that the tensors of a state_dict could have elsewhere. */
export function namePresets(stateDict: Dict): NamePreset[] {
  const shapes = new Map<string, readonly number[]>();
  for (const [key, value] of stateDict.entries()) {
    if (typeof key === 'string' && isTensor(value)) shapes.set(key, value.shape);
  }
  const old = givenUp.filter(({ sign }) => [...shapes.keys()].some((key) => sign.test(key)));
  return [
    ...old.map(
      ({ title, rules }): NamePreset => ({
        title,
        edits: (place) => [{ kind: 'rename', in: place, rules }],
      }),
    ),
    ...correspondences.flatMap((it) =>
      ([0, 1] as const).flatMap((from) => presetOf(it, from, shapes) ?? []),
    ),
  ];
}

type Shapes = ReadonlyMap<string, readonly number[]>;

/** The way from one side of a correspondence to the other; null for keys that are not that side's. */
function presetOf(
  { model, sides, paths, joined = [] }: Correspondence,
  from: 0 | 1,
  shapes: Shapes,
): NamePreset | null {
  const [side, other] = from === 0 ? sides : [sides[1], sides[0]];
  const { prefix = '' } = side;
  const hasPrefix = prefix === '' || [...shapes.keys()].some((key) => key.startsWith(prefix));
  const own = (path: string) =>
    hasPrefix || !path.startsWith(prefix) ? path : path.slice(prefix.length);
  if (!isKnown(side, own, shapes)) return null;

  const moved = paths.map((pair) => ({ pattern: own(pair[from]!), with: pair[1 - from]! }));
  const kind = from === 0 ? 'cat' : 'chunk';
  const divided = joined.map(({ parts, whole }) =>
    from === 0 ? { parts: parts.map(own), whole } : { parts, whole: own(whole) },
  );
  const tests = [
    ...moved.map(({ pattern }) => pattern),
    ...divided.flatMap(({ parts, whole }) => (from === 0 ? parts : [whole])),
  ].map((path) => ({ path, fits: endingAt(path) }));
  const used = new Set<string>();
  for (const key of shapes.keys()) {
    const test = tests.find(({ fits }) => fits(key));
    if (!test) return null;
    used.add(test.path);
  }
  const rules = moved
    .filter(({ pattern }) => used.has(pattern))
    .map((rule): RenameRule => ({ kind: 'path', ...rule }));
  return {
    title: `${model}: ${side.library} → ${other.library}`,
    edits: (place) => [
      ...divided.map((it): Edit => ({ kind, in: place, ...it })),
      { kind: 'rename', in: place, rules },
    ],
  };
}

function isKnown({ known }: Side, own: (path: string) => string, shapes: Shapes): boolean {
  return known.every(([path, fits], at) => {
    const isThere = endingAt(own(path));
    const found = [...shapes].filter(([key]) => isThere(key));
    return (at > 0 || found.length > 0) && found.every(([, shape]) => fits(shape));
  });
}

/** Whether a key is what the path says, or a parameter of the module there. */
function endingAt(path: string): (key: string) => boolean {
  const pattern = new PathPattern(path, 'preset');
  return (key) => {
    const match = pattern.match(key);
    return match !== null && !match.rest.includes('.');
  };
}
