/**
 * The model's source as files of the project, and the statements that import and make the model. One
 * file is `model.py`; several lie in `source/` as they lay where they came from.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { importRoots } from '#lib/architecture/import_roots.ts';
import { parseLiteral } from '#lib/architecture/literal.ts';
import type { Candidate, SourceFile } from '#lib/architecture/source.ts';
import { modulePath } from '#lib/architecture/source_tree.ts';
import {
  identifier,
  isIdentifier,
  pythonCall,
  pythonString,
  pythonValue,
} from './python/literal.ts';

/** A model as it was built: what `build` was given, and from which files. */
export interface SourceModel {
  readonly files: readonly SourceFile[];
  /** The file that has the candidate. */
  readonly file: string;
  readonly candidate: string;
  readonly kind: Candidate['kind'];
  /** Python literals by the names of arguments, as they were typed. */
  readonly arguments: Readonly<Record<string, string>>;
}

export interface PythonSource {
  readonly files: readonly { readonly path: string; readonly text: string }[];
  /** `from model import Net`. */
  readonly imports: string;
  /** `Net(classes=10)`. */
  readonly expression: string;
  /** What is put before `sys.path`; null where nothing is. */
  readonly path: string | null;
}

/** `taken` are words that the importing file uses for itself. */
export function pythonSource(model: SourceModel, taken: ReadonlySet<string>): PythonSource {
  const { files, path, module } = arrange(model);
  const names = new Set([identifier(model.candidate)]);
  const local = (name: string) => (taken.has(name) ? `source_${name}` : identifier(name));
  const given = Object.entries(model.arguments).filter(([, text]) => text.trim() !== '');
  const values = given.map(([name, text]) => {
    const value = pythonValue(parseLiteral(text), (global) => {
      names.add(global);
      return local(global);
    });
    return `${identifier(name)}=${value}`;
  });
  const made = local(model.candidate);
  return {
    files,
    path,
    imports: importOf(module, [...names], local),
    expression: model.kind === 'instance' ? made : pythonCall(made, values),
  };
}

function importOf(
  module: string,
  names: readonly string[],
  local: (name: string) => string,
): string {
  if (module.split('.').every(isIdentifier)) {
    const parts = names.map((name) => (local(name) === name ? name : `${name} as ${local(name)}`));
    return `from ${module} import ${parts.join(', ')}`;
  }
  // A folder's name need not be one that an import statement can spell.
  const imported = `importlib.import_module(${pythonString(module)})`;
  return ['import importlib', ...names.map((name) => `${local(name)} = ${imported}.${name}`)].join(
    '\n',
  );
}

/** Which file lies where, and how the one with the model is imported. */
function arrange({ files, file }: SourceModel): {
  files: PythonSource['files'];
  path: string | null;
  module: string;
} {
  if (!files.some(({ name }) => name === file)) {
    throw new FindingError({
      code: 'export-source',
      message: `export: ${file} is not among the files of the source`,
    });
  }
  if (files.length === 1) {
    return { files: [{ path: 'model.py', text: files[0]!.text }], path: null, module: 'model' };
  }
  const { roots, moved } = importRoots(files);
  const place = (name: string) => moved.get(name) ?? name;
  const folders = roots.map((root) =>
    root === '' ? 'HERE / "source"' : `HERE / "source" / ${pythonString(root)}`,
  );
  return {
    files: files.map(({ name, text }) => ({ path: `source/${plain(place(name))}`, text })),
    path:
      roots.length > 0
        ? `sys.path[:0] = [${folders.map((folder) => `str(${folder})`).join(', ')}]`
        : null,
    module: `source.${modulePath(plain(place(file)))}`,
  };
}

/** A path within the project, whatever the file's name tries. */
function plain(path: string): string {
  const parts = path.split(/[\\/]/).filter((part) => part !== '' && !/^\.+$/.test(part));
  return parts.join('/');
}
