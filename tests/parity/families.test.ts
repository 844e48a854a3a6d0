/**
 * Known models: recognised from the keys and shapes of checkpoints that other code made, and computing
 * what it computes. Large ones are only recognised: plain JavaScript would take minutes. All of
 * torchvision's, and transformers' and timm's own code are compared by `npm run families`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recognise } from '#lib/architecture/families/recognise.ts';
import { configurationOf } from '#lib/architecture/hints.ts';
import { isTensor, type Dict, type Value } from '#lib/checkpoint/value.ts';
import { oldPython, runPython } from '../python.ts';
import { installPackages } from '../debian.ts';
import { largestError } from '../sources/outputs.ts';
import { torchvisionRoot } from '../sources/torchvision.ts';
import { open, unwrap, useBackend } from './lab.ts';

/** Names in torchvision, the side of the image, and the title that the lab gives. */
const models: [name: string, size: number | null, title: string][] = [
  ['alexnet', null, 'AlexNet'],
  ['vgg11', null, 'VGG-11'],
  ['vgg13_bn', null, 'VGG-13 with batch norm'],
  ['vgg16', null, 'VGG-16'],
  ['vgg19_bn', null, 'VGG-19 with batch norm'],
  ['resnet18', 32, 'ResNet-18'],
  ['resnet34', null, 'ResNet-34'],
  ['resnet50', null, 'ResNet-50'],
  ['resnet101', null, 'ResNet-101'],
  ['resnet152', null, 'ResNet-152'],
  ['resnext50_32x4d', null, 'ResNeXt-50 32×4d'],
  ['wide_resnet50_2', null, 'Wide ResNet-50'],
  ['mobilenet_v2', 32, 'MobileNetV2'],
  ['mobilenet_v3_large', 32, 'MobileNetV3 large'],
  ['mobilenet_v3_small', 32, 'MobileNetV3 small'],
  ['efficientnet_b0', 32, 'EfficientNet-B0'],
  ['efficientnet_b1', null, 'EfficientNet-B1'],
  ['efficientnet_b5', null, 'EfficientNet-B5'],
  ['densenet121', 32, 'DenseNet-121'],
  ['densenet161', null, 'DenseNet-161'],
  ['squeezenet1_0', 32, 'SqueezeNet 1.0'],
  ['squeezenet1_1', 32, 'SqueezeNet 1.1'],
  ['shufflenet_v2_x0_5', 32, 'ShuffleNetV2'],
  ['shufflenet_v2_x1_0', null, 'ShuffleNetV2'],
  ['convnext_tiny', 32, 'ConvNeXt Tiny'],
  ['vit_b_16', null, 'ViT-B/16'],
  ['swin_t', 32, 'Swin-T'],
];
const BOUND = 1e-4;

const folder = mkdtempSync(join(tmpdir(), 'weightroom-families-'));
afterAll(() => rmSync(folder, { recursive: true }));
const hasTorchvision =
  oldPython !== null && (torchvisionRoot() !== null || installPackages('python3-torchvision'));

/** Recognises the file's model, and gives its title and by how much its outputs differ. */
async function compare(name: string): Promise<{ title: string | undefined; error: number | null }> {
  const checkpoint = await open(join(folder, `${name}.pt`));
  const root = checkpoint.root as Dict;
  const recognised = recognise(root.get('state') as Dict, configurationOf(checkpoint));
  const title = recognised?.proposal.title;
  const inputs = root.get('inputs') as Extract<Value, { kind: 'list' }> | undefined;
  if (!recognised || !inputs) return { title, error: null };
  const specs = inputs.items.filter(isTensor).map(({ shape, dtype }) => ({
    shape: [...shape],
    dtype: dtype === 'int64' ? ('int64' as const) : ('float32' as const),
  }));
  const { graph } = unwrap(recognised.module.trace(specs, { training: false }));
  return { title, error: await largestError(recognised.module, graph, root) };
}

describe.runIf(hasTorchvision)("torchvision's models", () => {
  beforeAll(async () => {
    await useBackend('cpu');
    const input = JSON.stringify(models.map(([name, size]) => [name, size]));
    await runPython('tests/judge/families.py', [folder], { python: oldPython!, input });
  }, 300_000);

  it.each(models)('%s', async (name, size, title) => {
    const compared = await compare(name);
    expect(compared.title).toBe(title);
    if (size !== null) expect(compared.error).toBeLessThanOrEqual(BOUND);
  });
});

describe('models of our own reference', () => {
  beforeAll(async () => {
    await useBackend('cpu');
    await runPython('tests/judge/reference_models.py', [folder]);
  }, 120_000);

  it.each([
    ['gpt2', 'GPT-2, 2 layers of 24'],
    ['llama', 'Llama, 2 layers of 24'],
    ['bert', 'BERT, 2 layers of 24'],
    ['distilbert', 'DistilBERT, 2 layers of 24'],
    ['timm_vit', 'ViT/8 (timm)'],
    ['unet', 'U-Net'],
    ['lstm', 'LSTM language model'],
    ['gru', 'GRU language model'],
    ['lenet', 'LeNet-5'],
    ['mlp', 'MLP 7–20–9–3'],
  ])('%s', async (name, title) => {
    const compared = await compare(name);
    expect(compared.title).toBe(title);
    expect(compared.error).toBeLessThanOrEqual(BOUND);
  });
});
