/**
 * Known models: recognised from the keys and shapes of checkpoints that torchvision's own code made,
 * and computing what it computes. Large ones are only recognised: plain JavaScript would take minutes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bind } from '#lib/architecture/binding.ts';
import { recognise } from '#lib/architecture/families/recognise.ts';
import type { Dict } from '#lib/checkpoint/value.ts';
import { Model } from '#lib/runtime/model.ts';
import { oldPython, runPython } from '../python.ts';
import { installPackages } from '../debian.ts';
import { numbers, open, relativeError, unwrap, useBackend } from './lab.ts';

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
const hasTorchvision = oldPython !== null && installPackages('python3-torchvision');

describe.runIf(hasTorchvision)("torchvision's models", () => {
  beforeAll(async () => {
    await useBackend('cpu');
    const input = JSON.stringify(models.map(([name, size]) => [name, size]));
    await runPython('tests/judge/families.py', [folder], { python: oldPython!, input });
  }, 300_000);

  it.each(models)('%s', async (name, size, title) => {
    const root = (await open(join(folder, `${name}.pt`))).root as Dict;
    const state = root.get('state') as Dict;
    const recognised = recognise(state);
    expect(recognised?.proposal.title).toBe(title);
    if (size === null) return;
    const { module } = recognised!;
    const { matched } = bind(module.state, state);
    const tensors = new Map([...matched].map(([key, { tensor }]) => [key, tensor]));
    const model = await Model.load(module.state, tensors);
    const input = await numbers(root, 'input');
    const expected = await numbers(root, 'output');
    const { graph } = unwrap(
      module.trace([{ shape: input.shape, dtype: 'float32' }], { training: false }),
    );
    const [output] = await model.predict(graph, [input]);
    model.dispose();
    expect(output!.shape).toEqual(expected.shape);
    expect(relativeError(output!.values as Float32Array, expected.values)).toBeLessThanOrEqual(
      BOUND,
    );
  });
});
