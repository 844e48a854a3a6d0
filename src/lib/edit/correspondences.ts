/**
 * What libraries call the parts of the same model, where names and joined tensors are all that
 * differs. `{n}` stands for a number; see `path_pattern.ts`.
 */

/** A library, and what shows that a state_dict is of its model. */
export interface Side {
  readonly library: string;
  /** What heads put before the names of the model in them; the model alone has them without it. */
  readonly prefix?: string;
  /** Parameters that must be there. */
  readonly known: readonly string[];
  /** Shapes that show the variant, of parameters that may be there. */
  readonly shapes?: readonly (readonly [
    path: string,
    fits: (shape: readonly number[]) => boolean,
  ])[];
}

export interface Correspondence {
  readonly model: string;
  readonly sides: readonly [Side, Side];
  /** Paths of modules and parameters, of the one side and of the other. */
  readonly paths: readonly (readonly [one: string, other: string])[];
  /** What the one side holds apart, and the other in one. */
  readonly joined?: readonly { readonly parts: readonly string[]; readonly whole: string }[];
}

const isMatrix = ({ length }: readonly number[]) => length === 2;
/** Of a convolution without groups, from as many channels to as many. */
const isSquare = ([to, from]: readonly number[]) => to === from;

const resnetLayer = 'resnet.encoder.stages.{s}.layers.{n}';
const convnextLayer = 'convnext.encoder.stages.{s}.layers.{n}';
const vitLayer = 'vit.encoder.layer.{n}';
const timmVit: Side = {
  library: 'timm',
  known: ['blocks.{n}.attn.qkv.weight', 'cls_token'],
};

export const correspondences: readonly Correspondence[] = [
  {
    model: 'ResNet',
    sides: [
      {
        library: 'transformers',
        prefix: 'resnet.',
        known: [`${resnetLayer}.layer.{k}.convolution.weight`],
      },
      {
        library: 'timm, torchvision',
        known: ['layer{s}.{n}.conv2.weight'],
        // Wide ones and those with groups have no counterpart.
        shapes: [
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
        known: [`${convnextLayer}.layer_scale_parameter`],
      },
      {
        library: 'timm',
        known: ['stages.{s}.blocks.{n}.gamma'],
        shapes: [['stages.{s}.blocks.{n}.mlp.fc1.weight', isMatrix]],
      },
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
        known: [`${vitLayer}.attention.attention.query.weight`],
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
        known: ['encoder.layers.encoder_layer_{n}.self_attention.in_proj_weight'],
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
