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
