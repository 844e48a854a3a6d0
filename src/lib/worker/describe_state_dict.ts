import { numel } from '#lib/checkpoint/tensor.ts';
import { isTensor } from '#lib/checkpoint/value.ts';
import type { StateDictCandidate } from '#lib/architecture/binding.ts';
import { pythonKey } from '#lib/inspect/repr.ts';
import type { OpenedCheckpoint } from './protocol.open.ts';

/** A dict of tensors as the page lists it. */
export function describeStateDict({
  path,
  dict,
}: StateDictCandidate): OpenedCheckpoint['stateDicts'][number] {
  const tensors = [...dict.values()].filter(isTensor);
  return {
    label: path.map((key) => `[${pythonKey(key)}]`).join('') || 'the whole file',
    tensors: tensors.length,
    elements: tensors.reduce((sum, { shape }) => sum + numel(shape), 0),
  };
}
