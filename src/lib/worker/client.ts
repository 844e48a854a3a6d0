/**
 * The page's side of the lab's worker: one promise per call, matched by id. A call can be aborted
 * and can report progress. When the worker dies, every call in flight is rejected with
 * WorkerCrash, and the next call starts a fresh worker, which knows nothing of what was open. While
 * it parses files, a worker that hangs counts as dead.
 */
import { Heartbeat } from './heartbeat.ts';
import type { CallName, Calls, Progress, Reply, Request } from './protocol.ts';
import entry from './lab.worker.ts?worker&url';
import { startModule } from './start.ts';

/** What the client needs of a Worker; tests hand in their own. */
export interface WorkerPort {
  postMessage(message: Request): void;
  terminate(): void;
  onmessage: ((event: MessageEvent<Reply>) => void) | null;
  onmessageerror: ((event: MessageEvent) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
}

export interface CallOptions<K extends CallName> {
  signal?: AbortSignal;
  onProgress?: (progress: Progress<K>) => void;
}

/** The worker died: out of memory, hung, failed to load, or threw outside of a call. */
export class WorkerCrash extends Error {
  /** Names of the files that it was parsing. */
  readonly files: readonly string[];
  constructor(reason: string, files: readonly string[] = []) {
    super(
      `the lab's worker stopped${files.length > 0 ? ` at ${files.join(', ')}` : ''}: ${reason}`,
    );
    this.name = 'WorkerCrash';
    this.files = files;
  }
}

/** A call was rejected in the worker: a defect of the lab, not of the user's file. */
export class WorkerError extends Error {
  readonly details: string;
  constructor(call: CallName, error: { name: string; message: string; stack?: string }) {
    super(error.message);
    this.name = error.name;
    this.details = `${call}: ${error.stack ?? `${error.name}: ${error.message}`}`;
  }
}

/** Calls that parse what strangers made. Their steps are short, or something is wrong. */
const parsing: ReadonlySet<CallName> = new Set<CallName>([
  'open',
  'openBeside',
  'previewEdits',
  'scan',
  'data',
  'source',
  'trace',
  'madeCalls',
  'records',
  'report',
  'arrays',
  'table',
  'classNames',
  'tokenizer',
]);
/** Calls that compute: a single step may take long, and that is no fault of a file. */
const computing: ReadonlySet<CallName> = new Set<CallName>([
  'backend',
  'build',
  'run',
  'write',
  'compare',
  'compareCheckpoints',
  'tensorChanges',
  'suggestPairs',
  'compareSeries',
  'check',
  'buildCarried',
  'train',
  'save',
  'checkCasts',
  'saveEdited',
  'project',
  'adapter',
  'openRun',
  'exportRun',
]);

interface Pending {
  call: CallName;
  /** Name of the file that is parsed. */
  file: string | undefined;
  resolve: (result: never) => void;
  reject: (reason: unknown) => void;
  onProgress?: (progress: never) => void;
  release: () => void;
}

export class LabClient {
  /** Called after a crash, when all pending calls have been rejected. */
  onCrash: ((crash: WorkerCrash) => void) | null = null;
  /** Called with the files that are being parsed, whenever these change. */
  onParsing: (files: readonly string[]) => void = () => {};
  readonly #start: () => WorkerPort;
  readonly #pending = new Map<number, Pending>();
  #port: WorkerPort | null = null;
  #heart: Heartbeat | null = null;
  /** Files whose parsing was cancelled, until the worker shows that it has heard of it. */
  readonly #cancelled = new Set<string>();
  #lastId = 0;

  constructor(start: () => WorkerPort = () => startModule(entry, 'lab')) {
    this.#start = start;
  }

  call<K extends CallName>(
    call: K,
    args: Calls[K]['args'],
    options: CallOptions<K> = {},
  ): Promise<Calls[K]['result']> {
    const { signal, onProgress } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const id = ++this.#lastId;
    return new Promise<Calls[K]['result']>((resolve, reject) => {
      const abort = () => {
        const pending = this.#settle(id);
        pending?.reject(signal?.reason);
        this.#port?.postMessage({ id, abort: true });
        if (!parsing.has(call) || this.#isComputing()) return;
        if (pending?.file !== undefined) this.#cancelled.add(pending.file);
        this.#heart?.expect();
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#pending.set(id, {
        call,
        file: fileOf(args),
        resolve,
        reject,
        onProgress,
        release: () => signal?.removeEventListener('abort', abort),
      });
      try {
        this.#port ??= this.#connect();
        this.#watch();
        this.#port.postMessage({ id, call, args } as Request);
      } catch (error) {
        this.#settle(id)?.reject(error);
      }
    });
  }

  /** Starts the worker where none runs; the first call need not wait for it then. */
  start(): void {
    this.#port ??= this.#connect();
  }

  /** Ends the worker at once. The next call starts a fresh one. */
  restart(reason = 'it was restarted'): void {
    this.#fail(new WorkerCrash(reason));
  }

  #connect(): WorkerPort {
    const port = this.#start();
    this.#heart = new Heartbeat(
      () => port.postMessage({ ping: true }),
      (reason) => this.#crash(reason),
    );
    port.onmessage = (event) => this.#receive(event.data);
    port.onmessageerror = () => this.#crash('a message could not be read');
    port.onerror = (event) => {
      event.preventDefault?.();
      this.#crash(event.message || 'it could not be loaded');
    };
    return port;
  }

  #receive(reply: Reply): void {
    this.#heart?.heard('pong' in reply);
    if ('pong' in reply) {
      this.#cancelled.clear();
      return;
    }
    if ('progress' in reply) {
      this.#pending.get(reply.id)?.onProgress?.(reply.progress as never);
      return;
    }
    const pending = this.#settle(reply.id);
    if (!pending) return; // aborted before the answer came
    if ('error' in reply) pending.reject(new WorkerError(pending.call, reply.error));
    else pending.resolve(reply.result as never);
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.release();
    this.#watch();
    return pending;
  }

  /** Watches over the worker as long as it parses, and nothing else that may take long. */
  #watch(): void {
    const parsed = [...this.#pending.values()].filter(({ call }) => parsing.has(call));
    this.#heart?.watch(parsed.length > 0 && !this.#isComputing());
    this.onParsing(parsed.flatMap(({ file }) => file ?? []));
  }

  #isComputing(): boolean {
    return [...this.#pending.values()].some(({ call }) => computing.has(call));
  }

  #crash(reason: string): void {
    const parsed = [...this.#pending.values()].map(({ file }) => file);
    const files = [...parsed, ...this.#cancelled].filter((file) => file !== undefined);
    const crash = new WorkerCrash(reason, [...new Set(files)]);
    this.#fail(crash);
    this.onCrash?.(crash);
  }

  #fail(crash: WorkerCrash): void {
    const port = this.#port;
    this.#port = null;
    this.#heart?.stop();
    this.#heart = null;
    this.#cancelled.clear();
    if (port) {
      port.onmessage = port.onmessageerror = port.onerror = null;
      port.terminate();
    }
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(crash);
  }
}

/** The file that a call is about, by the name that the user knows it by. */
function fileOf(args: Calls[CallName]['args']): string | undefined {
  if ('name' in args) return args.name;
  if ('wish' in args) return args.files?.[0]?.path;
  return 'file' in args && args.file instanceof File ? args.file.name : undefined;
}
