/**
 * The writing twin of Source: bytes go in from first to last, nothing is rewritten. Writers never
 * know whether they write to a picked file, to the browser's private disk or to memory.
 */
export interface Sink {
  /** Appends bytes. Once the promise is fulfilled, the caller may give their memory back. */
  write(bytes: Uint8Array): Promise<void>;
}

/** A Sink that says after each write how many bytes have gone through it. */
export function countedSink(sink: Sink, onProgress?: (bytes: number) => void): Sink {
  let written = 0;
  return {
    async write(bytes) {
      await sink.write(bytes);
      onProgress?.((written += bytes.byteLength));
    },
  };
}

/** Bytes that are written at once: each write has to travel to the disk. */
const PIECE = 4 * 2 ** 20;

/** Takes a piece to write, and gives memory of the same size for the next one, which may be its own. */
export type SendPiece = (piece: Uint8Array<ArrayBuffer>) => Promise<ArrayBuffer>;

/** A Sink that gathers what is written in pieces of one size; `flush` sends what is left. */
export function pieceSink(send: SendPiece): Sink & { flush(): Promise<void> } {
  let buffer = new ArrayBuffer(PIECE);
  let filled = 0;
  const sendOn = async () => {
    const piece = new Uint8Array(buffer, 0, filled);
    filled = 0;
    buffer = await send(piece);
  };
  return {
    async write(bytes) {
      for (let at = 0; at < bytes.byteLength;) {
        const part = bytes.subarray(at, at + PIECE - filled);
        new Uint8Array(buffer).set(part, filled);
        filled += part.byteLength;
        at += part.byteLength;
        if (filled === PIECE) await sendOn();
      }
    },
    async flush() {
      if (filled > 0) await sendOn();
    },
  };
}

/** A Sink that gives what was written as parts of a Blob, which browsers move out of the way when it is much. */
export function partsSink(): Sink & { parts(): Promise<Blob[]> } {
  const parts: Blob[] = [];
  const pieces = pieceSink((piece) => {
    parts.push(new Blob([piece]));
    return Promise.resolve(piece.buffer);
  });
  return {
    write: (bytes) => pieces.write(bytes),
    async parts() {
      await pieces.flush();
      return parts;
    },
  };
}

/** A Sink that gathers everything in memory; `bytes()` gives the whole. */
export function memorySink(): Sink & { bytes(): Uint8Array<ArrayBuffer> } {
  const chunks: Uint8Array[] = [];
  let size = 0;
  return {
    write(bytes) {
      chunks.push(bytes.slice());
      size += bytes.byteLength;
      return Promise.resolve();
    },
    bytes() {
      const whole = new Uint8Array(size);
      let at = 0;
      for (const chunk of chunks) {
        whole.set(chunk, at);
        at += chunk.byteLength;
      }
      return whole;
    },
  };
}
