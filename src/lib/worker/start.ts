/**
 * Starts workers from a `blob:` module that imports the built file. A worker started from
 * its own URL takes its policy from that response's headers, and static hosts send none; a blob
 * worker inherits the page's Content Security Policy, so nothing in it can reach another origin.
 */
/** Named in the page's `trusted-types` directive. */
const policyName = 'weightroom-worker';

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): string };
}

let trust: ((url: string) => string) | undefined;

/** Lets a `blob:` URL that was made here through Trusted Types, and nothing else. */
function trusted(url: string): string {
  if (!trust) {
    const types = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
    const createScriptURL = (input: string) => {
      if (!input.startsWith(`blob:${location.origin}/`)) {
        throw new TypeError(`worker: ${input} is not a blob of this page`);
      }
      return input;
    };
    const policy = types?.createPolicy(policyName, { createScriptURL });
    trust = policy ? (input) => policy.createScriptURL(input) : createScriptURL;
  }
  return trust(url);
}

/** Starts the worker whose built file is `entry`, from a page or from another worker. */
export function startModule(entry: string, name: string): Worker {
  // A worker from a blob has an address that nothing can be relative to.
  const module = new URL(entry, location.protocol === 'blob:' ? import.meta.url : location.href)
    .href;
  const source = new Blob([`import ${JSON.stringify(module)};`], { type: 'text/javascript' });
  const url = URL.createObjectURL(source);
  const worker = new Worker(trusted(url), { type: 'module', name });
  // The worker fetches the blob asynchronously, so it is let go only after the first message.
  worker.addEventListener('message', () => URL.revokeObjectURL(url), { once: true });
  return worker;
}
