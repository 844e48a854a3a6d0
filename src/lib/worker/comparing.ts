/** Texts as vectors: each text runs by itself and without padding, so every token counts. */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { cosines, pool } from '#lib/inputs/embeddings.ts';
import type { Tokenizer } from '#lib/inputs/tokenizer.ts';
import type { Compared, ModelTask, Pooling } from './protocol.ts';
import { predict, type Runner } from './running.ts';
import { textInputs } from './writing.ts';

/** A matrix of more texts can no longer be read. */
const MOST_TEXTS = 64;

export async function compareTexts(
  runner: Runner,
  tokenizer: Tokenizer,
  task: ModelTask,
  { texts, pooling }: { texts: readonly string[]; pooling: Pooling },
  context: { signal: AbortSignal; progress(progress: { done: number; total: number }): void },
): Promise<Compared> {
  if (texts.length > MOST_TEXTS || texts.length === 0) {
    throw new FindingError({
      code: 'text-count',
      message: `text: ${texts.length} texts, expected 1 to ${MOST_TEXTS}`,
      advice: 'Write one text on each line.',
    });
  }
  const vectors: Float32Array[] = [];
  const tokens: number[] = [];
  for (const text of texts) {
    context.progress({ done: vectors.length, total: texts.length });
    const ids = tokenizer.encode(text);
    const { outputs } = await predict(runner, textInputs(task.inputs, ids), context.signal);
    const { values, shape } = outputs[0]!;
    const states = Float32Array.from(values);
    // (1, D) is a vector already; of (1, T, D), one is made.
    vectors.push(shape.length === 2 ? states : pool(states, shape.at(-1)!, pooling));
    tokens.push(ids.length);
  }
  return { texts: [...texts], tokens, vectors, cosines: cosines(vectors) };
}
