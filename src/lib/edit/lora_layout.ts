/** Which way round weights lie that adapters are added to: (outputs, inputs), or turned as GPT-2's. */
import { numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import { isTensor, type Dict } from '#lib/checkpoint/value.ts';
import { refused, type LoraPair } from './lora_pairs.ts';

/** A pair and the weight that it belongs to. */
export interface PairedWeight {
  readonly pair: LoraPair;
  readonly key: string;
  readonly weight: Tensor;
}

/** `square` where both ways fit; null where none does. */
type Layout = 'plain' | 'turned' | 'square' | null;

function layoutOf({ pair: { a, b, isEmbedding }, weight: { shape } }: PairedWeight): Layout {
  const rank = a.shape[0] ?? 0;
  if (rank === 0 || [a, b].some((it) => it.shape.length < 2)) return null;
  const [rows, columns] = [numel(b.shape) / rank, numel(a.shape) / rank];
  if (b.shape[0] !== rows) return null;
  const fits = shape[0] === rows && numel(shape) === rows * columns;
  const fitsTurned = shape.length === 2 && shape[0] === columns && shape[1] === rows;
  if (fitsTurned && (isEmbedding || !fits)) return 'turned';
  if (!fits || isEmbedding) return null;
  return fitsTurned ? 'square' : 'plain';
}

/**
 * Whether each weight is turned; null where it does not fit its pair. PEFT goes by the class of the
 * layer, which no file tells. `fan_in_fan_out` is of the layer that was adapted last, so of square
 * weights it is believed as long as no other layer contradicts it; else a FindingError says so.
 */
export function turnedWeights(
  weights: readonly PairedWeight[],
  model: Dict,
  isFanInFanOut: boolean,
): (boolean | null)[] {
  const layouts = weights.map(layoutOf);
  const square = layouts.indexOf('square');
  if (square >= 0) {
    const others = layouts.filter((_, at) => !weights[at]!.pair.isEmbedding);
    const isContradicted = isFanInFanOut
      ? others.includes('plain')
      : others.includes('turned') || hasTurnedLayers(model);
    if (isContradicted) throw unknownLayout(weights[square]!);
  }
  return layouts.map((it) => (it === 'square' ? isFanInFanOut : it && it === 'turned'));
}

function unknownLayout({ key, weight }: PairedWeight) {
  return refused(
    'square',
    `"${key}" is [${weight.shape.join(', ')}], and layers here have their inputs on either axis`,
    'Merge it with PEFT, which knows the classes of the layers.',
  );
}

/** Whether layers have their outputs on the second axis, by those with a bias, which is as long. */
function hasTurnedLayers(model: Dict): boolean {
  for (const [key, weight] of model.entries()) {
    if (typeof key !== 'string' || !key.endsWith('.weight') || !isTensor(weight)) continue;
    const bias = model.get(key.replace(/weight$/, 'bias'));
    const [rows, columns] = weight.shape;
    if (weight.shape.length !== 2 || rows === columns || !isTensor(bias)) continue;
    if (bias.shape.length === 1 && bias.shape[0] === columns) return true;
  }
  return false;
}
