/** Models of the known families, as the code of their makers builds them. */
import type { CaseInput } from '../sources/case.ts';
import { build, image, publicCases, tokens } from '../sources/table.ts';
import type { FamilyCase } from './case.ts';

type More = Partial<Pick<FamilyCase, 'set' | 'shapes' | 'inputs'>> & { stored?: string };

/** `stored(state)` of a case: what of its state_dict a file has. */
const stored = (expression: string) =>
  `\nimport torch\n\ndef stored(state):\n    return ${expression}\n`;

/** Keys that hold what another one does; safetensors' files leave them out. */
const without = (key: string) => `{k: v for k, v in state.items() if k != '${key}'}`;

const TEXT = tokens(101, 2, 11);
const CONFIGS = /^(DistilBert|Bert|Roberta|GPT2|Llama|Mistral|Qwen2|Gemma)/;

/** A class of transformers with a small configuration. */
function transformers(
  family: string | null,
  model: string,
  config: string,
  title = '',
  { stored: kept, ...more }: More = {},
): FamilyCase {
  const made = `${CONFIGS.exec(model)![1]}Config`;
  const code = build(
    `${model}(${made}(vocab_size=101, ${config}))`,
    `from transformers import ${made}, ${model}`,
  );
  return {
    name: `${model}${title && `, ${title}`}`,
    maker: 'transformers',
    family,
    folder: '',
    code: kept ? code + stored(kept) : code,
    inputs: TEXT,
    ...more,
  };
}

const BERT =
  'hidden_size=48, num_hidden_layers=2, num_attention_heads=3, intermediate_size=80, max_position_embeddings=40';
const ROBERTA = BERT.replace('=40', '=66') + ', type_vocab_size=1, layer_norm_eps=1e-5';
const DISTILBERT = 'dim=48, n_layers=2, n_heads=3, hidden_dim=80, max_position_embeddings=40';
const GPT2 = 'n_embd=48, n_layer=2, n_head=3, n_positions=40, use_cache=False';
const LLAMA =
  'hidden_size=48, num_hidden_layers=2, num_attention_heads=6, intermediate_size=80, use_cache=False';
const GROUPED = `${LLAMA}, num_key_value_heads=2`;

/** Tokens, a mask that leaves some of them out, and segments. */
const MASKED: CaseInput[] = [...TEXT, { shape: [2, 11], below: 2 }];
const SEGMENTED: CaseInput[] = [...MASKED, { shape: [2, 11], below: 2 }];

const old =
  "{k.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta'): v for k, v in state.items() if 'decoder.' not in k}";
const speeds =
  "{**state, **{f'model.layers.{n}.self_attn.rotary_emb.inv_freq': 1 / 5000 ** (torch.arange(0, 8, 2).float() / 8) for n in range(2)}}";

