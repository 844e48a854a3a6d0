/**
 * How the files of a source have to lie for Python itself to find their imports. The lab finds them
 * wherever they were dropped; Python looks into the folders that it is told of.
 */
import { walk } from 'py-ast';
import { standardLibraries } from './python/libraries.ts';
import { parseFile, type ParsedFile } from './python/parse.ts';
import { SourceTree } from './source_tree.ts';
import type { SourceFile } from './source.ts';

export interface ImportRoots {
  /** Folders for `sys.path`; the empty one is that of all files. */
  readonly roots: readonly string[];
  /** Where a file has to lie that was dropped without its folders, by its name. */
  readonly moved: ReadonlyMap<string, string>;
}

/** Files that cannot be parsed say nothing: they are not the model's. */
export function importRoots(files: readonly SourceFile[]): ImportRoots {
  const parsed = files.flatMap((file) => parsedOr(file));
  const tree = new SourceTree(parsed);
  const libraries = standardLibraries();
  const isLibrary = (path: string) => {
    const top = path.split('.')[0]!;
    return top === 'torch' || libraries.has(top);
  };
  const roots = new Set<string>();
  const moved = new Map<string, string>();
  for (const file of parsed) {
    for (const path of absoluteImports(file)) {
      const found = isLibrary(path) ? undefined : tree.absolute(file.name, path);
      if (!found) continue;
      if (found.path === path || found.path.endsWith(`.${path}`)) {
        roots.add(found.path.slice(0, -path.length - 1).replaceAll('.', '/'));
      } else if (found.file) {
        moved.set(found.file.name, `${path.replaceAll('.', '/')}.py`);
        roots.add('');
      }
    }
  }
  return { roots: [...roots], moved };
}

function parsedOr({ name, text }: SourceFile): ParsedFile[] {
  try {
    return [parseFile(name, text)];
  } catch {
    return [];
  }
}

function absoluteImports({ body }: ParsedFile): Set<string> {
  const paths = new Set<string>();
  for (const statement of body) {
    for (const node of walk(statement)) {
      if (node.nodeType === 'Import') for (const { name } of node.names) paths.add(name);
      if (node.nodeType === 'ImportFrom' && (node.level ?? 0) === 0 && node.module) {
        paths.add(node.module);
      }
    }
  }
  return paths;
}
