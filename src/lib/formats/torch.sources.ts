/**
 * The Python sources that modules carry which were saved whole before 1.6: a class is pickled as a
 * persistent id with its name, its file and its source (torch/serialization.py, `persistent_id` in
 * `_legacy_save`). They are kept as text; the class stands in the tree as the name that it is.
 */
import type { ClassSource } from '#lib/checkpoint/checkpoint.ts';
import type { Finding } from '#lib/checkpoint/finding.ts';
import type { Global, Value } from '#lib/checkpoint/value.ts';
import { listed } from './folder.files.ts';
import { broken, isGlobal, told } from './torch.storages.ts';

/** Classes whose source is kept; the largest models have some hundred. */
const MAX_SOURCES = 1000;
/** Characters of all sources together: classes have a few thousand each. */
const MAX_TEXT = 16 * 2 ** 20;

/** Whether a persistent id is one of a class, and not of a storage or a tensor. */
export function namesClass(id: Value): boolean {
  return isGlobal(partsOf(id)[0]);
}

/** The class and what follows it; tar files have no word in front. */
function partsOf(id: Value): readonly Value[] {
  const items = typeof id === 'object' && id?.kind === 'tuple' ? id.items : [];
  return items[0] === 'module' ? items.slice(1) : items;
}

export class ClassSources {
  readonly list: ClassSource[] = [];
  #text = 0;
  #dropped = 0;

  /** Takes `(class, file, source)`, of which file and source may be None; gives the class. */
  take(id: Value): Global {
    const [named, file, text] = partsOf(id);
    if (!isGlobal(named)) throw broken(`a class is ${told(named)}, expected a name`);
    // PyTorch takes no notice of classes whose source it could not find.
    if (typeof file !== 'string' || typeof text !== 'string' || !file || !text) return named;
    this.#text += text.length;
    if (this.list.length >= MAX_SOURCES || this.#text > MAX_TEXT) this.#dropped++;
    else this.list.push({ name: `${named.module}.${named.name}`, file, text });
    return named;
  }

  findings(): Finding[] {
    const count = this.list.length + this.#dropped;
    if (count === 0) return [];
    const left = this.#dropped > 0 ? `; ${this.#dropped} were left out as too large` : '';
    return [
      {
        code: 'torch-sources',
        severity: 'info',
        message: `torch: the file carries the Python source of ${count} ${count === 1 ? 'class' : 'classes'}: ${listed(this.list.map(({ name }) => name))}${left}`,
        advice: 'It is kept as text and never run. PyTorch compares it with the installed class.',
      },
    ];
  }
}