const languageModels: FamilyCase[] = [
  transformers('gpt', 'GPT2LMHeadModel', GPT2),
  transformers('gpt', 'GPT2LMHeadModel', GPT2, 'heads set', { set: { heads: '3' } }),
  transformers('gpt', 'GPT2LMHeadModel', GPT2, 'no lm_head in the file', {
    stored: without('lm_head.weight'),
  }),
  transformers(
    'gpt',
    'GPT2LMHeadModel',
    `${GPT2}, n_inner=70, activation_function='relu', layer_norm_epsilon=1e-3`,
    'ReLU',
  ),
  transformers('gpt', 'GPT2LMHeadModel', GPT2, 'names as published', {
    set: { heads: '3' },
    stored:
      "{k.removeprefix('transformer.'): v for k, v in state.items() if k != 'lm_head.weight'}",
  }),
  transformers('gpt', 'GPT2Model', `${GPT2}, architectures=['GPT2Model']`),
  transformers(
    null,
    'GPT2LMHeadModel',
    `${GPT2}, scale_attn_by_inverse_layer_idx=True`,
    'scaled scores',
  ),
  transformers('llama', 'LlamaForCausalLM', LLAMA),
  transformers('llama', 'LlamaForCausalLM', GROUPED, 'grouped queries'),
  transformers('llama', 'LlamaForCausalLM', GROUPED, 'grouped, set', {
    set: { heads: '6', groups: '2', size: '8' },
  }),
  transformers('llama', 'LlamaForCausalLM', `${GROUPED}, tie_word_embeddings=True`, 'tied'),
  transformers(
    'llama',
    'LlamaForCausalLM',
    `${GROUPED}, tie_word_embeddings=True`,
    'tied, no lm_head',
    {
      stored: without('lm_head.weight'),
    },
  ),
  transformers(
    'llama',
    'LlamaForCausalLM',
    `${GROUPED}, head_dim=12, attention_bias=True, mlp_bias=True, rms_norm_eps=1e-3`,
    'wide heads, biases',
  ),
  transformers(
    'llama',
    'LlamaForCausalLM',
    `${GROUPED}, rope_parameters={'rope_type': 'default', 'rope_theta': 300.0}`,
    'theta 300',
  ),
  transformers(
    'llama',
    'LlamaForCausalLM',
    `${GROUPED}, rope_parameters={'rope_type': 'default', 'rope_theta': 5000.0}`,
    'speeds in the file',
    { stored: speeds },
  ),
  transformers(
    null,
    'LlamaForCausalLM',
    `${GROUPED}, rope_parameters={'rope_type': 'linear', 'factor': 2.0, 'rope_theta': 10000.0}`,
    'stretched places',
  ),
  transformers('llama', 'LlamaModel', GROUPED),
  transformers('llama', 'MistralForCausalLM', `${GROUPED}, sliding_window=4096`),
  transformers('llama', 'Qwen2ForCausalLM', GROUPED),
  transformers(null, 'LlamaForCausalLM', `${GROUPED}, hidden_act='gelu'`, 'GELU'),
  transformers(null, 'BertModel', `${BERT}, hidden_act='quick_gelu'`, 'quick GELU'),
  transformers(null, 'GemmaForCausalLM', `${GROUPED}, head_dim=8`),
  transformers('bert', 'BertModel', BERT, '', { inputs: SEGMENTED }),
  transformers('bert', 'BertModel', BERT, 'heads set', { set: { heads: '3' }, inputs: MASKED }),
  transformers(
    'bert',
    'BertModel',
    BERT.replace('=48', '=384').replace('=3,', '=12,'),
    'MiniLM by custom',
    { set: {}, inputs: MASKED },
  ),
  transformers(
    'bert',
    'BertModel',
    `${BERT}, hidden_act='gelu_new', layer_norm_eps=1e-3`,
    'GELU by tanh',
  ),
  transformers('bert', 'BertForMaskedLM', BERT, '', { inputs: SEGMENTED }),
  transformers('bert', 'BertForMaskedLM', BERT, 'no decoder in the file', {
    stored: "{k: v for k, v in state.items() if 'decoder.' not in k}",
  }),
  transformers('bert', 'BertForMaskedLM', `${BERT}, tie_word_embeddings=False`, 'not tied'),
  transformers('bert', 'BertForPreTraining', BERT, 'gamma and beta', {
    inputs: MASKED,
    stored: old,
  }),
  transformers('bert', 'BertForSequenceClassification', `${BERT}, num_labels=3`, '', {
    inputs: SEGMENTED,
  }),
  transformers('bert', 'BertForTokenClassification', `${BERT}, num_labels=5`, '', {
    inputs: MASKED,
  }),
  transformers('bert', 'BertForQuestionAnswering', BERT, '', { inputs: SEGMENTED }),
  transformers('bert', 'RobertaModel', ROBERTA, '', { inputs: MASKED }),
  transformers('bert', 'RobertaModel', ROBERTA, 'heads set', { set: { heads: '3' } }),
  transformers('distilbert', 'DistilBertModel', DISTILBERT, '', { inputs: MASKED }),
  transformers('distilbert', 'DistilBertModel', DISTILBERT, 'heads set', { set: { heads: '3' } }),
  transformers('distilbert', 'DistilBertForMaskedLM', DISTILBERT, '', { inputs: MASKED }),
  transformers('distilbert', 'DistilBertForMaskedLM', DISTILBERT, 'no table in the file', {
    stored: without('vocab_projector.weight'),
  }),
  transformers('distilbert', 'DistilBertForSequenceClassification', `${DISTILBERT}, num_labels=3`),
  transformers('distilbert', 'DistilBertForTokenClassification', `${DISTILBERT}, num_labels=5`),
  transformers('distilbert', 'DistilBertForQuestionAnswering', DISTILBERT, '', { inputs: MASKED }),
];

