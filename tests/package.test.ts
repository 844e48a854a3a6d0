/** Dependencies are few, chosen and pinned: a change of this list is a decision. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

interface Package {
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
}

const root = resolve(import.meta.dirname, '..');
const { dependencies, devDependencies } = JSON.parse(
  readFileSync(resolve(root, 'package.json'), 'utf8'),
) as Package;

test('what the app is built from', () => {
  expect(Object.keys(dependencies).sort()).toEqual([
    '@codemirror/commands',
    '@codemirror/lang-python',
    '@codemirror/language',
    '@codemirror/lint',
    '@codemirror/search',
    '@codemirror/state',
    '@codemirror/view',
    '@huggingface/tokenizers',
    '@lezer/highlight',
    '@tensorflow-models/mobilenet',
    '@tensorflow/tfjs',
    '@tensorflow/tfjs-backend-cpu',
    '@tensorflow/tfjs-backend-webgl',
    '@tensorflow/tfjs-backend-webgpu',
    '@tensorflow/tfjs-core',
    'hash-wasm',
    'idb',
    'jszip',
    'pure-rand',
    'py-ast',
    'uplot',
  ]);
});

test('what builds and tests it', () => {
  expect(Object.keys(devDependencies).sort()).toEqual([
    '@axe-core/playwright',
    '@eslint/js',
    '@sveltejs/adapter-static',
    '@sveltejs/kit',
    '@sveltejs/vite-plugin-svelte',
    '@types/node',
    '@webgpu/types',
    'eslint',
    'eslint-config-prettier',
    'eslint-plugin-svelte',
    'fast-check',
    'globals',
    'mnist',
    'node',
    'playwright-core',
    'prettier',
    'prettier-plugin-svelte',
    'sirv',
    'svelte',
    'svelte-check',
    'typescript',
    'typescript-eslint',
    'vite',
    'vitest',
    'webgpu',
  ]);
});

test('every version is exact', () => {
  const all = Object.entries({ ...dependencies, ...devDependencies });
  expect(all.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});

test('the members of tfjs have one version', () => {
  const versions = Object.entries(dependencies).filter(([name]) => name.startsWith('@tensorflow/'));
  expect(new Set(versions.map(([, version]) => version)).size).toBe(1);
});
