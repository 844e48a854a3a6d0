/** A page that has a worker keep a run, without the app around it. */
import type { Ask, Told } from './keeping.worker.ts';

const worker = new Worker(new URL('./keeping.worker.ts', import.meta.url), { type: 'module' });
const waiting = new Map<number, (told: Told) => void>();
let lastId = 0;
worker.onmessage = ({ data: { id, told } }: MessageEvent<{ id: number; told: Told }>) => {
  waiting.get(id)?.(told);
  waiting.delete(id);
};

const keeping = {
  ask(ask: Ask): Promise<Told> {
    const id = ++lastId;
    return new Promise((resolve) => {
      waiting.set(id, resolve);
      worker.postMessage({ id, ask });
    });
  },
  /** Keeps one state after the other without end, and says in the console which are kept. */
  async forever(from: number): Promise<void> {
    for (let step = from; ; step++) {
      const told = await keeping.ask({ kind: 'keep', step });
      console.log(JSON.stringify(told.error ? { error: told.error } : { step }));
    }
  },
  end: () => worker.terminate(),
};

export type Keeping = typeof keeping;
Object.assign(globalThis, { keeping });
