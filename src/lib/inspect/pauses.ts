/** Milliseconds of work after which messages are let in: a click or an abort waits no longer. */
const PAUSE_EVERY = 30;

/**
 * Breaks for work that waits for nothing: to be awaited between steps that take milliseconds each. It
 * lets others have their turn where it is time, and throws where the work was aborted.
 */
export function pauses(signal?: AbortSignal): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < PAUSE_EVERY) return;
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    since = performance.now();
  };
}
