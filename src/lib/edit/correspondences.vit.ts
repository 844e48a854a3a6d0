/**
 * ViT and its descendants. transformers 5 names some of their modules anew in memory, and writes files
 * with the names that they had.
 */
import {
  every,
  within,
  type Correspondence,
  type Parts,
  type Shape,
  type Side,
} from './model_parts.ts';

/** Positions of a square of patches, and of tokens before them: some models give these none. */
const isSquareAfter = (tokens: number) =>
  every(([, positions]) => Number.isInteger(Math.sqrt(positions! - tokens)));
/** One window for all layers. */
const isOneSize = (shapes: readonly Shape[]) => new Set(shapes.map(([size]) => size)).size === 1;

/** Attention with the names of its three linear layers and of the one after them. */
const attention = (module: string, inputs: readonly string[], output: string): Parts => ({
  'qkv.weight': inputs.map((name) => `${module}.${name}.weight`),
  'qkv.bias': inputs.map((name) => `${module}.${name}.bias`),
  out: output,
});

const inFiles = 'transformers';
const inMemory = 'transformers 5, in memory';
const attentionInMemory = attention(
  'attention',
  ['q_proj', 'k_proj', 'v_proj'],
  'attention.o_proj',
);
const attentionInFiles = (module: string) =>
  attention(module, ['query', 'key', 'value'], 'attention.output.dense');
const attentionOfTimm: Parts = {
  'qkv.weight': 'attn.qkv.weight',
  'qkv.bias': 'attn.qkv.bias',
  out: 'attn.proj',
};

/** What stands around attention in a layer. */
const layerInFiles: Parts = {
  norm1: 'layernorm_before',
  norm2: 'layernorm_after',
  fc1: 'intermediate.dense',
  fc2: 'output.dense',
};
const linear: Parts = { fc1: 'mlp.fc1', fc2: 'mlp.fc2' };
const layerInMemory: Parts = { norm1: 'layernorm_before', norm2: 'layernorm_after', ...linear };
const layerOfTimm: Parts = { norm1: 'norm1', norm2: 'norm2', ...linear };

const embeddings: Parts = {
  cls: 'embeddings.cls_token',
  positions: 'embeddings.position_embeddings',
  patches: 'embeddings.patch_embeddings.projection',
  norm: 'layernorm',
};
const embeddingsOfTimm: Parts = {
  cls: 'cls_token',
  positions: 'pos_embed',
  patches: 'patch_embed.proj',
  norm: 'norm',
};

/** ViT and DeiT, which differ by `more`: a token, and heads. */
const vitInFiles = (module: string, more: Parts): Parts => ({
  ...within(module, embeddings),
  ...within(`${module}.encoder.layer.{n}`, {
    ...attentionInFiles('attention.attention'),
    ...layerInFiles,
  }),
  ...more,
});
const vitInMemory = (module: string, more: Parts): Parts => ({
  ...within(module, embeddings),
  ...within(`${module}.layers.{n}`, { ...attentionInMemory, ...layerInMemory }),
  ...more,
});
const vitOfTimm = (more: Parts): Parts => ({
  ...embeddingsOfTimm,
  ...within('blocks.{n}', { ...attentionOfTimm, ...layerOfTimm }),
  ...more,
});

const vitIsKnown = { known: ['cls', 'qkv.weight'] };
export const vit: Correspondence = {
  model: 'ViT',
  sides: [
    {
      ...{ library: inFiles, prefix: 'vit.', ...vitIsKnown },
      parts: vitInFiles('vit', { head: 'classifier' }),
    },
    {
      ...{ library: inMemory, prefix: 'vit.', ...vitIsKnown },
      parts: vitInMemory('vit', { head: 'classifier' }),
    },
    {
      ...{ library: 'timm', ...vitIsKnown },
      shapes: [['pos_embed', isSquareAfter(1)]],
      parts: vitOfTimm({ head: 'head' }),
    },
    {
      library: 'torchvision',
      known: ['cls', 'qkv.weight', 'qkv.bias', 'head'],
      parts: {
        cls: 'class_token',
        positions: 'encoder.pos_embedding',
        patches: 'conv_proj',
        norm: 'encoder.ln',
        head: 'heads.head',
        ...within('encoder.layers.encoder_layer_{n}', {
          norm1: 'ln_1',
          'qkv.weight': 'self_attention.in_proj_weight',
          'qkv.bias': 'self_attention.in_proj_bias',
          out: 'self_attention.out_proj',
          norm2: 'ln_2',
          fc1: 'mlp.0',
          fc2: 'mlp.3',
        }),
      },
    },
  ],
};

const deitHeads: Parts = {
  token: 'deit.embeddings.distillation_token',
  head: 'cls_classifier',
  teacher: 'distillation_classifier',
};
const deitIsKnown = { known: ['cls', 'token', 'qkv.weight'] };
export const deit: Correspondence = {
  model: 'DeiT',
  sides: [
    {
      ...{ library: inFiles, prefix: 'deit.', ...deitIsKnown },
      parts: vitInFiles('deit', deitHeads),
    },
    {
      ...{ library: inMemory, prefix: 'deit.', ...deitIsKnown },
      parts: vitInMemory('deit', deitHeads),
    },
    {
      ...{ library: 'timm', ...deitIsKnown },
      shapes: [['pos_embed', isSquareAfter(2)]],
      parts: vitOfTimm({ token: 'dist_token', head: 'head', teacher: 'head_dist' }),
    },
  ],
};

