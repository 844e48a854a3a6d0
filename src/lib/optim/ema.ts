import { FindingError } from '#lib/checkpoint/finding.ts';
import { element, lerp, Numbers, type Term } from '#lib/runtime/kernels/formula.ts';
import type { Model, Weights } from '#lib/runtime/model.ts';
import * as tf from '#lib/runtime/tf.ts';

/**
 * An exponential moving average of a model's weights, as torch's
 * `AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))` keeps it: the first update copies
 * the model, later ones average its parameters and copy its buffers.
 */
export class Ema {
  readonly #numbers: Numbers<'weight'>;
  readonly #averages = new Map<string, tf.Tensor>();
  #counters: ReadonlyMap<string, bigint> = new Map();

  /** Throws a FindingError for a decay outside of 0 to 1. */
  constructor(decay: number) {
    if (!(decay >= 0 && decay <= 1)) {
      throw new FindingError({
        code: 'ema-settings',
        message: `ema: decay is ${decay}, expected 0 to 1`,
        advice: 'Correct the setting; 0.999 is usual.',
      });
    }
    this.#numbers = new Numbers({ weight: 1 - decay });
  }

  /** An average that goes on from kept weights. Throws an Error where one of the model's is missing. */
  static restore(decay: number, model: Model, { floats, counters }: Weights): Ema {
    const ema = new Ema(decay);
    try {
      for (const [key, { shape }] of [...model.parameters, ...model.buffers]) {
        const values = floats.get(key);
        if (values) ema.#replace(key, tf.tensor(values, shape, 'float32'));
        else throw new Error(`ema: the kept average lacks ${key}`);
      }
      ema.#counters = new Map(counters);
      return ema;
    } catch (error) {
      ema.dispose();
      throw error;
    }
  }

  /** Takes the model as it is after a step. */
  update(model: Model): void {
    for (const [key, parameter] of model.parameters) {
      const average = this.#averages.get(key);
      const next = average
        ? this.#average(element(average), element(parameter))
        : tf.clone(parameter);
      this.#replace(key, next);
    }
    for (const [key, buffer] of model.buffers) this.#replace(key, tf.clone(buffer));
    this.#counters = new Map(model.counters);
  }

  #average(average: Term, parameter: Term): tf.Tensor {
    return tf.tidy(
      () =>
        this.#numbers.compute({ next: lerp(average, parameter, this.#numbers.terms.weight) }).next!,
    );
  }

  #replace(key: string, tensor: tf.Tensor): void {
    this.#averages.get(key)?.dispose();
    this.#averages.set(key, tf.keep(tensor));
  }

  /** Reads the average of `model` back, tied keys as the model's own; null before the first update. */
  async read(model: Model): Promise<Weights | null> {
    if (this.#averages.size === 0) return null;
    return model.read({ tensors: this.#averages, counters: this.#counters });
  }

  dispose(): void {
    tf.dispose([...this.#averages.values()]);
    this.#averages.clear();
    this.#numbers.dispose();
  }
}
