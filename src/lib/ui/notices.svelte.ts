/** What was done and can be taken back for a while: a checkpoint closed, an entry deleted. */

export interface Notice {
  readonly id: number;
  /** `Closed last.pth`. */
  readonly text: string;
}
interface Doing {
  /** Takes it back. */
  undo(): unknown;
  /** It is not taken back: what was kept for that may go. */
  end?(): unknown;
}

/** Milliseconds that a notice stays. */
const PATIENCE = 10_000;
/** More would bury the page; the oldest then ends. */
const MOST_SHOWN = 3;

export class Notices {
  list = $state.raw<readonly (Notice & Doing)[]>([]);
  readonly #timers: Record<number, ReturnType<typeof setTimeout>> = {};
  #lastId = 0;
  #isHeld = false;

  add(text: string, doing: Doing): void {
    const notice = { id: ++this.#lastId, text, ...doing };
    this.list = [...this.list, notice];
    if (!this.#isHeld) this.#start(notice.id);
    if (this.list.length > MOST_SHOWN) this.dismiss(this.list[0]!.id);
  }

  /** Time stands still while a person is at the notices. */
  hold(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    for (const { id } of this.list) {
      if (isHeld) this.#stop(id);
      else this.#start(id);
    }
  }

  undo(id: number): unknown {
    return this.#take(id)?.undo();
  }

  dismiss(id: number): unknown {
    return this.#take(id)?.end?.();
  }

  #take(id: number): (Notice & Doing) | undefined {
    this.#stop(id);
    const notice = this.list.find((it) => it.id === id);
    this.list = this.list.filter((it) => it !== notice);
    if (this.list.length === 0) this.#isHeld = false; // what held them is gone with the last one
    return notice;
  }

  #start(id: number): void {
    this.#timers[id] = setTimeout(() => this.dismiss(id), PATIENCE);
  }

  #stop(id: number): void {
    clearTimeout(this.#timers[id]);
  }
}
