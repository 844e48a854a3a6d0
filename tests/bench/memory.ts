/**
 * Memory of all workers of a Chromium, as its debugger tells it: used heap and the bytes behind its
 * ArrayBuffers (`Runtime.getHeapUsage`), summed over every worker and every worker of a worker.
 */

interface Reply {
  id?: number;
  method?: string;
  params?: { sessionId: string; targetInfo: { type: string } };
  result?: { usedSize: number; backingStorageSize: number };
}

/** Milliseconds between two samples. */
const EVERY = 15;
/** Milliseconds in which the debugger finds the workers that are there. */
const FINDING = 500;

/**
 * Bytes at the worst moment while `work` runs. `address` is the WebSocket of the browser itself (its
 * DevToolsActivePort file names it). A debugger makes what it watches slower: nothing is timed here.
 */
export async function peakMemory(address: string, work: () => Promise<unknown>): Promise<number> {
  const memory = await WorkerMemory.attach(address);
  try {
    await new Promise((resolve) => setTimeout(resolve, FINDING));
    return await memory.peakOf(work);
  } finally {
    memory.close();
  }
}

class WorkerMemory {
  readonly #socket: WebSocket;
  readonly #workers = new Map<string, number>();
  readonly #asked = new Map<number, string>();
  #peak = 0;
  #id = 0;

  static async attach(address: string): Promise<WorkerMemory> {
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    return new WorkerMemory(socket);
  }

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(String(data)) as Reply);
    this.#follow();
  }

  async peakOf(work: () => Promise<unknown>): Promise<number> {
    this.#peak = 0;
    const timer = setInterval(() => {
      for (const session of this.#workers.keys()) {
        this.#asked.set(this.#send('Runtime.getHeapUsage', {}, session), session);
      }
    }, EVERY);
    try {
      await work();
    } finally {
      clearInterval(timer);
    }
    if (this.#peak === 0) throw new Error('memory: no worker answered');
    return this.#peak;
  }

  close(): void {
    this.#socket.close();
  }

  /** Has the targets below a session attached, and those below them in turn. */
  #follow(session?: string): void {
    const params = { autoAttach: true, waitForDebuggerOnStart: false, flatten: true };
    this.#send('Target.setAutoAttach', params, session);
  }

  #send(method: string, params: object, sessionId?: string): number {
    this.#socket.send(JSON.stringify({ id: ++this.#id, method, params, sessionId }));
    return this.#id;
  }

  #receive({ id, method, params, result }: Reply): void {
    if (method === 'Target.attachedToTarget') {
      this.#follow(params!.sessionId);
      if (params!.targetInfo.type === 'worker') this.#workers.set(params!.sessionId, 0);
    } else if (method === 'Target.detachedFromTarget') {
      this.#workers.delete(params!.sessionId);
    } else if (id !== undefined && this.#asked.has(id)) {
      const session = this.#asked.get(id)!;
      this.#asked.delete(id);
      if (!result || !this.#workers.has(session)) return;
      this.#workers.set(session, result.usedSize + result.backingStorageSize);
      const total = [...this.#workers.values()].reduce((sum, bytes) => sum + bytes);
      this.#peak = Math.max(this.#peak, total);
    }
  }
}
