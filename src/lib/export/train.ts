/** train.py: what the run's settings say, as the statements that a person would have written. */
import type { TargetSpec } from '#lib/inputs/data/dataset.ts';
import type { MetricName, OptimizerSettings, RunSettings } from '#lib/training/settings.ts';
import { metricsFor } from '#lib/training/metrics.ts';
import { pythonCriterion } from './criterion.ts';
import type { PythonEdits } from './edits.ts';
import { pythonOptimizer } from './optimizer.ts';
import { keywords, pythonCall, pythonNumber, pythonString } from './python/literal.ts';
import { fillTemplate, type Filling } from './python/template.ts';
import { pythonScheduler } from './scheduler.ts';
import type { PythonSource } from './source.ts';
import template from './templates/train.py?raw';

/** Settings of a run that knows what it trains with: nothing is left to a checkpoint. */
export interface WholeSettings extends Omit<RunSettings, 'optimizer' | 'scheduler' | 'scaler'> {
  readonly optimizer: OptimizerSettings;
  readonly scheduler: Exclude<RunSettings['scheduler'], { readonly name: 'checkpoint' }>;
  readonly scaler: Exclude<RunSettings['scaler'], 'checkpoint'>;
}

/** Which of the training examples are for what; null where the data holds out its own. */
export interface Split {
  readonly train: ArrayLike<number>;
  readonly validation: ArrayLike<number>;
}

export interface TrainFacts {
  readonly settings: WholeSettings;
  readonly source: PythonSource;
  readonly edits: PythonEdits;
  /** Whether the optimizer lists frozen parameters, too. */
  readonly optimized: 'all' | 'trained';
  readonly target: TargetSpec;
  /** Where the tensor that the loss is taken of lies in what the model returns: see `outputsOf`. */
  readonly outputName: string;
  /** Its shape, the batch left out. */
  readonly outputShape: readonly number[];
  readonly split: Split | null;
  /** Whether the state begins within an epoch. */
  readonly isPartial: boolean;
  readonly hasBatchNorm: boolean;
  readonly dataModule: string;
  /** Whether reading the data takes processes of its own. */
  readonly isStreamed: boolean;
}

/** Words that train.py uses whatever the run, which names of the source must not take. */
export const words: ReadonlySet<string> = new Set(template.match(/\w+/g));

export function pythonTraining(facts: TrainFacts): string {
  return fillTemplate(template, { flags: flagsOf(facts), places: placesOf(facts) });
}

/** Whether all indices follow one another, so that a range says them. */
export function isRange(indices: ArrayLike<number>): boolean {
  return Array.from(indices).every((index, at) => at === 0 || index === indices[at - 1]! + 1);
}

function flagsOf(facts: TrainFacts): Filling['flags'] {
  const { settings, target, split, edits, source } = facts;
  const { keep, loss, scheduler, scaler, clip, optimizer } = settings;
  const metrics = new Set<MetricName>(metricsFor(target, loss.name));
  const isIndices = target.kind !== 'numbers';
  const isRanges = split !== null && isRange(split.train) && isRange(split.validation);
  const isFreezing = edits.statements.some((statement) => statement.startsWith('freeze('));
  const isWeighted = 'classWeights' in loss && loss.classWeights !== null;
  return {
    ema: settings.ema !== null,
    accumulate: settings.accumulate > 1,
    early_stopping: settings.earlyStopping !== null,
    lower: settings.monitor.mode === 'min',
    every: keep.every > 0,
    newest: keep.every > 0 && keep.newest > 0,
    save_steps: keep.steps > 0,
    partial: keep.steps > 0 || facts.isPartial,
    split_file: split !== null && !isRanges,
    split_ranges: isRanges,
    sys_path: source.path !== null,
    edits: edits.text !== null,
    changed: edits.statements.length > 0,
    freeze: isFreezing,
    globs: isFreezing || optimizer.groups.length > 0,
    trained_only: facts.optimized === 'trained',
    groups: optimizer.groups.length > 0,
    scheduler: scheduler !== null,
    scheduler_parts: scheduler !== null && pythonScheduler(scheduler).functions !== null,
    step_scheduler: scheduler?.interval === 'step',
    epoch_scheduler: scheduler?.interval === 'epoch',
    scaler: scaler !== null,
    clip: clip !== null,
    unscale: clip !== null && scaler !== null,
    indices: isIndices,
    places: target.kind === 'class' && target.shape.length > 0,
    tokens: target.kind === 'tokens',
    output: facts.outputName !== 'output',
    forward: hasForward(facts),
    pick: isNamed(facts.outputName),
    class_weights: isWeighted && isIndices,
    weight_function: isIndices,
    accuracy: metrics.has('accuracy'),
    top5: metrics.has('top5_accuracy'),
    f1: metrics.has('f1'),
    r2: metrics.has('r2'),
    perplexity: metrics.has('perplexity'),
    binary: !isIndices && metrics.has('accuracy'),
    outputs_counted: metrics.has('accuracy') || metrics.has('r2'),
    batch_norm: facts.hasBatchNorm,
  };
}