/** A model of timm, of its usual size with ten classes. */
function timm(family: string | null, model: string, size = 0, side = size || 64): FamilyCase {
  return {
    name: model,
    maker: 'timm',
    family,
    folder: '',
    code: build(
      `timm.create_model('${model}', num_classes=10${size ? `, img_size=${size}` : ''})`,
      'import timm',
    ),
    inputs: image(1, 3, side, side),
  };
}

const timmModels = [
  timm('timm_vit', 'vit_tiny_patch16_224', 48),
  timm('timm_vit', 'vit_small_patch32_224', 64),
  timm('timm_vit', 'vit_base_patch16_224', 32),
  timm('timm_vit', 'deit_tiny_patch16_224', 48),
  timm('timm_vit', 'deit_tiny_distilled_patch16_224', 48),
  timm('timm_vit', 'deit3_small_patch16_224', 48),
  timm('convnext', 'convnext_atto', 0, 64),
  timm('convnext', 'convnext_tiny', 0, 64),
  timm('resnet', 'resnet18'),
  timm('resnet', 'resnext50_32x4d'),
  timm(null, 'swin_tiny_patch4_window7_224', 224),
  timm(null, 'convnextv2_atto'),
];

/** A case of the public sources, by its name there, and the family that it is. */
function repository(name: string, family: string, set?: FamilyCase['set']): FamilyCase {
  const item = publicCases.find((other) => other.name === name)!;
  return { ...item, maker: 'repository', family, ...(set ? { set } : {}) };
}

/** PyTorch's example takes (T, N) and a state, and gives logarithms of shares; here its decoder counts. */
function recurrent(kind: string, more = ''): FamilyCase {
  const code = [
    'from word_language_model.model import RNNModel',
    '',
    'class FromZeros(RNNModel):',
    '    def forward(self, tokens):',
    '        seen = []',
    '        hook = self.decoder.register_forward_hook(lambda *it: seen.append(it[2]))',
    '        super().forward(tokens.t(), self.init_hidden(tokens.shape[0]))',
    '        hook.remove()',
    '        return seen[0].transpose(0, 1)',
    '',
  ];
  return {
    name: `word_language_model ${kind}${more && ', tied'}`,
    maker: 'repository',
    family: 'rnn_lm',
    folder: 'pytorch__examples',
    code: build(`FromZeros('${kind}', 101, 24, 24, 2${more})`, ...code),
    inputs: tokens(101, 2, 11),
  };
}

/** With targets, these models give the logits of all places, not of the last one alone. */
function whole(item: FamilyCase, name: string, output = ''): FamilyCase {
  const code = [
    `class Whole(${name}):`,
    '    def forward(self, tokens):',
    `        return super().forward(tokens, tokens)${output}`,
    '',
    'def build():',
  ].join('\n');
  const changed = item.code.replace(`${name}(`, 'Whole(').replace('def build():', code);
  return { ...item, code: changed };
}

