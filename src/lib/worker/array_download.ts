/** One tensor as a .npy file to download. What NumPy lacks is widened, where that changes no value. */
import { dtypes, itemsize, type Dtype } from '#lib/checkpoint/dtype.ts';
import { toFloat32 } from '#lib/checkpoint/elements.ts';
import type { Storage, Tensor } from '#lib/checkpoint/tensor.ts';
import { arrayFile } from '#lib/formats/npy.ts';
import type { OpenFile } from '#lib/storage/opfs.ts';
import { writeFile } from './save.file.ts';

export interface ArrayContext {
  /** Opens files of the browser's private disk; without it, the file is made in memory. */
  readonly openFile: OpenFile | undefined;
  readonly signal: AbortSignal;
  progress(part: { done: number; total: number }): void;
}

/** Throws a FindingError for a dtype that NumPy has no like of. */
export async function arrayDownload(
  tensor: Tensor,
  name: string,
  { openFile, signal, progress }: ArrayContext,
): Promise<{ file: File; note: string | null }> {
  const wide = widened(tensor);
  const { size, chunks } = arrayFile(wide, 'the tensor', signal);
  let done = 0;
  const file = await writeFile(
    name,
    size,
    async (sink) => {
      for await (const bytes of chunks) {
        await sink.write(bytes);
        progress({ done: (done += bytes.byteLength), total: size });
      }
    },
    { ...(openFile && { openFile }) },
  );
  const note =
    wide === tensor
      ? null
      : `NumPy has no ${tensor.dtype}: the file holds ${wide.dtype}, which has all its values.`;
  return { file, note };
}

/** The tensor as float32 or complex64, where NumPy lacks its own dtype and these hold every value. */
function widened(tensor: Tensor): Tensor {
  const { dtype, storage } = tensor;
  const isFloat = dtypes[dtype].kind === 'float' && itemsize(dtype) <= 2 && dtype !== 'float16';
  if (isFloat) return { ...tensor, dtype: 'float32', storage: wideStorage(storage, dtype) };
  if (dtype !== 'complex32') return tensor;
  return { ...tensor, dtype: 'complex64', storage: wideStorage(storage, 'float16') };
}

/** A storage of floats as float32. */
function wideStorage(storage: Storage, dtype: Dtype): Storage {
  const { key, location, byteLength, sequential } = storage;
  const times = 4 / itemsize(dtype);
  return {
    ...{ key, location, byteLength: byteLength * times, fresh: true },
    ...(sequential && { sequential }),
    async read(start, end, signal) {
      const bytes = await storage.read(start / times, end / times, signal);
      return new Uint8Array(toFloat32(bytes, dtype).buffer);
    },
  };
}
