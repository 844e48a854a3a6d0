/**
 * A `.distcp` file of torch.distributed.checkpoint is files of torch.save, one behind the other:
 * `.metadata` beside it says where each begins. Every one of them is asked of the model of
 * `weights_only`, as `torch.load` gets it by itself.
 */
import { sliceSource, type Source } from '#lib/file/source.ts';
import { END, END64, END64_LOCATOR } from '#lib/file/zip.ts';
import { judgeFile, type FileJudgement } from '#lib/formats/weights_only.file.ts';

/** A file holds a chunk for each tensor and rank; this many would take minutes to look into. */
const MAX_CHUNKS = 100_000;

export interface Chunk {
  readonly source: Source;
  readonly judged: FileJudgement;
}

/** Whether a file's name says that it holds chunks. */
export function isChunked(name: string): boolean {
  return name.endsWith('.distcp');
}

/** The chunks from first to last; null where zips do not cover the file from its first byte on. */
export async function chunksOf(source: Source, signal?: AbortSignal): Promise<Chunk[] | null> {
  const sources: Source[] = [];
  for (let end = source.size; end > 0;) {
    const start = await startBefore(source, end, signal);
    if (start === null || sources.length >= MAX_CHUNKS) return null;
    sources.push(sliceSource(source, start, end, source.name));
    end = start;
  }
  const chunks: Chunk[] = [];
  for (const chunk of sources.reverse()) {
    chunks.push({ source: chunk, judged: await judgeFile(chunk, signal) });
  }
  return chunks;
}

/**
 * Where the zip begins that ends at `end`: its directory lies in front of its end record, and says
 * how far from the zip's first byte. Null where there is none.
 */
async function startBefore(
  source: Source,
  end: number,
  signal?: AbortSignal,
): Promise<number | null> {
  const start = Math.max(0, end - TAIL);
  const bytes = await source.read(start, end, signal);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = view.byteLength - END.size;
  if (at < 0 || view.getUint32(at, true) !== END.signature) return null;
  let size = BigInt(view.getUint32(at + 12, true));
  let offset = BigInt(view.getUint32(at + 16, true));
  const wide = at - END64_LOCATOR.size - END64.size;
  if (wide >= 0 && view.getUint32(wide, true) === END64.signature) {
    size = view.getBigUint64(wide + 40, true);
    offset = view.getBigUint64(wide + 48, true);
    at = wide;
  }
  const first = BigInt(start + at) - size - offset;
  return first >= 0n && first < BigInt(end) ? Number(first) : null;
}

/** The records behind a directory, where the zip has no comment. */
const TAIL = END64.size + END64_LOCATOR.size + END.size;

/** The gravest judgement of the chunks: a refusal before what is not known. */
export function worst(chunks: readonly Chunk[]): FileJudgement {
  const of = (verdict: FileJudgement['verdict']) =>
    chunks.find(({ judged }) => judged.verdict === verdict)?.judged;
  return of('refused') ?? of('unknown') ?? { verdict: 'loads', record: '' };
}