const repositories = [
  whole(repository('nanoGPT', 'gpt'), 'GPT', '[0]'),
  whole(repository('nanoGPT without bias', 'gpt'), 'GPT', '[0]'),
  repository('minGPT', 'gpt', { heads: '3' }),
  whole(repository('llama2.c', 'llama', { heads: '4', groups: '2' }), 'Transformer'),
  repository('Pytorch-UNet', 'unet'),
  repository('Pytorch-UNet bilinear', 'unet'),
  repository('pytorch-cifar LeNet()', 'lenet'),
  ...['LSTM', 'GRU', 'RNN_TANH'].map((kind) => recurrent(kind)),
  recurrent('LSTM', ', tie_weights=True'),
];

/** A builder of torchvision with ten classes; `side` 0 for those that are only recognised. */
function torchvision(family: string, name: string, side: number, args = ''): FamilyCase {
  return {
    name,
    maker: 'torchvision',
    family,
    folder: '',
    code: build(`${name}(num_classes=10${args})`, `from torchvision.models import ${name}`),
    inputs: side ? image(1, 3, side, side) : [],
    ...(side ? {} : { shapes: true }),
  };
}

const several = (family: string, side: number, ...names: string[]) =>
  names.map((name) => torchvision(family, name, side));

const torchvisionModels = [
  ...several('alexnet', 64, 'alexnet'),
  ...several('vgg', 32, 'vgg11', 'vgg13', 'vgg16', 'vgg19'),
  ...several('vgg', 32, 'vgg11_bn', 'vgg13_bn', 'vgg16_bn', 'vgg19_bn'),
  ...several('resnet', 64, 'resnet18', 'resnet34', 'resnet50', 'resnet101', 'resnet152'),
  ...several('resnet', 64, 'resnext50_32x4d', 'resnext101_32x8d', 'resnext101_64x4d'),
  ...several('resnet', 64, 'wide_resnet50_2', 'wide_resnet101_2'),
  ...several('mobilenetv2', 64, 'mobilenet_v2'),
  ...several('mobilenetv3', 64, 'mobilenet_v3_small', 'mobilenet_v3_large'),
  ...several('efficientnet', 64, 'efficientnet_b0', 'efficientnet_b1', 'efficientnet_b2'),
  ...several('efficientnet', 64, 'efficientnet_b3', 'efficientnet_b4', 'efficientnet_b5'),
  ...several('efficientnet', 64, 'efficientnet_b6', 'efficientnet_b7'),
  ...several('densenet', 64, 'densenet121', 'densenet161', 'densenet169', 'densenet201'),
  ...several('squeezenet', 64, 'squeezenet1_0', 'squeezenet1_1'),
  ...several('shufflenetv2', 64, 'shufflenet_v2_x0_5', 'shufflenet_v2_x1_0'),
  ...several('shufflenetv2', 64, 'shufflenet_v2_x1_5', 'shufflenet_v2_x2_0'),
  ...several('convnext', 64, 'convnext_tiny', 'convnext_small', 'convnext_base'),
  ...several('convnext', 0, 'convnext_large'),
  torchvision('vit', 'vit_b_16', 48, ', image_size=48'),
  torchvision('vit', 'vit_b_32', 64, ', image_size=64'),
  ...several('vit', 0, 'vit_l_16', 'vit_l_32', 'vit_h_14'),
  ...several('swin', 64, 'swin_t', 'swin_s', 'swin_b'),
];

/** Nothing but linear layers, of no maker in particular. */
const plain: FamilyCase = {
  name: 'Sequential of linear layers and ReLU',
  maker: 'torchvision',
  family: 'mlp',
  folder: '',
  code: build(
    'nn.Sequential(nn.Linear(12, 20), nn.ReLU(), nn.Linear(20, 9, bias=False), nn.ReLU(), nn.Linear(9, 3))',
    'from torch import nn',
  ),
  inputs: [{ shape: [4, 12] }],
};

export const familyCases: readonly FamilyCase[] = [
  ...languageModels,
  ...timmModels,
  ...repositories,
  plain,
  ...torchvisionModels,
];
