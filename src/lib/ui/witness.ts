/**
 * Remembers which file is being parsed where a crash of the page leaves it: a browser that runs out
 * of memory ends the page with its worker, and only the page that is loaded next can tell.
 */
import type { LabClient } from '#lib/worker/client.ts';

const key = 'weightroom-parsing';

/** Calls `told` with the file that the page before this one ended at. Gives a way to stop. */
export function witness(client: LabClient, told: (files: string) => void): () => void {
  const storage = storageOf();
  const left = storage?.getItem(key);
  const forget = () => storage?.removeItem(key);
  forget();
  if (left) told(left);
  client.onParsing = (files) => {
    if (files.length > 0) storage?.setItem(key, files.join(', '));
    else forget();
  };
  // A page that is closed or reloaded says so; one that crashes does not.
  addEventListener('pagehide', forget);
  return () => {
    client.onParsing = () => {};
    removeEventListener('pagehide', forget);
  };
}

/** Storage may be switched off: then nothing is remembered. */
function storageOf(): Storage | null {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}