function placesOf(facts: TrainFacts): Filling['places'] {
  const { settings, source, edits, target, split } = facts;
  const { keep, loss, scheduler, monitor, earlyStopping } = settings;
  const optimizer = pythonOptimizer(settings.optimizer, facts.optimized);
  const schedule = scheduler && pythonScheduler(scheduler);
  const scaled = settings.accumulate > 1 ? '(loss / ACCUMULATE)' : 'loss';
  const forward = hasForward(facts)
    ? (net: string) => `self.forward(${net}, inputs)`
    : (net: string) => `${net}(inputs)`;
  const range = (indices: ArrayLike<number> = []) =>
    `range(${indices[0] ?? 0}, ${(indices[indices.length - 1] ?? -1) + 1})`;
  return {
    DATA_MODULE: facts.dataModule,
    EDITS_MODULE: edits.module,
    EDITS_NAMES: edits.functions.join(', '),
    EDITS: edits.statements.join('\n'),
    TRAINED_FORWARD: forward('net'),
    EVALUATED_FORWARD: forward('self.model'),
    SYS_PATH: source.path ?? '',
    MODEL_IMPORT: source.imports,
    MODEL: source.expression,
    NAME: pythonString(settings.name),
    EPOCHS: String(settings.epochs),
    BATCH_SIZE: String(settings.batchSize),
    ACCUMULATE: String(settings.accumulate),
    SEED: String(settings.seed),
    MONITOR: pythonString(`val_${monitor.metric}`),
    MODE: pythonString(monitor.mode),
    PATIENCE: String(earlyStopping?.patience),
    MIN_DELTA: pythonNumber(earlyStopping?.minDelta ?? 0),
    EMA_DECAY: pythonNumber(settings.ema?.decay ?? 0),
    SAVE_STEPS: String(keep.steps),
    KEEP_EVERY: String(keep.every),
    KEEP_NEWEST: String(keep.newest),
    IGNORE_INDEX: 'ignoreIndex' in loss ? pythonNumber(loss.ignoreIndex) : '',
    CLASSES: String(target.kind === 'class' ? facts.outputShape[0] : 0),
    OUTPUTS: String(facts.outputShape.reduce((product, size) => product * size, 1)),
    MIDDLE: loss.name === 'binary_cross_entropy' ? '0.5' : '0',
    OPTIMIZER: optimizer.expression,
    OPTIMIZER_GROUPS: optimizer.groups ?? '',
    SCHEDULER: schedule?.expression ?? '',
    SCHEDULER_PARTS: schedule?.functions ? `${schedule.functions}\n` : '',
    PLATEAU: scheduler?.name === 'ReduceLROnPlateau' ? 'trainer.metrics[MONITOR]' : '',
    CRITERION: pythonCriterion(loss),
    SCALER: pythonCall('torch.amp.GradScaler', [
      'device.type',
      ...(settings.scaler ? keywords({ ...settings.scaler }) : []),
    ]),
    SCALED_LOSS: settings.scaler ? `self.scaler.scale(${scaled})` : scaled,
    CLIP: clipOf(settings.clip),
    WEIGHT: target.kind === 'numbers' ? 'len(targets)' : 'self.weight(targets)',
    OUTPUT: pickOf(facts.outputName),
    WORKERS: facts.isStreamed ? '4' : '0',
    TRAIN_RANGE: range(split?.train),
    VALIDATION_RANGE: range(split?.validation),
  };
}

/** Whether more is done than to call the model. */
function hasForward({ settings, target, outputName }: TrainFacts): boolean {
  return settings.scaler !== null || target.kind === 'tokens' || outputName !== 'output';
}

function clipOf(clip: RunSettings['clip']): string {
  const parameters = 'self.model.parameters()';
  if (clip === null) return '';
  if (clip.kind === 'value') {
    return `nn.utils.clip_grad_value_(${parameters}, ${pythonNumber(clip.clipValue)})`;
  }
  const type = clip.normType === 2 ? [] : [`norm_type=${pythonNumber(clip.normType)}`];
  return pythonCall('nn.utils.clip_grad_norm_', [parameters, pythonNumber(clip.maxNorm), ...type]);
}

/** Numbers are places in tuples; names are keys of dicts or fields of dataclasses. */
function isNamed(name: string): boolean {
  return name !== 'output' && !name.split('.').every((part) => /^\d+$/.test(part));
}

function pickOf(name: string): string {
  const parts = name.split('.');
  if (!isNamed(name)) return `outputs${parts.map((part) => `[${part}]`).join('')}`;
  return pythonCall('pick', ['outputs', ...parts.map(pythonString)]);
}
