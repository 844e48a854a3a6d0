/**
 * The first file that a worker opens would pay for compiling everything on its way, which takes
 * longer than the opening. A page stands open for a while before someone drops a file on it: in that
 * time the worker opens a small checkpoint of its own a few times.
 */
import { tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict } from '#lib/checkpoint/value.ts';
import { writeTorch } from '#lib/formats/torch.write.ts';
import { Lab } from './lab.ts';

/** Of the small checkpoint: enough to be compiled for, and few enough to be in nobody's way. */
const TENSORS = 24;
/** Times that it is opened; more hardly make the next one faster. */
const ROUNDS = 4;

/** Opens a checkpoint in labs of its own. Stops after the current time when `signal` is aborted. */
export async function warmUp(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const file = await smallCheckpoint();
  const context = { signal: new AbortController().signal, progress: () => {} };
  for (let round = 0; round < ROUNDS && !signal.aborted; round++) {
    const { handlers } = new Lab();
    const opened = await handlers.open({ file }, context);
    if (!opened.ok) throw new Error(opened.findings[0]!.message);
    const { id, childCount } = opened.checkpoint.root;
    await handlers.children({ node: id, start: 0, count: childCount }, context);
  }
}

async function smallCheckpoint(): Promise<File> {
  const bytes = new Uint8Array(24);
  const tensor = (number: number): [string, Tensor] => [
    `layers.${number}.weight`,
    tensorFromBytes(bytes, 'float32', [2, 3]),
  ];
  const root = new Dict(Array.from({ length: TENSORS }, (_, number) => tensor(number)));
  const parts: Uint8Array<ArrayBuffer>[] = [];
  await writeTorch(
    root,
    { write: async (part) => void parts.push(part.slice()) },
    { stem: 'warm' },
  );
  return new File(parts, 'warm.pt');
}
