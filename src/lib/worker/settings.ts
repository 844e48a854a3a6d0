/** The settings of a training run, checked and applied to the data. */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { selectExamples, type Dataset, type Examples } from '#lib/inputs/dataset.ts';
import { permutation } from '#lib/inputs/random.ts';
import type { TrainSettings } from './protocol.ts';

/** Seeds are 32 bits wide, as the generator's state takes them. */
const MAX_SEED = 2 ** 32;

/** Throws a FindingError for the first setting that makes no sense. */
export function checkSettings(settings: TrainSettings): void {
  const { epochs, batchSize, learningRate, weightDecay, seed, validationShare } = settings;
  const wrong =
    (!(Number.isSafeInteger(epochs) && epochs > 0) && `epochs is ${epochs}, expected 1 or more`) ||
    (!(Number.isSafeInteger(batchSize) && batchSize > 0) &&
      `batch size is ${batchSize}, expected 1 or more`) ||
    (!(Number.isFinite(learningRate) && learningRate >= 0) &&
      `learning rate is ${learningRate}, expected 0 or more`) ||
    (!(Number.isFinite(weightDecay) && weightDecay >= 0) &&
      `weight decay is ${weightDecay}, expected 0 or more`) ||
    (!(Number.isInteger(seed) && seed >= 0 && seed < MAX_SEED) &&
      `seed is ${seed}, expected an integer from 0 to ${MAX_SEED - 1}`) ||
    (!(validationShare >= 0 && validationShare < 1) &&
      `validation share is ${validationShare}, expected 0 or more and less than 1`);
  if (wrong) {
    throw new FindingError({
      code: 'training-settings',
      message: `training: ${wrong}`,
      advice: 'Correct the setting and start again.',
    });
  }
}

/** The data's own held-out examples, or a share of the training examples, drawn by the seed. */
export function splitExamples(
  data: Dataset,
  { validationShare, seed }: TrainSettings,
): { train: Examples; validation: Examples } {
  if (validationShare === 0 && data.test) return { train: data.train, validation: data.test };
  if (data.train.count < 2) {
    throw new FindingError({
      code: 'training-data',
      message: `training: ${data.name} holds one example, none is left for validation`,
      advice: 'Open data with more examples, or with a test split of its own.',
    });
  }
  const share = validationShare || 0.1;
  const held = Math.min(data.train.count - 1, Math.max(1, Math.round(data.train.count * share)));
  const order = permutation(data.train.count, seed);
  return {
    train: selectExamples(data.train, order.subarray(held)),
    validation: selectExamples(data.train, order.subarray(0, held)),
  };
}
