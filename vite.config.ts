import adapter from '@sveltejs/adapter-static';
import { sveltekit, type Config } from '@sveltejs/kit/vite';
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

export default defineConfig({
  define: { __APP_VERSION__: JSON.stringify(manifest.version) },
  plugins: [
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
    // tfjs's own `main` is CommonJS, a second copy beside the modules that the app bundles.
    server: { deps: { inline: [/@tensorflow/] } },
    projects: [
      { extends: true, test: { name: 'unit', include: ['src/**/*.test.ts', 'tests/*.test.ts'] } },
      {
        extends: true,
        test: { name: 'parity', include: ['tests/parity/**/*.test.ts'], testTimeout: 300_000 },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['tests/browser/**/*.test.ts'],
          testTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
