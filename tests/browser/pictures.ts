/** Small grey pictures in folders named for their classes, as people drop them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';

const SIDE = 28;

/** Whether a pixel has ink, for each class; `at` moves the stroke. */
const strokes: Record<string, (row: number, column: number, at: number) => boolean> = {
  bars: (row, column, at) => Math.abs(column - at) < 3 && row > 3 && row < 24,
  dashes: (row, column, at) => Math.abs(row - at) < 3 && column > 3 && column < 24,
  dots: (row, column, at) => (row - 14) ** 2 + (column - at) ** 2 < 25,
};
export const classes = Object.keys(strokes);

/** A picture of one channel, as PNG. */
function png(grey: Uint8Array): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const header = Buffer.from([0, 0, 0, SIDE, 0, 0, 0, SIDE, 8, 0, 0, 0, 0]);
  const rows = Array.from({ length: SIDE }, (_, row) =>
    Buffer.from([0, ...grey.subarray(row * SIDE, (row + 1) * SIDE)]),
  );
  return Buffer.concat([
    Buffer.from([0x89, ...Buffer.from('PNG\r\n\x1a\n', 'latin1')]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Writes `count` pictures of each class below a folder. */
export function writePictures(folder: string, count: number): void {
  for (const [name, isInk] of Object.entries(strokes)) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let index = 0; index < count; index++) {
      const at = 8 + ((index * 5) % 12);
      const grey = Uint8Array.from({ length: SIDE * SIDE }, (_, pixel) =>
        isInk(Math.floor(pixel / SIDE), pixel % SIDE, at) ? 255 : 0,
      );
      writeFileSync(join(folder, name, `${index}.png`), png(grey));
    }
  }
}
