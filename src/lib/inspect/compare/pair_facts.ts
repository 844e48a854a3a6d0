/** What two tensors that are compared are beside their numbers, where that is not the same. */
import { isContiguous, type Quantization, type Tensor } from '#lib/checkpoint/tensor.ts';
import type { Fact } from './facts.ts';

/** A tensor of a side, with what it takes the whole side to know. */
export interface Described {
  readonly tensor: Tensor;
  /** Another name of the same elements; null where there is none. */
  readonly tiedWith: string | null;
  /** Whether its file says of tensors whether they are parameters and require gradients. */
  readonly hasAttributes: boolean;
}

export function pairFacts(a: Described, b: Described): Fact[] {
  const facts: Fact[] = [];
  const differ = (label: string, one: string, other: string) => {
    if (one !== other) facts.push({ label, a: one, b: other });
  };
  const [one, other] = [quantizationOf(a.tensor), quantizationOf(b.tensor)];
  for (const label of new Set([...one.keys(), ...other.keys()])) {
    differ(label, one.get(label) ?? 'none', other.get(label) ?? 'none');
  }
  if (a.hasAttributes && b.hasAttributes) {
    differ('requires_grad', python(a.tensor.requiresGrad), python(b.tensor.requiresGrad));
    differ('nn.Parameter', python(a.tensor.parameter), python(b.tensor.parameter));
  }
  differ('memory format', memoryFormat(a.tensor), memoryFormat(b.tensor));
  if ((a.tiedWith === null) !== (b.tiedWith === null)) {
    differ('tied with', a.tiedWith ?? 'none', b.tiedWith ?? 'none');
  }
  return facts;
}

const python = (value: boolean) => (value ? 'True' : 'False');

/** What the integers stand for; the scales of channels are tensors, and compared as such. */
function quantizationOf({ quantization }: Tensor): Map<string, string> {
  if (!quantization) return new Map();
  const facts = new Map([['qscheme', quantization.scheme as string]]);
  for (const [label, text] of parametersOf(quantization)) facts.set(label, text);
  return facts;
}

function parametersOf(quantization: Quantization): [string, string][] {
  if (quantization.scheme !== 'per_tensor_affine') return [['axis', String(quantization.axis)]];
  const { scale, zeroPoint } = quantization;
  return [
    ['scale', String(scale)],
    ['zero_point', String(zeroPoint)],
  ];
}

/** As `Tensor.is_contiguous` tells them apart; strides where it is none of them. */
function memoryFormat(tensor: Tensor): string {
  if (isContiguous(tensor)) return 'contiguous';
  const { shape, strides } = tensor;
  const names = { 4: 'channels_last', 5: 'channels_last_3d' } as const;
  const name = names[shape.length as 4 | 5] as string | undefined;
  const moved = (sizes: readonly number[]) => [sizes[0]!, ...sizes.slice(2), sizes[1]!];
  if (name !== undefined && isContiguous({ shape: moved(shape), strides: moved(strides) })) {
    return name;
  }
  return `strides (${strides.join(', ')})`;
}
