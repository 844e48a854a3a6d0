/**
 * First values against PyTorch's: the constructor after `torch.manual_seed`. Uniform numbers and
 * constants are its own bit for bit; normal ones up to the last bits of log and cos; what is worked
 * out of them as far as float32 goes.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readSource } from '#lib/architecture/source.ts';
import { isDict } from '#lib/checkpoint/value.ts';
import { toFloat32 } from '#lib/checkpoint/elements.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { runPython } from '../python.ts';
import { numbers, open, relativeError, unwrap } from './lab.ts';

const SEED = 2 ** 33 + 17;
const BOUND = 1e-6;
/** PyTorch's QR decomposition is one of float32. */
const ORTHOGONAL = 1e-5;
const names = [
  ...['MLP', 'CNN', 'ResNet', 'GPT', 'BERTLike', 'ViT', 'LSTMModel', 'Layers', 'Transformer'],
  'Computed',
  'initial_instance.py',
];

const folder = mkdtempSync(join(tmpdir(), 'weightroom-initial-'));
afterAll(() => rmSync(folder, { recursive: true }));
await runPython('tests/judge/initial.py', [String(SEED), folder, ...names]);

/** A class of initial_models.py, or the model that a file makes. */
function build(name: string) {
  const isFile = name.endsWith('.py');
  const file = isFile ? name : 'initial_models.py';
  const text = readFileSync(join('tests/judge', file), 'utf8');
  const { source } = unwrap(readSource([{ name: file, text }]));
  return unwrap(source.build(isFile ? 'model' : name));
}

describe('first values', () => {
  it.each(names)("of %s are PyTorch's", async (name) => {
    const { module } = build(name);
    const { root } = await open(join(folder, `${name}.pt`));
    const keys = module.state.map(({ key }) => key);
    expect(isDict(root) && [...root.keys()]).toEqual(keys);
    const { tensors } = unwrap(module.initialise(keys, BigInt(SEED)));
    for (const { key, dtype, init } of module.state) {
      const expected = await numbers(root, key);
      const tensor = tensors.get(key)!;
      expect(tensor, key).toMatchObject({ shape: expected.shape, dtype });
      const values = toFloat32(await readTensor(tensor), dtype);
      const isExact = init?.kind === 'constant' || init?.kind === 'uniform';
      if (isExact) expect(values, key).toEqual(expected.values);
      const bound = init?.kind === 'orthogonal' || /weight_hh/.test(key) ? ORTHOGONAL : BOUND;
      if (!isExact) {
        expect(relativeError(values, expected.values), key).toBeLessThanOrEqual(bound);
      }
    }
  });
});
