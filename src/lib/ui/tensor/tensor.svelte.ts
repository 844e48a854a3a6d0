import { download } from '#lib/storage/download.ts';
import type { CallOptions } from '#lib/worker/client.ts';
import type {
  Calls,
  Finding,
  Likeness,
  OutlineNode,
  Reduction,
  Result,
  TensorPlace,
  TensorSlice,
} from '#lib/worker/protocol.ts';
import type { Desk } from '../desk.ts';
import { CHANNELS } from '../drawn_maps.ts';
import { Answer, type Asking } from './answer.svelte.ts';
import { boxOf, Cells, gridOf } from './cells.svelte.ts';
import { fullIndex, leadingIndex } from './places.ts';
import { words } from './words.ts';

/** More than this is read only when it is asked for: bytes that a disk gives in a blink. */
const readUnasked = 64 * 2 ** 20;
/** Pictures on one page, and rows that are named as the nearest. */
const picturesShown = 48;
/** Pixels a side of pictures in colour: those of first layers have few. */
const largestInColour = 256;
const neighboursShown = 20;

type LongCall = 'tensorStatistics' | 'tensorPictures' | 'tensorNeighbours' | 'tensorSingularValues';
type Known<K extends keyof Calls> = Extract<Calls[K]['result'], { ok: true }>;
export type TensorTab = 'values' | 'pictures' | 'neighbours' | 'spectrum';
export type TensorNode = OutlineNode & Required<Pick<OutlineNode, 'tensor'>>;

/** One tensor that is looked at: which part of it, and what is known of that. */
export class TensorState {
  /** Unlike that of any other, also of those before the page was loaded anew. */
  readonly id = Math.random();
  readonly node: TensorNode;
  /** The index as it is typed. */
  index = $state('');
  /** What the last index that fits picks. */
  slice = $state.raw<TensorSlice | null>(null);
  /** What is wrong with the index. */
  misfit = $state.raw<Finding | null>(null);
  tab = $state<TensorTab>('values');
  cells = $state.raw<Cells | null>(null);
  cursor = $state.raw({ row: 0, column: 0 });
  /** Which of the grids, where the slice has more than two axes. */
  plane = $state(0);
  by = $state<Reduction>('mean');
  /** Whether the three channels of a filter are wanted as one picture. */
  wantsColour = $state(false);
  /** The first picture of the page. */
  start = $state(0);
  row = $state(0);
  likeness = $state<Likeness>('cosine');
  /** What came of copying and downloading. */
  note = $state.raw<Finding | null>(null);
  readonly statistics: Answer<Known<'tensorStatistics'>>;
  readonly pictures: Answer<Known<'tensorPictures'>>;
  readonly neighbours: Answer<Known<'tensorNeighbours'>>;
  readonly spectrum: Answer<Known<'tensorSingularValues'>>;
  readonly #desk: Desk;
  /** The index that `slice` is of. */
  #applied = $state('');
  #asked = 0;

  readonly shape = $derived(this.slice?.shape ?? []);
  readonly elements = $derived(this.shape.reduce((product, size) => product * size, 1));
  /** Whether pictures have three channels that can be drawn as one. */
  readonly hasColour = $derived.by(() => {
    const axes = [...this.shape.keys()].filter((axis) => this.shape[axis] !== 1);
    const [row, column] = axes.slice(-2);
    if (row === undefined || column === undefined || this.shape[row - 1] !== CHANNELS) return false;
    return Math.max(this.shape[row]!, this.shape[column]!) <= largestInColour;
  });
  readonly isColour = $derived(this.hasColour && this.wantsColour);
  /** Maps on one page. */
  readonly pageSize = $derived(picturesShown * (this.isColour ? CHANNELS : 1));
  /** How many grids the slice has, and where the one that is shown lies. */
  readonly planes = $derived(this.shape.slice(0, -2).reduce((product, size) => product * size, 1));
  readonly leading = $derived(leadingIndex(this.shape, this.plane));
  /** Of the cell that the cursor is at, in the whole tensor; null where there is none. */
  readonly cursorIndex = $derived(
    this.slice && this.elements > 0 ? fullIndex(this.slice, this.leading, this.cursor) : null,
  );
  readonly cursorText = $derived(this.cells?.text(this.cursor.row, this.cursor.column));

  constructor(desk: Desk, node: TensorNode) {
    this.#desk = desk;
    this.node = node;
    this.statistics = new Answer(desk);
    this.pictures = new Answer(desk);
    this.neighbours = new Answer(desk);
    this.spectrum = new Answer(desk);
  }

