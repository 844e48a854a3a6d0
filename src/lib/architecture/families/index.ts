/** The known models, in the order in which they are asked. Their fingerprints exclude each other. */
import { alexnet } from './alexnet.ts';
import { bert } from './bert.ts';
import { convnext } from './convnext.ts';
import { densenet } from './densenet.ts';
import { distilbert } from './distilbert.ts';
import { efficientnet } from './efficientnet.ts';
import type { Family } from './family.ts';
import { gpt } from './gpt.ts';
import { lenet } from './lenet.ts';
import { llama } from './llama.ts';
import { mlp } from './mlp.ts';
import { mobilenetv2 } from './mobilenetv2.ts';
import { mobilenetv3 } from './mobilenetv3.ts';
import { resnet } from './resnet.ts';
import { rnnLanguageModel } from './rnn_lm.ts';
import { shufflenetv2 } from './shufflenetv2.ts';
import { squeezenet } from './squeezenet.ts';
import { swin } from './swin.ts';
import { timmVit } from './timm_vit.ts';
import { unet } from './unet.ts';
import { vgg } from './vgg.ts';
import { vit } from './vit.ts';

export const families: readonly Family[] = [
  alexnet,
  bert,
  convnext,
  densenet,
  distilbert,
  efficientnet,
  gpt,
  lenet,
  llama,
  mobilenetv2,
  mobilenetv3,
  resnet,
  rnnLanguageModel,
  shufflenetv2,
  squeezenet,
  swin,
  timmVit,
  unet,
  vgg,
  vit,
  mlp,
];
