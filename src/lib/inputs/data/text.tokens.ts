/**
 * The tokens of a text as an array of the smallest integers that hold them. A few hundred megabytes
 * stay in memory; more go into Blobs, which browsers keep on the disk.
 */
import { itemsize, type Dtype } from '#lib/checkpoint/dtype.ts';
import { tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { blobSource } from '#lib/file/source.ts';
import { wordStorage } from '#lib/formats/words.ts';
import { DataError } from './choices.ts';

/** Bytes up to which tokens stay in memory. */
const KEPT = 2 ** 28;
/** Bytes that are put into one Blob. */
const PIECE = 2 ** 24;

export interface Tokens {
  readonly count: number;
  /** Of one axis. */
  readonly tensor: Tensor;
}

export class TokenWriter {
  readonly #vocabulary: number;
  readonly #dtype: Dtype;
  readonly #kept: number;
  #pieces: BlobPart[] = [];
  #pending: Uint8Array<ArrayBuffer>[] = [];
  #pendingBytes = 0;
  #count = 0;

  constructor(vocabulary: number, kept = KEPT) {
    this.#vocabulary = vocabulary;
    this.#dtype = vocabulary <= 2 ** 8 ? 'uint8' : vocabulary <= 2 ** 16 ? 'uint16' : 'int32';
    this.#kept = kept;
  }

  add(ids: readonly number[]): void {
    const odd = ids.find((id) => !(Number.isInteger(id) && id >= 0 && id < this.#vocabulary));
    if (odd !== undefined) {
      throw new DataError(
        `the tokenizer gives the id ${odd}, its ids are below ${this.#vocabulary}`,
        'Bring the tokenizer that belongs to the model.',
      );
    }
    const { buffer } =
      this.#dtype === 'uint8'
        ? Uint8Array.from(ids)
        : this.#dtype === 'uint16'
          ? Uint16Array.from(ids)
          : Int32Array.from(ids);
    this.#count += ids.length;
    this.#pending.push(new Uint8Array(buffer));
    this.#pendingBytes += buffer.byteLength;
    if (this.#pendingBytes < PIECE || this.#bytes <= this.#kept) return;
    this.#pieces.push(new Blob(this.#pending));
    this.#pending = [];
    this.#pendingBytes = 0;
  }

  get #bytes(): number {
    return this.#count * itemsize(this.#dtype);
  }

  async finish(): Promise<Tokens> {
    const blob = new Blob([...this.#pieces, ...this.#pending]);
    const count = this.#count;
    if (this.#bytes <= this.#kept) {
      const bytes = new Uint8Array(await blob.arrayBuffer());
      return { count, tensor: tensorFromBytes(bytes, this.#dtype, [count]) };
    }
    return {
      count,
      tensor: {
        kind: 'tensor',
        ...{ dtype: this.#dtype, shape: [count], strides: [1], offset: 0 },
        ...{ requiresGrad: false, parameter: false },
        storage: wordStorage(blobSource(blob, 'tokens'), 'tokens', 0, blob.size, 1),
      },
    };
  }
}
