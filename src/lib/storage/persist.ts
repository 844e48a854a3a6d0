/**
 * Asks the browser not to clear its own disk when space is short. Only a page can ask; false where
 * it refuses, as it may without telling anyone, and where it cannot be asked.
 */
export async function keepStorage(): Promise<boolean> {
  try {
    return await navigator.storage.persist();
  } catch {
    return false;
  }
}
