import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import adapter from '@sveltejs/adapter-static';
import { sveltekit, type Config } from '@sveltejs/kit/vite';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import manifest from './package.json' with { type: 'json' };

/** Static hosts serve the app below a sub-path (`/weightroom`); BASE_PATH says which. */
const base = (process.env.BASE_PATH ?? '') as '' | `/${string}`;

/**
 * Nothing leaves the origin and no string becomes code. Kit adds the hash of its start script and
 * writes the policy into each page. The worker inherits it: see src/lib/worker/start.ts.
 */
const policy: NonNullable<Config['csp']>['directives'] = {
  'default-src': ['none'],
  'script-src': ['self', 'wasm-unsafe-eval'],
  'style-src': ['self'],
  // The one inline style: the box around Kit's announcer of page titles for screen readers.
  'style-src-attr': ['unsafe-hashes', 'sha256-S8qMpvofolR8Mpjy4kQvEm7m1q8clzU4dfDH0AmvZjo='],
  'img-src': ['self'],
  'font-src': ['self'],
  'connect-src': ['self'],
  'manifest-src': ['self'],
  'worker-src': ['self', 'blob:'],
  'form-action': ['none'],
  'base-uri': ['none'],
  'require-trusted-types-for': ['script'],
  'trusted-types': ['svelte-trusted-html', 'sveltekit-trusted-url', 'weightroom-worker'],
};

/**
 * `virtual:worker-files` for the service worker: what the lab's worker is made of. Kit's manifest
 * names its entry only, not the chunks that it loads later. By then the client build is on disk.
 */
const workerFiles: Plugin = {
  name: 'worker-files',
  resolveId: (id) => (id === 'virtual:worker-files' ? `\0${id}` : undefined),
  load(id) {
    if (id !== '\0virtual:worker-files') return;
    const folder = '_app/immutable/workers';
    const files = readdirSync(join('.svelte-kit/output/client', folder), {
      recursive: true,
      encoding: 'utf8',
    });
    const scripts = files.filter((file) => file.endsWith('.js'));
    const paths = scripts.map((file) => `${folder}/${file.replaceAll('\\', '/')}`);
    return `export default ${JSON.stringify(paths)};`;
  },
};

export default defineConfig({
  define: { __APP_VERSION__: JSON.stringify(manifest.version) },
  plugins: [
    workerFiles,
    sveltekit({
      adapter: adapter({ strict: true }),
      files: { assets: 'public' },
      paths: { base, relative: true },
      csp: { mode: 'hash', directives: policy },
      version: { pollInterval: 0 },
    }),
  ],
  worker: { format: 'es' },
  test: {
    environment: 'node',
    // In Node, tfjs's `main` is a bundle: a second copy beside the modules that the app imports.
    server: { deps: { inline: [/@tensorflow\//] } },
    alias: [
      {
        find: /^(@tensorflow\/tfjs-[a-z-]+)$/,
        replacement: `${import.meta.dirname}/node_modules/$1/dist/index.js`,
      },
    ],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'tests/*.test.ts'],
          testTimeout: 30_000,
          maxWorkers: '100%',
        },
      },
      {
        extends: true,
        // While one file waits for Python, another can compute.
        test: {
          name: 'parity',
          include: ['tests/parity/**/*.test.ts'],
          globalSetup: ['tests/parity/matrix.table.ts', 'tests/parity/ops/table.ts'],
          testTimeout: 300_000,
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['tests/browser/**/*.test.ts'],
          testTimeout: 300_000,
          // Hooks open the app and its samples.
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
