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
    vit.encoder.layer.0.attention.attention.query.bias
    vit.encoder.layer.0.attention.attention.key.bias
    vit.encoder.layer.0.attention.attention.value.bias
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
    blocks.0.attn.qkv.bias [12]
    blocks.0.attn.proj.weight [4,4]
    blocks.0.mlp.fc1.bias
    blocks.0.mlp.fc2.bias
    blocks.0.norm1.bias
    blocks.0.norm2.bias
    norm.weight
    head.bias`,
  'ViT: transformers 5, in memory': `
    vit.embeddings.cls_token [1,1,4]
    vit.embeddings.position_embeddings [1,5,4]
    vit.embeddings.patch_embeddings.projection.weight [4,3,2,2]
    vit.layers.0.attention.q_proj.weight [4,4]
    vit.layers.0.attention.k_proj.weight [4,4]
    vit.layers.0.attention.v_proj.weight [4,4]
    vit.layers.0.attention.q_proj.bias
    vit.layers.0.attention.k_proj.bias
    vit.layers.0.attention.v_proj.bias
    vit.layers.0.attention.o_proj.weight [4,4]
    vit.layers.0.mlp.fc1.bias
    vit.layers.0.mlp.fc2.bias
    vit.layers.0.layernorm_before.bias
    vit.layers.0.layernorm_after.bias
    vit.layernorm.weight
    classifier.bias`,
  'ViT: torchvision': `
    class_token [1,1,4]
    encoder.pos_embedding [1,5,4]
    conv_proj.weight [4,3,2,2]
    encoder.layers.encoder_layer_0.self_attention.in_proj_weight [12,4]
    encoder.layers.encoder_layer_0.self_attention.in_proj_bias [12]
    encoder.layers.encoder_layer_0.self_attention.out_proj.weight [4,4]
    encoder.layers.encoder_layer_0.mlp.0.bias
    encoder.layers.encoder_layer_0.mlp.3.bias
    encoder.layers.encoder_layer_0.ln_1.bias
    encoder.layers.encoder_layer_0.ln_2.bias
    encoder.ln.weight
    heads.head.bias`,
  'DeiT: transformers': `
    deit.embeddings.cls_token [1,1,4]
    deit.embeddings.distillation_token [1,1,4]
    deit.encoder.layer.1.attention.attention.query.weight [4,4]
    deit.encoder.layer.1.attention.attention.key.weight [4,4]
    deit.encoder.layer.1.attention.attention.value.weight [4,4]
    deit.encoder.layer.1.output.dense.bias
    cls_classifier.bias
    distillation_classifier.bias`,
  'DeiT: transformers 5, in memory': `
    deit.embeddings.cls_token [1,1,4]
    deit.embeddings.distillation_token [1,1,4]
    deit.layers.1.attention.q_proj.weight [4,4]
    deit.layers.1.attention.k_proj.weight [4,4]
    deit.layers.1.attention.v_proj.weight [4,4]
    deit.layers.1.mlp.fc2.bias
    cls_classifier.bias
    distillation_classifier.bias`,
  'DeiT: timm': `
    cls_token [1,1,4]
    dist_token [1,1,4]
    blocks.1.attn.qkv.weight [12,4]
    blocks.1.mlp.fc2.bias
    head.bias
    head_dist.bias`,
  'DINOv2: transformers': `
    embeddings.cls_token [1,1,4]
    embeddings.mask_token [1,4]
    embeddings.position_embeddings [1,5,4]
    encoder.layer.0.norm1.bias
    encoder.layer.0.attention.attention.query.weight [4,4]
    encoder.layer.0.attention.attention.key.weight [4,4]
    encoder.layer.0.attention.attention.value.weight [4,4]
    encoder.layer.0.attention.output.dense.bias
    encoder.layer.0.layer_scale1.lambda1
    encoder.layer.0.mlp.weights_in.weight [6,4]
    encoder.layer.0.mlp.weights_out.weight [4,3]
    layernorm.bias`,
  'DINOv2: transformers 5, in memory': `
    embeddings.cls_token [1,1,4]
    embeddings.mask_token [1,4]
    embeddings.position_embeddings [1,5,4]
    encoder.layer.0.norm1.bias
    encoder.layer.0.attention.q_proj.weight [4,4]
    encoder.layer.0.attention.k_proj.weight [4,4]
    encoder.layer.0.attention.v_proj.weight [4,4]
    encoder.layer.0.attention.o_proj.bias
    encoder.layer.0.layer_scale1.lambda1
    encoder.layer.0.mlp.gate_proj.weight [3,4]
    encoder.layer.0.mlp.up_proj.weight [3,4]
    encoder.layer.0.mlp.down_proj.weight [4,3]
    layernorm.bias`,
  'DINOv2: facebookresearch': `
    cls_token [1,1,4]
    mask_token [1,4]
    pos_embed [1,5,4]
    blocks.0.norm1.bias
    blocks.0.attn.qkv.weight [12,4]
    blocks.0.attn.proj.bias
    blocks.0.ls1.gamma
    blocks.0.mlp.w12.weight [6,4]
    blocks.0.mlp.w3.weight [4,3]
    norm.bias`,
  'DINOv2: timm': `
    cls_token [1,1,4]
    pos_embed [1,5,4]
    blocks.0.norm1.bias
    blocks.0.attn.qkv.weight [12,4]
    blocks.0.attn.proj.bias
    blocks.0.ls1.gamma
    blocks.0.mlp.fc1.weight [6,4]
    blocks.0.mlp.fc2.weight [4,3]
    norm.bias`,
  'Swin: transformers': `
    swin.embeddings.patch_embeddings.projection.bias
    swin.embeddings.norm.bias
    swin.encoder.layers.1.blocks.2.layernorm_before.bias
    swin.encoder.layers.1.blocks.2.attention.self.relative_position_bias_table [9,2]
    swin.encoder.layers.1.blocks.2.attention.self.query.weight [4,4]
    swin.encoder.layers.1.blocks.2.attention.self.key.weight [4,4]
    swin.encoder.layers.1.blocks.2.attention.self.value.weight [4,4]
    swin.encoder.layers.1.blocks.2.intermediate.dense.bias
    swin.encoder.layers.1.downsample.norm.bias
    swin.encoder.layers.1.downsample.reduction.weight [8,16]
    swin.layernorm.bias
    classifier.bias`,
  'Swin: transformers 5, in memory': `
    swin.embeddings.patch_embeddings.projection.bias
    swin.embeddings.norm.bias
    swin.encoder.layers.1.blocks.2.layernorm_before.bias
    swin.encoder.layers.1.blocks.2.attention.relative_position_bias.relative_position_bias_table [9,2]
    swin.encoder.layers.1.blocks.2.attention.q_proj.weight [4,4]
    swin.encoder.layers.1.blocks.2.attention.k_proj.weight [4,4]
    swin.encoder.layers.1.blocks.2.attention.v_proj.weight [4,4]
    swin.encoder.layers.1.blocks.2.mlp.fc1.bias
    swin.encoder.layers.1.downsample.norm.bias
    swin.encoder.layers.1.downsample.reduction.weight [8,16]
    swin.layernorm.bias
    classifier.bias`,
  'Swin: timm': `
    patch_embed.proj.bias
    patch_embed.norm.bias
    layers.1.blocks.2.norm1.bias
    layers.1.blocks.2.attn.relative_position_bias_table [9,2]
    layers.1.blocks.2.attn.qkv.weight [12,4]
    layers.1.blocks.2.mlp.fc1.bias
    layers.2.downsample.norm.bias
    layers.2.downsample.reduction.weight [8,16]
    norm.bias
    head.fc.bias`,
  'Swin: torchvision': `
    features.0.0.bias
    features.0.2.bias
    features.3.2.norm1.bias
    features.3.2.attn.relative_position_bias_table [9,2]
    features.3.2.attn.relative_position_index [16]
    features.3.2.attn.qkv.weight [12,4]
    features.3.2.mlp.0.bias
    features.4.norm.bias
    features.4.reduction.weight [8,16]
    norm.bias
    head.bias`,
} as const;
type Model = keyof typeof models;

const shapes = (dict: Dict) =>
  [...dict.entries()].map(([key, value]) => `${key as string} ${(value as Tensor).shape.join()}`);

/** What becomes of the names, by the title of the preset. */
function allRenamed(dict: Dict): Record<string, string[]> {
  const tree = { root: dict, metadata: new Map<string, string>() };
  const context = { others: new Map(), literal: () => null };
  return Object.fromEntries(
    namePresets(dict).map(({ title, edits }) => {
      const { root, steps } = applyEdits(tree, edits(null), context);
      expect(steps.flatMap(({ findings }) => findings)).toEqual([]);
      return [title, shapes(root as Dict)];
    }),
  );
}

/** Masks and indices: the one has none, the other does not load without. */
const isWay = (from: Model, to: Model) => from !== 'DINOv2: timm' && to !== 'Swin: torchvision';

test.each(Object.keys(models) as Model[])('%s: every way is offered, and leads there', (from) => {
  const [model] = from.split(':');
  const others = (Object.keys(models) as Model[]).filter(
    (to) => to.startsWith(`${model}:`) && to !== from && isWay(from, to),
  );
  expect(allRenamed(stateDict(models[from]))).toEqual(
    Object.fromEntries(
      others.map((to) => [
        `${from} → ${to.slice(`${model}: `.length)}`,
        shapes(stateDict(models[to])),
      ]),
    ),
  );
});

test('the model without its head has no prefix in transformers', () => {
  const bare = models['ResNet: transformers']
    .replaceAll('resnet.', '')
    .replace('classifier.1.bias', '');
  const timm = models['ResNet: timm, torchvision'].replace('fc.bias', '');
  expect(allRenamed(stateDict(bare))).toEqual({
    'ResNet: transformers → timm, torchvision': shapes(stateDict(timm)),
  });
  expect(allRenamed(stateDict(timm))).toEqual({
    'ResNet: timm, torchvision → transformers': shapes(stateDict(bare)),
  });
});

test('transformers’ older Swin holds an index, which nobody needs', () => {
  const table = 'swin.encoder.layers.1.blocks.2.attention.self.relative_position_bias_table [9,2]';
  const index = table.replace('bias_table [9,2]', 'index [4,4]');
  const old = models['Swin: transformers'].replace(table, `${table}\n${index}`);
  expect(allRenamed(stateDict(old))).toMatchObject({
    'Swin: transformers → timm': shapes(stateDict(models['Swin: timm'])),
  });
});

test('timm’s DINOv2 with registers adds positions otherwise', () => {
  const withRegisters = `${models['DINOv2: facebookresearch']}\nregister_tokens [1,4,4]`;
  expect(Object.keys(allRenamed(stateDict(withRegisters)))).toEqual([
    ...['DINOv2: facebookresearch → transformers'],
    ...['DINOv2: facebookresearch → transformers 5, in memory'],
  ]);
});

test('torchvision’s ViT has a head and a bias, always', () => {
  const bare = models['ViT: timm'].replace('head.bias', '');
  expect(Object.keys(allRenamed(stateDict(bare)))).toEqual([
    ...['ViT: timm → transformers', 'ViT: timm → transformers 5, in memory'],
  ]);
});

test.each([
  [
    'a module that the other has not',
    `${models['ViT: transformers']}\nvit.pooler.dense.weight [4,4]`,
  ],
  ['a normalised query', `${models['ViT: timm']}\nblocks.0.attn.q_norm.weight`],
  ['a deeper stem', models['ResNet: timm, torchvision'].replace('conv1.weight', 'conv1.0.weight')],
  ['other norms', models['ResNet: timm, torchvision'].replace('bn1.running_mean', 'bn1.weight')],
  ['a class token without a position', models['ViT: timm'].replace('[1,5,4]', '[1,4,4]')],
  ['tokens without positions', models['DeiT: timm'] + '\npos_embed [1,4,4]'],
  [
    'a wider window in one layer',
    models['Swin: timm'] + '\nlayers.2.blocks.0.attn.relative_position_bias_table [25,2]',
  ],
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
  expect(allRenamed(dict)).toEqual({
    'BERT: gamma, beta → weight, bias': [
      ...['encoder.LayerNorm.weight 4', 'LayerNorm.bias 4', 'encoder.gamma 4'],
    ],
  });
});
