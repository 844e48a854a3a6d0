/**
 * Lets Node itself import what the app imports, for scripts that Vite does not run: tfjs by its
 * modules, which name each other without endings, instead of the bundle that is its `main`, and
 * files as texts (`?raw`).
 */
import { readFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

// Its file for Node asks for `util` this way.
globalThis.require = createRequire(import.meta.url);
// What Vite's configuration defines.
Object.assign(globalThis, { __APP_VERSION__: process.env.npm_package_version });

registerHooks({
  resolve(specifier, context, next) {
    const ofTfjs = context.parentURL?.includes('/node_modules/@tensorflow/') ?? false;
    const bare = /^@tensorflow\/tfjs-[a-z-]+$/.test(specifier);
    const candidates = bare
      ? [`${specifier}/dist/index.js`]
      : ofTfjs && /^\.|^@tensorflow/.test(specifier)
        ? [specifier, `${specifier}.js`, `${specifier}/index.js`]
        : [specifier];
    for (const candidate of candidates.slice(0, -1)) {
      try {
        return next(candidate, context);
      } catch {
        continue;
      }
    }
    return next(candidates.at(-1)!, context);
  },
  load(url, context, next) {
    if (!url.endsWith('?raw')) return next(url, context);
    const text = readFileSync(fileURLToPath(url), 'utf8');
    const source = `export default ${JSON.stringify(text)};`;
    return { format: 'module', source, shortCircuit: true };
  },
});