  /** `conv1.weight[0, :3]` */
  get title(): string {
    return this.node.key + bracketed(this.#applied);
  }

  get #place(): TensorPlace {
    return { node: this.node.id, index: this.#applied };
  }

  /** Whether so many bytes are read without being asked for. */
  readsUnasked(bytes: number): boolean {
    return bytes <= readUnasked;
  }

  /** Takes what is typed as the index. What was seen stays where it does not fit. */
  async apply(): Promise<void> {
    const index = this.index.trim();
    const asked = ++this.#asked;
    const result = await this.#call('tensorSlice', { node: this.node.id, index });
    if (asked !== this.#asked || !result) return;
    this.misfit = result.ok ? null : result.findings[0]!;
    if (!result.ok || (this.slice && index === this.#applied)) return;
    this.#applied = index;
    this.slice = result.slice;
    [this.plane, this.start, this.row] = [0, 0, 0];
    this.note = null;
    this.#showPlane();
    for (const answer of [this.statistics, this.pictures, this.neighbours, this.spectrum]) {
      answer.forget();
    }
    if (this.elements > 0 && this.readsUnasked(result.slice.bytes)) void this.askStatistics();
  }

  /** Another of the grids of a tensor of more than two axes. */
  show(plane: number): void {
    this.plane = Math.max(0, Math.min(this.planes - 1, plane));
    this.#showPlane(this.cursor);
  }

  #showPlane(cursor = { row: 0, column: 0 }): void {
    const { shape, leading } = this;
    const place = this.#place;
    this.cursor = cursor;
    this.cells = new Cells(gridOf(shape), (rows, columns) =>
      this.#desk.client.call('tensorCells', { ...place, ...boxOf(shape, leading, rows, columns) }),
    );
  }

  askStatistics(): Promise<void> {
    return this.#ask('tensorStatistics', this.statistics, words.tasks.statistics, {});
  }

  /** Bytes that a page of pictures takes. */
  get pictureBytes(): number {
    const sides = this.shape.filter((size) => size !== 1);
    const pictures = sides.slice(0, -2).reduce((product, size) => product * size, 1);
    const share = Math.min(1, this.pageSize / Math.max(1, pictures));
    return (this.slice?.bytes ?? 0) * share;
  }

  askPictures(): Promise<void> {
    const wish = { start: this.start, count: this.pageSize, by: this.by };
    return this.#ask('tensorPictures', this.pictures, words.tasks.pictures, wish);
  }

  /** In colour or channel by channel, from a page that has the pictures that are seen. */
  drawColour(wantsColour: boolean): Promise<void> {
    this.wantsColour = wantsColour;
    this.start -= this.start % this.pageSize;
    return this.askPictures();
  }

  askNeighbours(): Promise<void> {
    const wish = { row: this.row, count: neighboursShown, by: this.likeness };
    return this.#ask('tensorNeighbours', this.neighbours, words.tasks.neighbours, wish);
  }

  askSpectrum(): Promise<void> {
    return this.#ask('tensorSingularValues', this.spectrum, words.tasks.spectrum, {});
  }

  /** The slice as Python; null where it has no such form, which `note` then tells. */
  async literal(): Promise<string | null> {
    const result = await this.#call('tensorLiteral', this.#place);
    this.note = result && !result.ok ? result.findings[0]! : null;
    return result?.ok ? result.literal : null;
  }

  async downloadArray(): Promise<void> {
    const name = `${this.title.replaceAll(' ', '')}.npy`;
    const failure = words.tasks.unwritten(name);
    const answer = new Answer<Known<'tensorArray'>>(this.#desk);
    await answer.ask(words.tasks.array(name), failure, (asking) =>
      this.#desk.client.call('tensorArray', { ...this.#place, name }, asking),
    );
    const { value } = answer;
    this.note = answer.findings[0] ?? null;
    if (!value) return;
    download(value.file, name);
    if (value.note !== null) {
      this.note = { code: 'array-widened', severity: 'info', message: value.note };
    }
  }

  /** Ends what is worked on; what is known stays. */
  leave(): void {
    for (const { task } of [this.statistics, this.pictures, this.neighbours, this.spectrum]) {
      task?.cancel();
    }
  }

  async #call<K extends 'tensorSlice' | 'tensorLiteral'>(
    call: K,
    args: Calls[K]['args'],
  ): Promise<Calls[K]['result'] | null> {
    try {
      return await this.#desk.client.call(call, args);
    } catch (error) {
      this.#desk.problems.defect(words.tasks.unread(this.node.key), error);
      return null;
    }
  }

  #ask<K extends LongCall>(
    call: K,
    answer: Answer<Known<K>>,
    label: (title: string) => string,
    wish: Omit<Calls[K]['args'], keyof TensorPlace>,
  ): Promise<void> {
    const args = { ...this.#place, ...wish } as Calls[K]['args'];
    const ask = (asking: Asking) =>
      this.#desk.client.call(call, args, asking as CallOptions<K>) as Promise<Result<Known<K>>>;
    return answer.ask(label(this.title), words.tasks.unread(this.title), ask);
  }
}

function bracketed(index: string): string {
  return index === '' || index.startsWith('[') ? index : `[${index}]`;
}
