/** What is set, in a few words: the closed sections of the form say it. */
import type {
  Augmentation,
  DataFacts,
  RunProposal,
  RunSettings,
  SchedulerSettings,
} from '#lib/worker/protocol.ts';
import { formatCount, formatPercent, plural } from '../format.ts';
import { given, pythonText, shortNumber } from './options.ts';
import { optimizers } from './optimizers.ts';
import { schedulers } from './schedulers.ts';

export function optimizerWords(settings: RunSettings, proposal: RunProposal | null): string {
  const { optimizer } = settings;
  if (optimizer.name === 'checkpoint') {
    const name = proposal?.optimizer?.name ?? 'the optimizer';
    const changed = Object.entries(optimizer.options);
    return [`${name} as in the checkpoint`, ...changed.map(assignment)].join(', ');
  }
  const groups = optimizer.groups.length > 0 ? [plural(optimizer.groups.length + 1, 'group')] : [];
  const options = given(optimizers[optimizer.name], optimizer.options);
  const [first] = optimizers[optimizer.name];
  const lr = optimizer.options.lr ?? first?.standard;
  const others = options.filter(([name]) => name !== 'lr').map(assignment);
  return [optimizer.name, `lr ${pythonText(lr)}`, ...others, ...groups].join(', ');
}

const assignment = ([name, value]: [string, Parameters<typeof pythonText>[0]]) =>
  `${name} ${pythonText(value)}`;

export function scheduleWords(settings: RunSettings, proposal: RunProposal | null): string {
  const { scheduler } = settings;
  if (!scheduler) return 'a constant rate';
  if (scheduler.name === 'checkpoint') {
    return `as in the checkpoint${proposal?.scheduler ? `: ${proposal.scheduler}` : ''}`;
  }
  return `${schedulerWords(scheduler)}, every ${scheduler.interval}`;
}

export function schedulerWords(scheduler: SchedulerSettings): string {
  const { name, options, lambda, schedulers: parts } = scheduler;
  if (parts)
    return `${parts.map((part) => part.name).join(name === 'ChainedScheduler' ? ' × ' : ', then ')}`;
  if (lambda) return `${lambda.warmup} of warm-up, then ${lambda.after}`;
  const named = given(schedulers[name], options).slice(0, 2);
  return [name, ...named.map(assignment)].join(', ');
}

export function lossWords({ loss, monitor, earlyStopping }: RunSettings): string {
  const parts: string[] = [loss.name];
  if (loss.name === 'cross_entropy' && loss.labelSmoothing > 0) {
    parts.push(`smoothing ${shortNumber(loss.labelSmoothing)}`);
  }
  if ('classWeights' in loss && loss.classWeights) {
    parts.push(loss.classWeights === 'balanced' ? 'balanced classes' : 'weighted classes');
  }
  const best = `best by ${monitor.mode === 'min' ? 'lowest' : 'highest'} ${monitor.metric}`;
  const patience = earlyStopping ? [`stops after ${earlyStopping.patience} without`] : [];
  return [...parts, best, ...patience].join(', ');
}

export function stepWords({ accumulate, clip, ema, scaler }: RunSettings): string {
  const parts: string[] = [];
  if (accumulate > 1) parts.push(`${accumulate} batches a step`);
  if (clip?.kind === 'norm') parts.push(`norm clipped at ${shortNumber(clip.maxNorm)}`);
  if (clip?.kind === 'value') parts.push(`clipped at ${shortNumber(clip.clipValue)}`);
  if (ema) parts.push(`EMA ${shortNumber(ema.decay)}`);
  if (scaler) parts.push(scaler === 'checkpoint' ? 'scaler as in the checkpoint' : 'GradScaler');
  return parts.length > 0 ? parts.join(', ') : 'plain steps';
}

export function keepWords({ keep }: RunSettings, folder: string | null): string {
  const files = ['best', 'last'];
  if (keep.every > 0) {
    const which = keep.newest > 0 ? ` (newest ${keep.newest})` : '';
    files.push(`every ${keep.every === 1 ? 'epoch' : `${keep.every} epochs`}${which}`);
  }
  return `${files.join(', ')} in ${folder ?? 'the browser’s private disk'}`;
}

export function validationWords(settings: RunSettings, data: DataFacts): string {
  const { validationShare, stratified } = settings.data;
  if (validationShare === 0) {
    return data.held === null ? 'none' : `the data’s own ${formatCount(data.held)}`;
  }
  const share = `${formatPercent(validationShare, 0)} of training`;
  return stratified && data.classCounts ? `${share}, the same of each class` : share;
}

export function augmentationWords(augmentation: Augmentation | null): string {
  if (!augmentation) return 'none';
  const { horizontalFlip, verticalFlip, cropPadding, jitter } = augmentation;
  const parts = [
    horizontalFlip && 'flip',
    verticalFlip && 'vertical flip',
    cropPadding > 0 && `crop after ${cropPadding} px`,
    Object.values(jitter).some((it) => it > 0) && 'jitter',
  ];
  return parts.filter(Boolean).join(', ') || 'none';
}

/** `4,000 to train, 1,000 held out`. */
export function countWords({ train, held }: DataFacts): string {
  return `${formatCount(train)} to train, ${held === null ? 'none' : formatCount(held)} held out`;
}

/** `10 classes`, `numbers of shape [1]`, `the next of 65 tokens`. */
export function targetWords({ target }: DataFacts): string {
  switch (target.kind) {
    case 'class':
      return plural(target.classes.length, 'class', 'classes');
    case 'tokens':
      return `the next of ${formatCount(target.vocabulary)} tokens`;
    case 'numbers':
      return target.names.length > 0 && target.names.length <= 3
        ? target.names.join(', ')
        : plural(
            Math.max(
              1,
              target.shape.reduce((a, b) => a * b, 1),
            ),
            'number',
          );
    default:
      return target satisfies never;
  }
}
