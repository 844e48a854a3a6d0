/**
 * The rooms of the house: which folder may import which. A folder that is not in the table fails,
 * so that a new one is a decision. Imports are relative inside a room and `#lib/…` across.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const src = resolve(import.meta.dirname, '../src');

/** What a folder may import: other folders or single files, and packages. */
interface Room {
  readonly rooms: readonly string[];
  readonly packages?: readonly string[];
  /** Types may come from every folder. */
  readonly types?: true;
}

const above = ['file', 'checkpoint', 'pickle', 'formats', 'inspect', 'edit', 'architecture'];
const rooms: Record<string, Room> = {
  file: { rooms: [], packages: ['hash-wasm'] },
  checkpoint: { rooms: ['file/read_ahead'] },
  pickle: { rooms: ['file', 'checkpoint'] },
  formats: { rooms: ['file', 'checkpoint', 'pickle'] },
  inspect: { rooms: ['file', 'checkpoint', 'pickle', 'formats', 'edit/rename'] },
  edit: { rooms: ['checkpoint', 'file/read_ahead', 'formats/json'] },
  // pure-rand: first values come from torch's own generator.
  architecture: {
    rooms: ['file', 'checkpoint', 'pickle', 'edit'],
    packages: ['py-ast', 'pure-rand/*'],
  },
  runtime: { rooms: ['architecture', 'checkpoint'], packages: ['@tensorflow/*'] },
  optim: { rooms: ['runtime', 'checkpoint'] },
  inputs: {
    rooms: ['file', 'formats', 'checkpoint'],
    packages: [
      'hash-wasm',
      'jszip',
      'pure-rand/*',
      '@huggingface/tokenizers',
      '@tensorflow-models/*',
    ],
  },
  training: { rooms: ['optim', 'runtime', 'inputs', 'checkpoint', 'architecture/edits'] },
  export: {
    rooms: ['training', 'optim', 'inputs', 'architecture', 'formats', 'edit', 'checkpoint'],
    packages: ['jszip'],
  },
  storage: { rooms: ['file', 'checkpoint/finding'], packages: ['idb'] },
  worker: { rooms: [...above, 'runtime', 'optim', 'inputs', 'training', 'export', 'storage'] },
  ui: {
    rooms: [
      ...['worker/client', 'worker/protocol', 'storage'],
      ...['checkpoint/glob', 'checkpoint/figures', 'inspect/safety/tone'],
    ],
    packages: [
      ...['svelte', 'svelte/*', '$app/*', 'uplot', 'uplot/*'],
      ...['@codemirror/*', '@lezer/highlight'],
    ],
    types: true,
  },
  routes: { rooms: ['ui'], packages: ['svelte', 'svelte/*', '$app/*'] },
};
/** What unit tests may import beyond their folder's own row. */
const forTests = ['vitest', 'fast-check', 'node:*'];

interface Import {
  readonly specifier: string;
  readonly isType: boolean;
  /** Of a `new URL`, which knows no `#lib`. */
  readonly isUrl?: boolean;
}

/** Import lines, dynamic imports, `import('…')` types and `new URL('…', import.meta.url)`. */
function importsOf(code: string): Import[] {
  const found: Import[] = [];
  const add = (node: ts.Node | undefined, isType: boolean, isUrl = false) => {
    if (node && ts.isStringLiteralLike(node)) found.push({ specifier: node.text, isType, isUrl });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    } else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, true);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false);
    } else if (ts.isNewExpression(node) && /^URL$/.test(node.expression.getText(file))) {
      if (node.arguments?.[1]?.getText(file) === 'import.meta.url') {
        add(node.arguments[0], false, true);
      }
    }
    ts.forEachChild(node, visit);
  };
  const file = ts.createSourceFile('file.ts', code, ts.ScriptTarget.Latest);
  visit(file);
  return found;
}