const dinoEmbeddings: Parts = {
  ...embeddings,
  mask: 'embeddings.mask_token',
  registers: 'embeddings.register_tokens',
};
const scales: Parts = { scale1: 'layer_scale1.lambda1', scale2: 'layer_scale2.lambda1' };
const scalesOfTimm: Parts = { scale1: 'ls1.gamma', scale2: 'ls2.gamma' };
const dinoIsKnown = { known: ['cls', 'mask', 'scale1', 'qkv.weight'] };
/** The model alone: heads differ in what they take of it. */
export const dino: Correspondence = {
  model: 'DINOv2',
  sides: [
    {
      ...{ library: inFiles, ...dinoIsKnown },
      parts: {
        ...dinoEmbeddings,
        ...within('encoder.layer.{n}', {
          ...{ ...attentionInFiles('attention.attention'), ...layerOfTimm, ...scales },
          gated: 'mlp.weights_in',
          ungated: 'mlp.weights_out',
        }),
      },
    },
    {
      ...{ library: inMemory, ...dinoIsKnown },
      parts: {
        ...dinoEmbeddings,
        ...within('encoder.layer.{n}', {
          ...{ ...attentionInMemory, ...layerOfTimm, ...scales },
          gated: ['mlp.gate_proj', 'mlp.up_proj'],
          ungated: 'mlp.down_proj',
        }),
      },
    },
    {
      ...{ library: 'facebookresearch', ...dinoIsKnown },
      parts: {
        ...{ ...embeddingsOfTimm, mask: 'mask_token', registers: 'register_tokens' },
        ...within('blocks.{n}', {
          ...{ ...attentionOfTimm, ...layerOfTimm, ...scalesOfTimm },
          gated: 'mlp.w12',
          ungated: 'mlp.w3',
        }),
      },
    },
    {
      library: 'timm',
      known: ['cls', 'scale1', 'qkv.weight'],
      // Registers have no place: timm adds no position to the class token beside them.
      without: ['mask'],
      parts: {
        ...embeddingsOfTimm,
        ...within('blocks.{n}', {
          ...{ ...attentionOfTimm, ...layerOfTimm, ...scalesOfTimm },
          ...{ gated: 'mlp.fc1', ungated: 'mlp.fc2' },
        }),
      },
    },
  ],
};

/** Of transformers' Swin; the index is a buffer that older versions wrote. */
const swinOfTransformers = (
  layer: Parts,
): Pick<Side, 'prefix' | 'without' | 'known' | 'parts'> => ({
  prefix: 'swin.',
  known: ['table', 'qkv.weight'],
  without: ['index'],
  parts: {
    patches: 'swin.embeddings.patch_embeddings.projection',
    embedded: 'swin.embeddings.norm',
    ...within('swin.encoder.layers.{s}.blocks.{n}', layer),
    ...within('swin.encoder.layers.{s}.downsample', { merged: 'norm', reduced: 'reduction' }),
    norm: 'swin.layernorm',
    head: 'classifier',
  },
});
const positionsOfTimm: Parts = { table: 'attn.relative_position_bias_table' };
export const swin: Correspondence = {
  model: 'Swin',
  sides: [
    {
      library: inFiles,
      ...swinOfTransformers({
        ...{ ...attentionInFiles('attention.self'), ...layerInFiles },
        table: 'attention.self.relative_position_bias_table',
        index: 'attention.self.relative_position_index',
      }),
    },
    {
      library: inMemory,
      ...swinOfTransformers({
        ...{ ...attentionInMemory, ...layerInMemory },
        table: 'attention.relative_position_bias.relative_position_bias_table',
      }),
    },
    {
      library: 'timm',
      known: ['table', 'qkv.weight'],
      without: ['index'],
      shapes: [['layers.{s}.blocks.{n}.attn.relative_position_bias_table', isOneSize]],
      parts: {
        patches: 'patch_embed.proj',
        embedded: 'patch_embed.norm',
        ...within('layers.{s}.blocks.{n}', {
          ...{ ...attentionOfTimm, ...layerOfTimm, ...positionsOfTimm },
        }),
        ...within('layers.{s+1}.downsample', { merged: 'norm', reduced: 'reduction' }),
        norm: 'norm',
        head: 'head.fc',
      },
    },
    {
      library: 'torchvision',
      known: ['table', 'index', 'qkv.weight'],
      parts: {
        patches: 'features.0.0',
        embedded: 'features.0.2',
        ...within('features.{2s+1}.{n}', {
          ...{ ...attentionOfTimm, ...positionsOfTimm, norm1: 'norm1', norm2: 'norm2' },
          index: 'attn.relative_position_index',
          fc1: 'mlp.0',
          fc2: 'mlp.3',
        }),
        ...within('features.{2s+2}', { merged: 'norm', reduced: 'reduction' }),
        norm: 'norm',
        head: 'head',
      },
    },
  ],
};
