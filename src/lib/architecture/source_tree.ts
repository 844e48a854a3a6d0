/**
 * Which of the given files an import means. Files have paths, as a folder or a zip gives them, and
 * people drop folders at any depth: `from models.blocks import Block` has to find
 * `Project-main/models/blocks.py`. Paths are only compared as text; nothing is looked up on a disk.
 */
import type { ParsedFile } from './python/parse.ts';

/** What a dotted path leads to: a file, or a folder of files, which is a package. */
export interface Located {
  /** Dotted, from the top of what was given: `project.models.blocks`. */
  readonly path: string;
  /** The module's own file, or the package's `__init__.py`; null for a folder without one. */
  readonly file: ParsedFile | null;
}

export class SourceTree {
  readonly #files = new Map<string, ParsedFile>();
  readonly #packages = new Set<string>();

  constructor(files: readonly ParsedFile[]) {
    for (const file of files) {
      const path = modulePath(file.name);
      if (!this.#files.has(path)) this.#files.set(path, file);
      const parts = path.split('.');
      if (isPackage(file.name)) this.#packages.add(path);
      for (let end = 1; end < parts.length; end++)
        this.#packages.add(parts.slice(0, end).join('.'));
    }
  }

  /** `from ..ops.misc import x` in `from` has the level 2 and the path `ops.misc`. */
  relative(from: string, level: number, path: string): Located | undefined {
    const base = modulePath(from).split('.');
    // A package's own file is already at its level.
    const up = level - (isPackage(from) ? 1 : 0);
    if (up > base.length) return undefined;
    const parts = [...base.slice(0, base.length - up), ...(path === '' ? [] : path.split('.'))];
    return this.at(parts.join('.'));
  }

  /**
   * `import a.b` in `from`: from the folder of the file that imports or one above it, as if Python
   * had been started there; else the only place whose path ends in `a.b`; else the only file that
   * is called `b.py`, for files that were given without their folders.
   */
  absolute(from: string, path: string): Located | undefined {
    const folders = modulePath(from).split('.').slice(0, -1);
    for (let depth = folders.length; depth >= 0; depth--) {
      const found = this.at([...folders.slice(0, depth), path].join('.'));
      if (found) return found;
    }
    return this.#endingIn(path) ?? this.#endingIn(path.split('.').at(-1)!, true);
  }

  /** A file or package by its whole path. */
  at(path: string): Located | undefined {
    const file = this.#files.get(path);
    if (file) return { path, file };
    return this.#packages.has(path) ? { path, file: null } : undefined;
  }

  #endingIn(path: string, filesOnly = false): Located | undefined {
    const all = filesOnly ? [...this.#files.keys()] : [...this.#files.keys(), ...this.#packages];
    const found = new Set(all.filter((known) => known === path || known.endsWith(`.${path}`)));
    return found.size === 1 ? this.at([...found][0]!) : undefined;
  }
}

/** `unet/parts.py` is `unet.parts`, `unet/__init__.py` is `unet`. */
export function modulePath(file: string): string {
  return file
    .replaceAll('\\', '/')
    .replace(/^(\.?\/)+/, '')
    .replace(/\.py$/, '')
    .replace(/(^|\/)__init__$/, '')
    .replaceAll('/', '.');
}

function isPackage(file: string): boolean {
  return /(^|[\\/])__init__\.py$/.test(file);
}
