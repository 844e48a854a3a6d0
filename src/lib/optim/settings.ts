/** Optimizer and GradScaler as plain JSON: torch.optim's names and arguments, `None` as null. */
import type { OptimizerName } from '#lib/checkpoint/optimizer.ts';

export type OptionValue = number | boolean | null | readonly number[];

export interface OptimizerSettings {
  readonly name: OptimizerName;
  /** By torch's names: `lr`, `weight_decay`, `betas`; what is left out has torch's default. */
  readonly options: Readonly<Record<string, OptionValue>>;
  /**
   * param_groups with options of their own, by globs over parameter keys; a parameter goes to the
   * first that fits, what fits none to a last group with `options`.
   */
  readonly groups: readonly {
    readonly parameters: readonly string[];
    readonly options: Readonly<Record<string, OptionValue>>;
  }[];
}

/** Arguments of torch.amp.GradScaler. */
export interface ScalerSettings {
  readonly init_scale: number;
  readonly growth_factor: number;
  readonly backoff_factor: number;
  readonly growth_interval: number;
}
