/**
 * Tells a worker that hangs from one that is busy. The worker answers pings between its steps, so
 * long work that awaits keeps answering; one that parses without end, or is out of memory, does not.
 * Silent pings are counted rather than seconds: timers of a page that sleeps or lies in the
 * background come late, and its worker must not be blamed for that.
 */

/** Between two pings. */
export const PING_EVERY = 3000;
/**
 * Pings without an answer after which a worker is given up: 15 s. Parsing the largest pickle that
 * the limits admit takes some seconds at a stretch; whoever will not wait so long can cancel.
 */
export const SILENT_PINGS = 5;
/** How long a worker may take to react to a cancelled call. Most parsing steps are far shorter. */
export const CANCEL_WITHIN = 2000;

export class Heartbeat {
  readonly #ping: () => void;
  readonly #dead: (reason: string) => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  #cancelled: ReturnType<typeof setTimeout> | undefined;
  #silent = 0;
  /** Before the first answer it is being fetched, which may take long on a slow line. */
  #loaded = false;

  constructor(ping: () => void, dead: (reason: string) => void) {
    this.#ping = ping;
    this.#dead = dead;
  }

  /** Watches while `on`. The first ping goes out before whatever is sent next. */
  watch(on: boolean): void {
    if (on === (this.#timer !== undefined)) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (!on) return;
    this.#silent = 0;
    this.#ping();
    this.#timer = setInterval(() => this.#tick(), PING_EVERY);
  }

  /** Something came from the worker; only a pong shows that it has read its messages. */
  heard(isPong: boolean): void {
    this.#loaded = true;
    this.#silent = 0;
    if (!isPong) return;
    clearTimeout(this.#cancelled);
    this.#cancelled = undefined;
  }

  /** A call was cancelled: the worker has to show soon that it can hear of it. */
  expect(): void {
    if (!this.#loaded || this.#cancelled) return;
    this.#ping();
    const reason = `it did not react to Cancel within ${CANCEL_WITHIN / 1000} s`;
    this.#cancelled = setTimeout(() => this.#dead(reason), CANCEL_WITHIN);
  }

  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#cancelled);
    this.#timer = this.#cancelled = undefined;
  }

  #tick(): void {
    if (this.#loaded && ++this.#silent >= SILENT_PINGS) {
      this.#dead(`it did not answer for ${(PING_EVERY * SILENT_PINGS) / 1000} s`);
    } else this.#ping();
  }
}
