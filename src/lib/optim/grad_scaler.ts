import { FindingError } from '#lib/checkpoint/finding.ts';
import { dict, isDict, type Dict, type Value } from '#lib/checkpoint/value.ts';
import { element, mul, nonFinite, Numbers } from '#lib/runtime/kernels/formula.ts';
import * as tf from '#lib/runtime/tf.ts';
import type { Gradients } from './gradients.ts';
import type { ScalerSettings } from './settings.ts';

/** torch.amp.GradScaler's defaults. */
export const scalerDefaults: ScalerSettings = {
  init_scale: 65536,
  growth_factor: 2,
  backoff_factor: 0.5,
  growth_interval: 2000,
};

/**
 * torch.amp.GradScaler: the factor that a loss is multiplied by, so that its gradients do not vanish
 * in 16 bits. It shrinks when one of them is no number, and grows when none has been for a while.
 */
export class GradScaler {
  readonly #growthFactor: number;
  readonly #backoffFactor: number;
  readonly #growthInterval: number;
  #scale: number;
  /** Steps in a row without a gradient that is no number. */
  #growthTracker = 0;

  /** Throws a FindingError for factors that torch refuses. */
  constructor(settings: ScalerSettings) {
    this.#scale = Math.fround(settings.init_scale);
    this.#growthFactor = settings.growth_factor;
    this.#backoffFactor = settings.backoff_factor;
    this.#growthInterval = settings.growth_interval;
    const wrong =
      (!(this.#scale > 0) && `init_scale is ${this.#scale}, expected more than 0`) ||
      (!(this.#growthFactor > 1) &&
        `growth_factor is ${this.#growthFactor}, expected more than 1`) ||
      (!(this.#backoffFactor < 1) &&
        `backoff_factor is ${this.#backoffFactor}, expected less than 1`) ||
      (!(Number.isInteger(this.#growthInterval) && this.#growthInterval > 0) &&
        `growth_interval is ${this.#growthInterval}, expected an integer of 1 or more`);
    if (wrong) throw invalid(wrong);
  }

  /** A scaler that goes on from torch's state_dict. Throws a FindingError where it is none. */
  static restore(state: Value): GradScaler {
    if (!isDict(state) || state.size === 0) {
      throw invalid('its state_dict is empty, as that of a disabled scaler');
    }
    const scaler = new GradScaler({
      init_scale: numberOf(state, 'scale'),
      growth_factor: numberOf(state, 'growth_factor'),
      backoff_factor: numberOf(state, 'backoff_factor'),
      growth_interval: numberOf(state, 'growth_interval'),
    });
    scaler.#growthTracker = numberOf(state, '_growth_tracker');
    return scaler;
  }

  /** What the loss is multiplied by. */
  get scale(): number {
    return this.#scale;
  }

  /**
   * Gradients of a scaled loss, divided by the scale, and whether one of them is inf or NaN: 1 or 0,
   * on the backend. The caller disposes both.
   */
  unscale(gradients: Gradients): { gradients: Map<string, tf.Tensor | null>; foundInf: tf.Scalar } {
    const numbers = new Numbers({ inverse: 1 / this.#scale });
    const unscaled = new Map<string, tf.Tensor | null>();
    const foundInf = tf.tidy(() => {
      const found: tf.Tensor[] = [];
      for (const [key, gradient] of gradients) {
        const grad = gradient && element(gradient);
        if (!grad) unscaled.set(key, null);
        else {
          const terms = { odd: nonFinite(grad), result: mul(grad, numbers.terms.inverse) };
          const { odd, result } = numbers.compute(terms);
          found.push(tf.max(odd!));
          unscaled.set(key, tf.keep(result!));
        }
      }
      return found.length > 0 ? tf.max(tf.stack(found)) : tf.scalar(0);
    });
    numbers.dispose();
    return { gradients: unscaled, foundInf: foundInf as tf.Scalar };
  }

  /** Moves the scale after a step, or after one that was left out since `foundInf`. */
  update(foundInf: boolean): void {
    if (foundInf) {
      this.#scale = Math.fround(this.#scale * this.#backoffFactor);
      this.#growthTracker = 0;
      return;
    }
    this.#growthTracker++;
    if (this.#growthTracker !== this.#growthInterval) return;
    const grown = Math.fround(this.#scale * this.#growthFactor);
    if (Number.isFinite(grown)) this.#scale = grown;
    this.#growthTracker = 0;
  }

  /** torch's state_dict. */
  stateDict(): Dict {
    return dict({
      scale: this.#scale,
      growth_factor: this.#growthFactor,
      backoff_factor: this.#backoffFactor,
      growth_interval: BigInt(this.#growthInterval),
      _growth_tracker: BigInt(this.#growthTracker),
    });
  }
}

function numberOf(state: Dict, key: string): number {
  const value = state.get(key);
  if (typeof value !== 'number' && typeof value !== 'bigint') {
    throw invalid(`${key} in its state_dict is no number`);
  }
  return Number(value);
}

function invalid(what: string): FindingError {
  return new FindingError({
    code: 'scaler-settings',
    message: `scaler: ${what}`,
    advice: 'Correct the setting, or start with a fresh scaler.',
  });
}
