import type { Edit, ListedEdit } from '#lib/worker/protocol.ts';

/** An edit of the list, with a number that stays its own. */
export interface EditItem extends ListedEdit {
  readonly id: number;
}

/** Changes that can be undone. */
const MAX_UNDO = 200;
/** Typing in one edit counts as one change as long as its pauses are shorter. */
const TYPING_MILLISECONDS = 1000;

/** The list of edits: changed as a whole each time, so that every change can be taken back. */
export class EditList {
  items = $state.raw<readonly EditItem[]>([]);
  #past = $state.raw<readonly (readonly EditItem[])[]>([]);
  #future = $state.raw<readonly (readonly EditItem[])[]>([]);
  readonly canUndo = $derived(this.#past.length > 0);
  readonly canRedo = $derived(this.#future.length > 0);
  /** Those that are done, in order. */
  readonly active = $derived(this.items.filter(({ off }) => !off));
  #lastId = 0;
  #typing = { id: 0, at: -Infinity };

  /** Adds to the end; gives the first new number. */
  add(edits: readonly (Edit | ListedEdit)[]): number {
    const first = this.#lastId + 1;
    this.#replace([...this.items, ...edits.map((it) => this.#item(it))]);
    return first;
  }

  /** `now` is in milliseconds. */
  change(id: number, edit: Edit, now = performance.now()): void {
    const isTyping = this.#typing.id === id && now - this.#typing.at < TYPING_MILLISECONDS;
    this.#set(id, (item) => ({ ...item, edit }), isTyping);
    this.#typing = { id, at: now };
  }

  toggle(id: number): void {
    this.#set(id, (item) => ({ ...item, off: !item.off }));
  }

  remove(id: number): void {
    this.#replace(this.items.filter((item) => item.id !== id));
  }

  duplicate(id: number): void {
    this.#replace(
      this.items.flatMap((item) => (item.id === id ? [item, this.#item(item)] : [item])),
    );
  }

  /** Moves an edit to a place of the list, counted without it. */
  move(id: number, to: number): void {
    const from = this.items.findIndex((item) => item.id === id);
    const place = Math.max(0, Math.min(to, this.items.length - 1));
    if (from < 0 || from === place) return;
    const others = this.items.toSpliced(from, 1);
    this.#replace(others.toSpliced(place, 0, this.items[from]!));
  }

  clear(): void {
    if (this.items.length > 0) this.#replace([]);
  }

  undo(): void {
    const [last, ...earlier] = this.#past;
    if (!last) return;
    this.#future = [this.items, ...this.#future];
    this.#past = earlier;
    this.items = last;
    this.#typing = { id: 0, at: -Infinity };
  }

  redo(): void {
    const [next, ...later] = this.#future;
    if (!next) return;
    this.#past = [this.items, ...this.#past];
    this.#future = later;
    this.items = next;
    this.#typing = { id: 0, at: -Infinity };
  }

  /** Gives other checkpoints their new numbers, in what can be undone too. */
  renumber(numbers: readonly (readonly [from: number, to: number])[]): void {
    const renumbered = (items: readonly EditItem[]) =>
      items.map((item) => ({ ...item, edit: withOthers(item.edit, numbers) }));
    this.items = renumbered(this.items);
    this.#past = this.#past.map(renumbered);
    this.#future = this.#future.map(renumbered);
  }

  /** As a file keeps it. */
  toJson(): string {
    const edits = this.items.map(({ edit, off }) => (off ? { ...edit, off } : edit));
    return `${JSON.stringify({ version: 1, edits }, null, 2)}\n`;
  }

  #item(from: Edit | ListedEdit): EditItem {
    const { edit, off } = 'edit' in from ? from : { edit: from, off: false };
    return { id: ++this.#lastId, edit, off };
  }

  #set(id: number, change: (item: EditItem) => EditItem, joined = false): void {
    const items = this.items.map((item) => (item.id === id ? change(item) : item));
    if (joined) this.items = items;
    else this.#replace(items);
  }

  #replace(items: readonly EditItem[]): void {
    this.#past = [this.items, ...this.#past].slice(0, MAX_UNDO);
    this.#future = [];
    this.items = items;
    this.#typing = { id: 0, at: -Infinity };
  }
}

/** The other checkpoints that an edit takes from. */
export function othersOf(edit: Edit): number[] {
  if (edit.kind === 'put') return [edit.other];
  if (edit.kind === 'merge') return edit.others.map(({ other }) => other);
  return edit.kind === 'lora' && edit.other !== null ? [edit.other] : [];
}

function withOthers(edit: Edit, numbers: readonly (readonly [number, number])[]): Edit {
  const now = (other: number) => numbers.find(([from]) => from === other)?.[1] ?? other;
  if (edit.kind === 'put') return { ...edit, other: now(edit.other) };
  if (edit.kind === 'merge') {
    const others = edit.others.map((it) => ({ ...it, other: now(it.other) }));
    return { ...edit, others };
  }
  const isLora = edit.kind === 'lora' && edit.other !== null;
  return isLora ? { ...edit, other: now(edit.other) } : edit;
}
