/** Models whose parts several libraries name: the tables of `model_parts.ts`. */
import { deit, dino, swin, vit } from './correspondences.vit.ts';
import { every, within, type Correspondence } from './model_parts.ts';

const isMatrix = every(({ length }) => length === 2);
/** Of a convolution without groups, from as many channels to as many. */
const isSquare = every(([to, from]) => to === from);

const resnet: Correspondence = {
  model: 'ResNet',
  sides: [
    {
      library: 'transformers',
      prefix: 'resnet.',
      known: ['convolution', 'mean'],
      parts: {
        stem: 'resnet.embedder.embedder.convolution',
        mean: 'resnet.embedder.embedder.normalization.running_mean',
        stemNorm: 'resnet.embedder.embedder.normalization',
        ...within('resnet.encoder.stages.{s}.layers.{n}', {
          convolution: 'layer.{k}.convolution',
          norm: 'layer.{k}.normalization',
          shortcut: 'shortcut.convolution',
          shortcutNorm: 'shortcut.normalization',
        }),
        head: 'classifier.1',
      },
    },
    {
      library: 'timm, torchvision',
      known: ['convolution', 'mean'],
      // Wide ones and those with groups have no counterpart.
      shapes: [
        ['layer{s}.{n}.conv2.weight', isSquare],
        ['layer{s}.{n}.conv3.weight', every(([to, from]) => to === 4 * from!)],
      ],
      parts: {
        stem: 'conv1',
        mean: 'bn1.running_mean',
        stemNorm: 'bn1',
        ...within('layer{s+1}.{n}', {
          convolution: 'conv{k+1}',
          norm: 'bn{k+1}',
          shortcut: 'downsample.0',
          shortcutNorm: 'downsample.1',
        }),
        head: 'fc',
      },
    },
  ],
};

const convnext: Correspondence = {
  model: 'ConvNeXt',
  sides: [
    {
      library: 'transformers',
      prefix: 'convnext.',
      known: ['scale'],
      parts: {
        patches: 'convnext.embeddings.patch_embeddings',
        embedded: 'convnext.embeddings.layernorm',
        downsampled: 'convnext.encoder.stages.{s}.downsampling_layer.{k}',
        ...within('convnext.encoder.stages.{s}.layers.{n}', {
          scale: 'layer_scale_parameter',
          convolution: 'dwconv',
          inner: 'layernorm',
          fc1: 'pwconv1',
          fc2: 'pwconv2',
        }),
        norm: 'convnext.layernorm',
        head: 'classifier',
      },
    },
    {
      library: 'timm',
      known: ['scale'],
      shapes: [['stages.{s}.blocks.{n}.mlp.fc1.weight', isMatrix]],
      parts: {
        patches: 'stem.0',
        embedded: 'stem.1',
        downsampled: 'stages.{s}.downsample.{k}',
        ...within('stages.{s}.blocks.{n}', {
          scale: 'gamma',
          convolution: 'conv_dw',
          inner: 'norm',
          fc1: 'mlp.fc1',
          fc2: 'mlp.fc2',
        }),
        norm: 'head.norm',
        head: 'head.fc',
      },
    },
  ],
};

export const correspondences: readonly Correspondence[] = [
  ...[resnet, convnext, vit, deit, dino, swin],
];
