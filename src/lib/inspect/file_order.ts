import type { Tensor } from '#lib/checkpoint/tensor.ts';

/** The places of tensors in the order in which their files have them; files in the order of the list. */
export function fileOrder(tensors: readonly Pick<Tensor, 'storage' | 'offset'>[]): number[] {
  const files = new Map<object, number>();
  const keys = tensors.map(({ storage: { place }, offset }, at) => {
    // Storages that do not lie in one place stand by themselves, where the list has them.
    const file = place?.file ?? { at };
    const number = files.get(file) ?? files.size;
    files.set(file, number);
    return [number, place?.at ?? 0, offset] as const;
  });
  return [...tensors.keys()].sort((a, b) => {
    const [first, second] = [keys[a]!, keys[b]!];
    const part = first.findIndex((value, at) => value !== second[at]);
    return part < 0 ? a - b : first[part]! - second[part]!;
  });
}
