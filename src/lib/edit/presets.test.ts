import { expect, test } from 'vitest';
import { tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict } from '#lib/checkpoint/value.ts';
import { applyEdits } from './apply.ts';
import { namePresets } from './presets.ts';

/** A state_dict of one number in each place of a shape: `name [4, 4]`, the shape [4] if it is not said. */
function stateDict(lines: string): Dict {
  const entries = lines
    .trim()
    .split(/\s*\n\s*/)
    .map((line): [string, ReturnType<typeof tensorFromBytes>] => {
      const [name, sizes] = line.split(' [');
      const shape = sizes === undefined ? [4] : sizes.replace(']', '').split(',').map(Number);
      const bytes = new Uint8Array(shape.reduce((a, b) => a * b, 1));
      return [name!, tensorFromBytes(bytes, 'uint8', shape)];
    });
  return new Dict(entries);
}

const models = {
  'ResNet: transformers': `
    resnet.embedder.embedder.convolution.weight [4,3,7,7]
    resnet.embedder.embedder.normalization.running_mean
    resnet.encoder.stages.0.layers.0.shortcut.convolution.weight [16,4,1,1]
    resnet.encoder.stages.0.layers.0.shortcut.normalization.weight [16]
    resnet.encoder.stages.0.layers.0.layer.0.convolution.weight [4,4,1,1]
    resnet.encoder.stages.0.layers.0.layer.1.convolution.weight [4,4,3,3]
    resnet.encoder.stages.0.layers.0.layer.2.convolution.weight [16,4,1,1]
    resnet.encoder.stages.0.layers.0.layer.2.normalization.bias
    resnet.encoder.stages.3.layers.2.layer.0.convolution.weight [4,16,1,1]
    classifier.1.bias`,
  'ResNet: timm, torchvision': `
    conv1.weight [4,3,7,7]
    bn1.running_mean
    layer1.0.downsample.0.weight [16,4,1,1]
    layer1.0.downsample.1.weight [16]
    layer1.0.conv1.weight [4,4,1,1]
    layer1.0.conv2.weight [4,4,3,3]
    layer1.0.conv3.weight [16,4,1,1]
    layer1.0.bn3.bias
    layer4.2.conv1.weight [4,16,1,1]
    fc.bias`,
  'ConvNeXt: transformers': `
    convnext.embeddings.patch_embeddings.weight [4,3,4,4]
    convnext.embeddings.layernorm.weight
    convnext.encoder.stages.0.layers.0.layer_scale_parameter
    convnext.encoder.stages.0.layers.0.dwconv.weight [4,1,7,7]
    convnext.encoder.stages.0.layers.0.layernorm.weight
    convnext.encoder.stages.0.layers.0.pwconv1.weight [16,4]
    convnext.encoder.stages.0.layers.0.pwconv2.weight [4,16]
    convnext.encoder.stages.1.downsampling_layer.1.bias
    convnext.layernorm.bias
    classifier.weight [2,4]`,
  'ConvNeXt: timm': `
    stem.0.weight [4,3,4,4]
    stem.1.weight
    stages.0.blocks.0.gamma
    stages.0.blocks.0.conv_dw.weight [4,1,7,7]
    stages.0.blocks.0.norm.weight
    stages.0.blocks.0.mlp.fc1.weight [16,4]
    stages.0.blocks.0.mlp.fc2.weight [4,16]
    stages.1.downsample.1.bias
    head.norm.bias
    head.fc.weight [2,4]`,
  'ViT: transformers': `
    vit.embeddings.cls_token [1,1,4]
    vit.embeddings.position_embeddings [1,5,4]
    vit.embeddings.patch_embeddings.projection.weight [4,3,2,2]
    vit.encoder.layer.0.attention.attention.query.weight [4,4]
    vit.encoder.layer.0.attention.attention.key.weight [4,4]
    vit.encoder.layer.0.attention.attention.value.weight [4,4]
    vit.encoder.layer.0.attention.output.dense.weight [4,4]
    vit.encoder.layer.0.intermediate.dense.bias
    vit.encoder.layer.0.output.dense.bias
    vit.encoder.layer.0.layernorm_before.bias
    vit.encoder.layer.0.layernorm_after.bias
    vit.layernorm.weight
    classifier.bias`,
  'ViT: timm': `
    cls_token [1,1,4]
    pos_embed [1,5,4]
    patch_embed.proj.weight [4,3,2,2]
    blocks.0.attn.qkv.weight [12,4]
    blocks.0.attn.proj.weight [4,4]
    blocks.0.mlp.fc1.bias
    blocks.0.mlp.fc2.bias
    blocks.0.norm1.bias
    blocks.0.norm2.bias
    norm.weight
    head.bias`,
  'ViT: torchvision': `
    class_token [1,1,4]
    encoder.pos_embedding [1,5,4]
    conv_proj.weight [4,3,2,2]
    encoder.layers.encoder_layer_0.self_attention.in_proj_weight [12,4]
    encoder.layers.encoder_layer_0.self_attention.out_proj.weight [4,4]
    encoder.layers.encoder_layer_0.mlp.0.bias
    encoder.layers.encoder_layer_0.mlp.3.bias
    encoder.layers.encoder_layer_0.ln_1.bias
    encoder.layers.encoder_layer_0.ln_2.bias
    encoder.ln.weight
    heads.head.bias`,
} as const;
type Model = keyof typeof models;

