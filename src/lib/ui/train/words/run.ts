/** What the form says of the run: the optimizer, its schedule, the loss, the steps, the files. */
import type { RunProposal, RunSettings, SchedulerSettings } from '#lib/worker/protocol.ts';
import { plural } from '../../format.ts';
import { given, pythonText, shortNumber, type OptionValue } from '../options.ts';
import { optimizers } from '../optimizers.ts';
import { schedulers, type Interval, type SchedulerName } from '../schedulers.ts';
import { listed } from './listed.ts';

export const words = {
  title: 'Run',
  settings: 'Settings',
  unfit: 'Why it cannot be trained',
  epochs: 'Epochs',
  batchSize: 'Batch size',
  rate: 'Learning rate',
  seed: 'Seed',
  /** In empty fields of an optimizer that the checkpoint brings. */
  asItIs: 'as it is',
  /** Of the checkpoint's optimizer and schedule, after a run. */
  asLeft: 'as the last run left it',
  noneThatFits: 'from the checkpoint (none that fits)',

  optimizer: {
    title: 'Optimizer',
    summary: ({ optimizer }: RunSettings, proposal: RunProposal | null) => {
      if (optimizer.name === 'checkpoint') {
        const name = proposal?.optimizer?.name ?? 'the optimizer';
        return listed(`${name} as in the checkpoint`, ...assigned(optimizer.options));
      }
      const options = optimizers[optimizer.name];
      const lr = optimizer.options.lr ?? options[0]?.standard;
      const others = given(options, optimizer.options).filter(([name]) => name !== 'lr');
      const groups = optimizer.groups.length;
      return listed(
        optimizer.name,
        ...assigned({ lr, ...Object.fromEntries(others) }),
        groups > 0 && plural(groups + 1, 'group'),
      );
    },
    ofCheckpoint: (name: string) => `${name}, as in the checkpoint`,
    fresh: (name: string) => `${name}, fresh`,
    states: (states: number, groups: number) =>
      `${plural(states, 'parameter has', 'parameters have')} a state, ${plural(groups, 'param_group')}. A number here replaces that of every group.`,
    others: (changed: number) => `Other options${changed > 0 ? `, ${changed} changed` : ''}`,
  },

  groups: {
    name: (at: number) => `param_groups[${at}]`,
    parameters: 'Parameters, as globs',
    parametersExample: 'encoder.* *.bias',
    remove: (at: number) => `Remove param_groups[${at}]`,
    removeTitle: 'Remove this group',
    taken: (count: number) => plural(count, 'trained parameter'),
    rest: (count: number) => `The last group takes the other ${plural(count, 'parameter')}.`,
    fasterHead: 'Head × 10',
    slowerBody: 'Body ÷ 10',
    add: 'Add a param_group',
  },

  schedule: {
    title: 'Schedule',
    summary: ({ scheduler }: RunSettings, proposal: RunProposal | null) => {
      if (!scheduler) return 'a constant rate';
      if (scheduler.name !== 'checkpoint') {
        return `${schedulerText(scheduler)}, every ${scheduler.interval}`;
      }
      return `as in the checkpoint${proposal?.scheduler ? `: ${proposal.scheduler}` : ''}`;
    },
    scheduler: 'Scheduler',
    none: 'none: a constant rate',
    choice: (name: SchedulerName) => `${name}: ${schedulerHints[name]}`,
    step: 'step()',
    stepped: 'When the scheduler is stepped',
    intervals: { step: 'each step', epoch: 'each epoch' },
    warmup: (interval: Interval) => `Warm-up, in ${interval}s`,
    then: 'Then',
    courses: { constant: 'constant', linear: 'linear to 0', cosine: 'cosine to 0' },
    total: (interval: Interval) => `0 after, in ${interval}s`,
    part: (at: number) => `${at + 1}. scheduler`,
    removePart: (at: number) => `Remove scheduler ${at + 1}`,
    addPart: 'Add a scheduler',
    curve: 'Learning rate over the run',
    curveOf: (group: number, groups: number) => (groups === 1 ? 'lr' : `group ${group}`),
  },

  loss: {
    title: 'Loss',
    summary: ({ loss, monitor, earlyStopping }: RunSettings) => {
      const weights = 'classWeights' in loss ? loss.classWeights : null;
      return listed(
        loss.name,
        loss.name === 'cross_entropy' &&
          loss.labelSmoothing > 0 &&
          `smoothing ${shortNumber(loss.labelSmoothing)}`,
        weights && (weights === 'balanced' ? 'balanced classes' : 'weighted classes'),
        `best by ${monitor.mode === 'min' ? 'lowest' : 'highest'} ${monitor.metric}`,
        earlyStopping && `stops after ${earlyStopping.patience} without`,
      );
    },
    classWeights: 'Class weights',
    weightings: { none: 'none', balanced: 'balanced: N / (K · count)', given: 'as given' },
    weights: 'weight, one for each class',
    bestBy: 'Best is by',
    stopEarly: 'Stop early, when it gets no better',
    patience: 'Patience, in epochs',
  },

  steps: {
    title: 'Steps',
    summary: ({ accumulate, clip, ema, scaler }: RunSettings) =>
      listed(
        accumulate > 1 && `${accumulate} batches a step`,
        clip?.kind === 'norm' && `norm clipped at ${shortNumber(clip.maxNorm)}`,
        clip?.kind === 'value' && `clipped at ${shortNumber(clip.clipValue)}`,
        ema && `EMA ${shortNumber(ema.decay)}`,
        scaler && (scaler === 'checkpoint' ? 'scaler as in the checkpoint' : 'GradScaler'),
      ) || 'plain steps',
    accumulate: 'Batches a step',
    clip: 'Clip gradients',
    clips: { none: 'no', norm: 'clip_grad_norm_', value: 'clip_grad_value_' },
    ema: 'Keep a moving average of the weights (EMA)',
    scaler: 'GradScaler',
    scalers: (saved: boolean) => ({
      none: 'none: the lab computes in float32',
      checkpoint: saved ? 'as in the checkpoint' : 'from the checkpoint (none there)',
      fresh: 'fresh, for training on in float16 elsewhere',
    }),
  },

  files: {
    title: 'Files',
    summary: ({ keep: { every, newest } }: RunSettings, folder: string | null) => {
      const often = every === 1 ? 'every epoch' : `every ${every} epochs`;
      const files = listed(
        'best',
        'last',
        every > 0 && often + (newest > 0 ? ` (newest ${newest})` : ''),
      );
      return `${files} in ${folder ?? 'the browser’s private disk'}`;
    },
    name: 'Name of the run',
    every: 'A file every … epochs',
    newest: 'Of these, the newest',
    steps: 'Save last every … steps',
    note: '0 is none; of the newest, all. `best` and `last` are always kept, after each epoch: written, read back and compared.',
    pick: 'Pick a folder',
    pickAnother: 'Pick another folder',
    notPicked: 'Could not ask for a folder',
    usePrivate: 'Use the private disk',
    private:
      'The browser’s private disk; runs there are listed on the Open page and can be downloaded.',
  },
} as const;

