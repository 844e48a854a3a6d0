/** What is copied of a tensor as Python, and what is downloaded as .npy, has the tensor's own bits. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { isDict, isTensor } from '#lib/checkpoint/value.ts';
import { arrayDownload } from '#lib/worker/array_download.ts';
import { literalOf } from '#lib/worker/literal.ts';
import { runPython } from '../python.ts';
import { open } from './lab.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightroom-tensor-view-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('literals and arrays of every dtype are those of PyTorch', async () => {
  await runPython('tests/judge/make_tensor_view.py', [folder]);
  const { root } = await open(join(folder, 'tensors.pt'));
  if (!isDict(root)) throw new Error('no dict');
  const literals: Record<string, string> = {};
  const context = {
    openFile: undefined,
    signal: new AbortController().signal,
    progress: () => {},
  };
  let count = 0;
  for (const [name, tensor] of root.entries()) {
    if (!isTensor(tensor)) throw new Error('no tensor');
    literals[String(name)] = await literalOf(tensor);
    const { file } = await arrayDownload(tensor, 'array.npy', context);
    writeFileSync(join(folder, `${count++}.npy`), new Uint8Array(await file.arrayBuffer()));
  }
  expect(count).toBe(18);
  writeFileSync(join(folder, 'literals.json'), JSON.stringify(literals));
  expect(JSON.parse(await runPython('tests/judge/tensor_view.py', [folder]))).toEqual([]);
});
