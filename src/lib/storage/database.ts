/** What the lab keeps in IndexedDB: handles of files and folders, which outlive the page there. */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import type { RememberedFolder } from './handles.ts';
import type { RecentFiles } from './recent.ts';

interface Schema extends DBSchema {
  folders: { key: string; value: RememberedFolder };
  recent: { key: string; value: RecentFiles };
}

let opened: Promise<IDBPDatabase<Schema>> | undefined;

/** Rejects where the browser keeps no databases. */
export function database(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>('weightroom', 2, {
    upgrade(db, from) {
      if (from < 1) db.createObjectStore('folders', { keyPath: 'id' });
      if (from < 2) db.createObjectStore('recent', { keyPath: 'id' });
    },
    // Another tab removes or renews it, or the browser has closed it: the next call opens it anew.
    blocking: (_current, _next, event) => {
      (event.target as IDBDatabase).close();
      opened = undefined;
    },
    terminated: () => (opened = undefined),
  });
  opened.catch(() => (opened = undefined));
  return opened;
}
