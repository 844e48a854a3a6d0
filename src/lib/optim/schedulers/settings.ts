/**
 * A learning rate schedule as plain JSON: torch.optim.lr_scheduler's names and arguments, `None` as
 * null. A rate that LambdaLR multiplies by is one of a few functions, since a file holds no code.
 */
export type SchedulerName =
  | 'StepLR'
  | 'MultiStepLR'
  | 'ConstantLR'
  | 'LinearLR'
  | 'ExponentialLR'
  | 'CosineAnnealingLR'
  | 'CosineAnnealingWarmRestarts'
  | 'OneCycleLR'
  | 'CyclicLR'
  | 'PolynomialLR'
  | 'ReduceLROnPlateau'
  | 'LambdaLR'
  | 'SequentialLR'
  | 'ChainedScheduler';

export type SchedulerOption = number | string | boolean | null | readonly number[];

/** What LambdaLR multiplies by: up to 1 over `warmup` steps, then as named down to 0 at `total`. */
export interface WarmUp {
  readonly after: 'constant' | 'linear' | 'cosine';
  readonly warmup: number;
  /** Unused after a constant. */
  readonly total: number;
}

export interface SchedulerSettings {
  readonly name: SchedulerName;
  /** Arguments of the constructor by torch's names; what is left out has torch's default. */
  readonly options: Readonly<Record<string, SchedulerOption>>;
  /** Of LambdaLR. */
  readonly lambda?: WarmUp;
  /** Of SequentialLR and ChainedScheduler. */
  readonly schedulers?: readonly SchedulerSettings[];
}
