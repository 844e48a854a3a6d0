/** What an adapter calls the layers of its model, and what they are called there. */
import type { Dict } from '#lib/checkpoint/value.ts';

/** What wrappers put before the model's own names. */
const WRAPPERS = [/^base_model\.model\./, /^(unet|transformer|text_encoder(_2)?)\./];

/** A name of an adapter, and what it may be called in the model. */
export function namesOf(name: string): string[] {
  const names = [plainName(name)];
  for (const wrapper of WRAPPERS) {
    const last = names.at(-1)!;
    if (wrapper.test(last)) names.push(last.replace(wrapper, ''));
  }
  return names;
}

/** Without what PEFT puts between a layer that has a pair and its own tensors. */
function plainName(name: string): string {
  return name.replace(/\.base_layer\.([^.]+)$/, '.$1');
}

/**
 * What `merge_and_unload` calls a tensor of PEFT's whole model. Null for the original of a module that
 * was trained whole (`modules_to_save`): the trained one takes its place.
 */
export function unwrappedName(name: string): string | null {
  if (/\.original_module\./.test(name)) return null;
  const own = plainName(name).replace(/\.modules_to_save\.[^.]+\./, '.');
  return own.replace(WRAPPERS[0]!, '');
}

/** kohya's scripts write a layer's path with underscores. */
const FLAT = /^lora_(?:unet|te|te1|te2|transformer)_(.+)$/;

/** Keys of weights by the paths of layers. */
export class WeightNames {
  readonly #keys: Dict;
  #flat: Map<string, string> | undefined;

  constructor(dict: Dict) {
    this.#keys = dict;
  }

  of(path: string): string | null {
    for (const name of [path, ...namesOf(path)]) {
      for (const key of [`${name}.weight`, `${name}.base_layer.weight`]) {
        if (this.#keys.has(key)) return key;
      }
    }
    const flat = FLAT.exec(path)?.[1];
    return flat === undefined ? null : (this.#flattened().get(flat) ?? null);
  }

  #flattened(): Map<string, string> {
    if (this.#flat) return this.#flat;
    this.#flat = new Map();
    for (const key of this.#keys.keys()) {
      if (typeof key !== 'string' || !key.endsWith('.weight')) continue;
      this.#flat.set(key.slice(0, -'.weight'.length).replaceAll('.', '_'), key);
    }
    return this.#flat;
  }
}