/** Scripts of a Svelte component; everything of a TypeScript file. */
function scriptsOf(path: string): string {
  const text = readFileSync(path, 'utf8');
  if (!path.endsWith('.svelte')) return text;
  return [...text.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map((match) => match[1]).join();
}

/** `pickle/read` for `src/lib/pickle/read.ts`; `routes/…` for pages; null outside of both. */
function placeOf(path: string): string | null {
  const place = relative(src, path).replace(/(\.svelte)?\.ts$/, '');
  if (place.startsWith('lib/')) return place.slice(4);
  return place.startsWith('routes/') ? place : null;
}

const matches = (name: string, patterns: readonly string[]) =>
  patterns.some((it) => (it.endsWith('*') ? name.startsWith(it.slice(0, -1)) : name === it));

/** Says what is wrong with an import, or gives null. */
function judge(path: string, { specifier, isType, isUrl }: Import): string | null {
  const isTest = path.endsWith('.test.ts');
  const room = placeOf(path)?.split('/')[0] ?? '';
  const rule = rooms[room];
  if (!rule || !placeOf(path)?.includes('/')) return `${room} is not a room of the house`;
  if (!/^(\.|#lib\/)/.test(specifier)) {
    const allowed = [...(rule.packages ?? []), ...(isTest ? forTests : [])];
    return matches(specifier, allowed) ? null : `${room} must not import ${specifier}`;
  }
  const target = specifier.startsWith('#lib/')
    ? join(src, 'lib', specifier.slice(5))
    : join(dirname(path), specifier);
  if (isTest && target.startsWith(import.meta.dirname)) return null;
  const place = placeOf(target);
  if (place === null) return `${room} must not import ${specifier}, which lies outside`;
  const other = place.split('/')[0] ?? '';
  if (!rooms[other] || !place.includes('/')) return `${other} is not a room of the house`;
  if (other !== room && !specifier.startsWith('#lib/') && !isUrl) {
    return `write ${specifier} as #lib/${relative(join(src, 'lib'), target)}`;
  }
  if (other === room || rule.rooms.includes(other) || rule.rooms.includes(place)) return null;
  if (isType && rule.types) return null;
  return `${room} must not import ${specifier}`;
}

const files = ['lib', 'routes'].flatMap((folder) =>
  readdirSync(join(src, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|js|svelte)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name)),
);

describe('layers', () => {
  test('every folder is a room and imports only what its row names', () => {
    const problems = files.flatMap((path) => {
      const where = relative(src, path);
      // A file without imports must still lie in a room.
      const all = [{ specifier: './itself.ts', isType: false }, ...importsOf(scriptsOf(path))];
      return [...new Set(all.map((it) => judge(path, it)).filter((it) => it !== null))].map(
        (problem) => `${where}: ${problem}`,
      );
    });
    expect(problems).toEqual([]);
  });

  test.each([
    ['lib/file/a.ts', "import { itemsize } from '#lib/checkpoint/dtype.ts'"],
    ['lib/file/a.ts', "export * from '#lib/checkpoint/dtype.ts'"],
    ['lib/pickle/a.ts', "import { itemsize } from '../checkpoint/dtype.ts'"],
    ['lib/file/a.ts', "import 'node:fs'"],
    ['lib/pickle/a.ts', "import type { Format } from '#lib/formats/format.ts'"],
    ['lib/training/a.ts', "const tf = await import('@tensorflow/tfjs-core')"],
    ['lib/ui/a.svelte.ts', "import { start } from '#lib/worker/start.ts'"],
    ['lib/ui/a.ts', "const url = new URL('../worker/lab.worker.ts', import.meta.url)"],
    ['lib/runtime/a.ts', "let x: import('#lib/optim/sgd.ts').Sgd"],
    ['lib/file/a.ts', "import { run } from '../../../tests/run.ts'"],
    ['lib/worker/a.ts', "import Tree from '#lib/ui/Tree.svelte'"],
    ['lib/unknown/a.ts', "import './b.ts'"],
    ['lib/worker/a.ts', "import '#lib/unknown/b.ts'"],
    ['lib/loose.ts', "import '#lib/file/source.ts'"],
    ['routes/+page.ts', "import { client } from '#lib/worker/client.ts'"],
  ])('refuses in %s: %s', (path, code) => {
    expect(importsOf(code).map((it) => judge(join(src, path), it))).toEqual([expect.any(String)]);
  });

  test.each([
    ['lib/ui/a.ts', "import type { Graph } from '#lib/architecture/graph.ts'"],
    ['lib/ui/a.ts', "import { Client } from '#lib/worker/client.ts'"],
    ['lib/runtime/ops/a.ts', "import * as tf from '@tensorflow/tfjs-core'"],
    ['lib/file/a.test.ts', "import { runPython } from '../../../tests/python.ts'"],
    ['lib/worker/a.ts', "const url = new URL('./lab.worker.ts', import.meta.url)"],
    ['routes/train/+page.svelte', "import Page from '#lib/ui/train/TrainPage.svelte'"],
  ])('allows in %s: %s', (path, code) => {
    expect(importsOf(code).map((it) => judge(join(src, path), it))).toEqual([null]);
  });
});
