/** What formats without a structure of their own can hold: tensors by their names. */
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, isSparse, isTensor, type Value } from '#lib/checkpoint/value.ts';

/** A reason not to write. `format` is the name of it. */
export function unwritable(
  format: string,
  code: string,
  message: string,
  advice: string,
): FindingError {
  return new FindingError({
    code: `${format}-write-${code}`,
    message: `${format}: ${message}`,
    advice,
  });
}

/**
 * The tensors of a dict in its order, where it holds nothing else and has strings for keys; else a
 * FindingError. Dicts in it are not joined to longer names: read back, they would be another tree.
 */
export function flatTensors(root: Value, format: string): [string, Tensor][] {
  const refuse = (message: string) =>
    unwritable(
      format,
      'flat',
      message,
      'The format holds tensors by their names and nothing else: convert it on the Edit page, or save as .pt.',
    );
  if (!(root instanceof Dict)) throw refuse('only a dict of tensors can be written');
  return [...root.entries()].map(([key, value]) => {
    if (typeof key !== 'string') throw refuse(`the key ${keyText(key)} is no string`);
    const name = JSON.stringify(key);
    if (isSparse(value)) throw refuse(`the tensor at ${name} is ${value.layout}`);
    if (!isTensor(value)) throw refuse(`the value at ${name} is no tensor`);
    return [key, value];
  });
}

function keyText(key: Value): string {
  return typeof key === 'object' && key !== null ? `of kind ${key.kind}` : String(key);
}

/** Compares texts as Rust and Python do, where JavaScript would put surrogates too early. */
export function inOrderOfCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const [one, two] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (one !== two) return rank(one) - rank(two);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all that one unit holds. */
function rank(unit: number): number {
  return (unit & 0xf800) === 0xd800 ? unit + 0x10000 : unit;
}
