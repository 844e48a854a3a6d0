/**
 * Writes zip files as a stream, stored and aligned as PyTorch does: flags 0x0808, sizes and CRC-32
 * in a data descriptor behind each payload and in the directory, payloads at multiples of 64 (so
 * that `torch.load(mmap=True)` can map them), the gap filled by an extra field `FB` of `Z`s.
 */
import { Crc32 } from './crc32.ts';
import type { Sink } from './sink.ts';
import {
  CENTRAL_HEADER,
  DATA_DESCRIPTOR,
  END,
  END64,
  END64_LOCATOR,
  FLAG_DESCRIPTOR,
  FLAG_UTF8,
  FULL_16,
  FULL_32,
  LOCAL_HEADER,
  STORED,
  ZIP64_EXTRA,
  type ZipEntry,
} from './zip.ts';

/** Payload alignment in bytes (`.storage_alignment` of recent PyTorch). */
const ALIGNMENT = 64;
/** Extra field id of the padding: the letters `FB`, as PyTorch's writer uses it. */
const PADDING_EXTRA = 0x4246;
/** Version needed to extract: 4.5, the first with ZIP64. */
const VERSION = 45;

export class ZipWriter {
  readonly #sink: Sink;
  readonly #entries: ZipEntry[] = [];
  #at = 0;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** Bytes written so far. */
  get position(): number {
    return this.#at;
  }

  /**
   * Adds a stored entry of exactly `size` bytes. The size is needed first, because a payload of
   * 4 GiB and more announces ZIP64 in its local header.
   */
  async add(
    name: string,
    size: number,
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<void> {
    const written = await this.#add(name, size >= FULL_32, async (sink) => {
      for await (const chunk of chunks) await sink.write(chunk);
    });
    if (written !== size) {
      throw new Error(`zip: entry ${name} was announced with ${size} bytes and got ${written}`);
    }
  }

  /**
   * Adds a stored entry whose size is known when it is written: it announces ZIP64, which readers
   * take at any size.
   */
  async addWritten(name: string, write: (sink: Sink) => Promise<void>): Promise<void> {
    await this.#add(name, true, write);
  }

  async #add(name: string, wide: boolean, write: (sink: Sink) => Promise<void>): Promise<number> {
    const headerOffset = this.#at;
    await this.#write(localHeader(name, headerOffset, wide));
    const crc = new Crc32();
    await write({
      write: async (bytes) => {
        await crc.add(bytes);
        await this.#write(bytes);
      },
    });
    const size = crc.length;
    await this.#write(descriptor(crc.value, size, wide));
    this.#entries.push({
      name,
      method: STORED,
      flags: FLAG_DESCRIPTOR | FLAG_UTF8,
      crc32: crc.value,
      compressedSize: size,
      size,
      headerOffset,
    });
    return size;
  }

  /** Writes the directory. Nothing can be added after it. */
  async finish(): Promise<void> {
    const offset = this.#at;
    for (const entry of this.#entries) await this.#write(centralHeader(entry));
    await this.#write(endRecords(this.#entries.length, offset, this.#at));
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await this.#sink.write(bytes);
    this.#at += bytes.byteLength;
  }
}

/** A DataView that is filled from front to back. */
class Fields {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
  }
  u16(...values: number[]): this {
    for (const value of values) this.#view.setUint16((this.#at += 2) - 2, value, true);
    return this;
  }
  u32(...values: number[]): this {
    for (const value of values) this.#view.setUint32((this.#at += 4) - 4, value, true);
    return this;
  }
  u64(...values: number[]): this {
    for (const value of values) this.#view.setBigUint64((this.#at += 8) - 8, BigInt(value), true);
    return this;
  }
  raw(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.#at);
    this.#at += bytes.byteLength;
    return this;
  }
}

const encoder = new TextEncoder();

function localHeader(name: string, offset: number, wide: boolean): Uint8Array {
  const nameBytes = encoder.encode(name);
  const zip64 = wide ? 20 : 0;
  const unpadded = LOCAL_HEADER.size + nameBytes.length + zip64 + 4;
  const padding = (ALIGNMENT - ((offset + unpadded) % ALIGNMENT)) % ALIGNMENT;
  const fields = new Fields(unpadded + padding)
    .u32(LOCAL_HEADER.signature)
    .u16(VERSION, FLAG_DESCRIPTOR | FLAG_UTF8, STORED, 0, 0)
    .u32(0, wide ? FULL_32 : 0, wide ? FULL_32 : 0)
    .u16(nameBytes.length, zip64 + 4 + padding)
    .raw(nameBytes);
  if (wide) fields.u16(ZIP64_EXTRA, 16).u64(0, 0);
  return fields.u16(PADDING_EXTRA, padding).raw(new Uint8Array(padding).fill(0x5a)).bytes;
}

function descriptor(crc: number, size: number, wide: boolean): Uint8Array {
  const fields = new Fields(wide ? DATA_DESCRIPTOR.size64 : DATA_DESCRIPTOR.size);
  fields.u32(DATA_DESCRIPTOR.signature, crc);
  return (wide ? fields.u64(size, size) : fields.u32(size, size)).bytes;
}

function centralHeader(entry: ZipEntry): Uint8Array {
  const name = encoder.encode(entry.name);
  const wide = [entry.size, entry.compressedSize, entry.headerOffset].filter((n) => n >= FULL_32);
  const extra = wide.length ? 4 + 8 * wide.length : 0;
  const narrow = (value: number) => Math.min(value, FULL_32);
  const fields = new Fields(CENTRAL_HEADER.size + name.length + extra)
    .u32(CENTRAL_HEADER.signature)
    .u16(VERSION, VERSION, entry.flags, entry.method, 0, 0)
    .u32(entry.crc32, narrow(entry.compressedSize), narrow(entry.size))
    .u16(name.length, extra, 0, 0, 0)
    .u32(0, narrow(entry.headerOffset))
    .raw(name);
  if (extra) fields.u16(ZIP64_EXTRA, 8 * wide.length).u64(...wide);
  return fields.bytes;
}

function endRecords(count: number, offset: number, end: number): Uint8Array {
  const size = end - offset;
  const wide = count >= FULL_16 || size >= FULL_32 || offset >= FULL_32;
  const fields = new Fields((wide ? END64.size + END64_LOCATOR.size : 0) + END.size);
  if (wide) {
    fields
      .u32(END64.signature)
      .u64(END64.size - 12)
      .u16(VERSION, VERSION)
      .u32(0, 0)
      .u64(count, count, size, offset)
      .u32(END64_LOCATOR.signature, 0)
      .u64(end)
      .u32(1);
  }
  const shown = Math.min(count, FULL_16);
  return fields
    .u32(END.signature)
    .u16(0, 0, shown, shown)
    .u32(Math.min(size, FULL_32), Math.min(offset, FULL_32))
    .u16(0).bytes;
}
