/**
 * The zip container's records, as far as reader and writer share them. Offsets and names follow
 * PKWARE's APPNOTE.TXT, sections 4.3 and 4.5.3 (ZIP64). All numbers are little-endian.
 */
export const LOCAL_HEADER = { signature: 0x04034b50, size: 30 } as const;
export const CENTRAL_HEADER = { signature: 0x02014b50, size: 46 } as const;
export const DATA_DESCRIPTOR = { signature: 0x08074b50, size: 16, size64: 24 } as const;
export const END = { signature: 0x06054b50, size: 22 } as const;
export const END64_LOCATOR = { signature: 0x07064b50, size: 20 } as const;
export const END64 = { signature: 0x06064b50, size: 56 } as const;

/** Header id of the ZIP64 extra field. */
export const ZIP64_EXTRA = 0x0001;

/** General purpose flags. */
export const FLAG_ENCRYPTED = 1 << 0;
export const FLAG_DESCRIPTOR = 1 << 3;
export const FLAG_UTF8 = 1 << 11;

export const STORED = 0;
export const DEFLATED = 8;

/** From these values on, a 16- or 32-bit field refers to its ZIP64 twin. */
export const FULL_16 = 0xffff;
export const FULL_32 = 0xffffffff;

/** One file inside of a zip, as the central directory describes it. */
export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly flags: number;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly size: number;
  /** Offset of the local header in the file. */
  readonly headerOffset: number;
}