const shapes = (dict: Dict) =>
  [...dict.entries()].map(([key, value]) => `${key as string} ${(value as Tensor).shape.join()}`);

function renamed(dict: Dict, title: string) {
  const preset = namePresets(dict).find((it) => it.title === title);
  if (!preset) return null;
  const tree = { root: dict, metadata: new Map<string, string>() };
  const context = { others: new Map(), literal: () => null };
  const { root, steps } = applyEdits(tree, preset.edits(null), context);
  expect(steps.flatMap(({ findings }) => findings)).toEqual([]);
  return shapes(root as Dict);
}

test.each<[Model, string, Model]>([
  ['ResNet: transformers', 'timm, torchvision', 'ResNet: timm, torchvision'],
  ['ResNet: timm, torchvision', 'transformers', 'ResNet: transformers'],
  ['ConvNeXt: transformers', 'timm', 'ConvNeXt: timm'],
  ['ConvNeXt: timm', 'transformers', 'ConvNeXt: transformers'],
  ['ViT: transformers', 'timm', 'ViT: timm'],
  ['ViT: timm', 'transformers', 'ViT: transformers'],
  ['ViT: timm', 'torchvision', 'ViT: torchvision'],
  ['ViT: torchvision', 'timm', 'ViT: timm'],
])('%s → %s', (from, library, to) => {
  expect(renamed(stateDict(models[from]), `${from} → ${library}`)).toEqual(
    shapes(stateDict(models[to])),
  );
});

test('the model without its head has no prefix in transformers', () => {
  const bare = models['ResNet: transformers']
    .replaceAll('resnet.', '')
    .replace('classifier.1.bias', '');
  const timm = models['ResNet: timm, torchvision'].replace('fc.bias', '');
  expect(renamed(stateDict(bare), 'ResNet: transformers → timm, torchvision')).toEqual(
    shapes(stateDict(timm)),
  );
});

test.each([
  [
    'a module that the other has not',
    `${models['ViT: transformers']}\nvit.pooler.dense.weight [4,4]`,
  ],
  ['a normalised query', `${models['ViT: timm']}\nblocks.0.attn.q_norm.weight`],
  ['a deeper stem', models['ResNet: timm, torchvision'].replace('conv1.weight', 'conv1.0.weight')],
  ['groups', models['ResNet: timm, torchvision'].replace('[4,4,3,3]', '[4,1,3,3]')],
  [
    'wide layers',
    models['ResNet: timm, torchvision'].replace(
      '[16,4,1,1]\n    layer1.0.bn3',
      '[16,8,1,1]\n    layer1.0.bn3',
    ),
  ],
  ['convolutions for linear layers', models['ConvNeXt: timm'].replace('[16,4]', '[16,4,1,1]')],
  ['no class token', models['ViT: timm'].replace('cls_token [1,1,4]', '')],
  ['one layer alone', 'fc.weight [4,4]'],
])('%s: nothing is offered', (_, lines) => {
  expect(namePresets(stateDict(lines)).map(({ title }) => title)).toEqual([]);
});

test('BERT’s old names', () => {
  const dict = stateDict('encoder.LayerNorm.gamma\nLayerNorm.beta\nencoder.gamma');
  expect(renamed(dict, 'BERT: gamma, beta → weight, bias')).toEqual([
    ...['encoder.LayerNorm.weight 4', 'LayerNorm.bias 4', 'encoder.gamma 4'],
  ]);
});
