import adapter from '@sveltejs/adapter-static';
import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vitest/config';

/** Static hosts serve the app below a sub-path (`/weightroom`); BASE_PATH says which. */
const base = (process.env.BASE_PATH ?? '') as '' | `/${string}`;

export default defineConfig({
  plugins: [
    sveltekit({
      adapter: adapter({ strict: true }),
      files: { assets: 'public' },
      paths: { base, relative: true },
    }),
  ],
  worker: { format: 'es' },
  test: {
    environment: 'node',
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