/** What a schedule is for. */
const schedulerHints: Readonly<Record<SchedulerName, string>> = {
  StepLR: '× gamma every step_size',
  MultiStepLR: '× gamma at milestones',
  ConstantLR: '× factor at first',
  LinearLR: 'in a line between two factors',
  ExponentialLR: '× gamma each time',
  CosineAnnealingLR: 'down along a cosine',
  CosineAnnealingWarmRestarts: 'cosines, one after the other',
  OneCycleLR: 'up and down once',
  CyclicLR: 'up and down again and again',
  PolynomialLR: 'down along a power',
  ReduceLROnPlateau: '× factor when it stalls',
  LambdaLR: 'warm-up, then as chosen',
  SequentialLR: 'one after the other',
  ChainedScheduler: 'multiplied',
};

function schedulerText({ name, options, lambda, schedulers: parts }: SchedulerSettings): string {
  if (parts) {
    return parts.map((part) => part.name).join(name === 'ChainedScheduler' ? ' × ' : ', then ');
  }
  if (lambda) return `${lambda.warmup} of warm-up, then ${lambda.after}`;
  const named = given(schedulers[name], options).slice(0, 2);
  return listed(name, ...assigned(Object.fromEntries(named)));
}

/** `lr 0.001`, `betas (0.9, 0.99)`. */
function assigned(options: Readonly<Record<string, OptionValue | undefined>>): string[] {
  return Object.entries(options).map(([name, value]) => `${name} ${pythonText(value)}`);
}
