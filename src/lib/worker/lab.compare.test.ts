import { expect, it } from 'vitest';
import { entry, safetensorsOf } from '../../../tests/fixtures/safetensors.ts';
import { Lab } from './lab.ts';
import type { CallName, Calls, Progress } from './protocol.ts';

const lab = new Lab();

async function call<K extends CallName>(
  name: K,
  args: Calls[K]['args'],
  progress: (progress: Progress<K>) => void = () => {},
): Promise<Extract<Calls[K]['result'], { ok: true }>> {
  const result = await lab.handlers[name](args, { signal: new AbortController().signal, progress });
  if (result && typeof result === 'object' && 'ok' in result && !result.ok) {
    throw new Error(result.findings[0]!.message);
  }
  return result as Extract<Calls[K]['result'], { ok: true }>;
}

/** A safetensors file of float32 tensors of two numbers. */
function file(name: string, ...tensors: string[]): File {
  const entries = tensors.map((key, at) => `"${key}":${entry('F32', [2], [8 * at, 8 * at + 8])}`);
  return new File([safetensorsOf(`{${entries.join()}}`, 8 * tensors.length)], name);
}

it('reads only the rows that are not known', async () => {
  await call('open', { file: file('a.safetensors', 'x', 'y', 'z') });
  const { beside } = await call('openBeside', { file: file('b.safetensors', 'x', 'y', 'w') });
  const side = { checkpoint: null, stateDict: 0 };
  const args = { a: side, b: { ...side, checkpoint: beside.id }, rules: null, chosen: [] };
  const rows: number[] = [];
  const note = ({ outcomes }: Progress<'compareCheckpoints'>) =>
    rows.push(...outcomes.map(([row]) => row));
  await call('compareCheckpoints', args, note);
  const { bytes } = await call('compareCheckpoints', { ...args, known: [0] }, note);
  expect(rows).toEqual([0, 1, 1]);
  expect(bytes).toBe(16);
});
