import { describe, expect, it } from 'vitest';
import { entry, safetensorsOf, safetensorsRefusals } from '../../../tests/fixtures/safetensors.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { metaStorage, tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { Dict, dict, isTensor, list, type Value } from '#lib/checkpoint/value.ts';
import { memorySink } from '#lib/file/sink.ts';
import { bytesSource } from '#lib/file/source.ts';
import { openCheckpoint } from './index.ts';
import { safetensors } from './safetensors.ts';

const open = (bytes: Uint8Array) => openCheckpoint(bytesSource(bytes, 'a.safetensors'));

describe('safetensors', () => {
  it('keeps the order of the header, whatever the order of the data', async () => {
    const header = `{"__metadata__": {"format": "pt"}, "b": ${entry('F32', [1], [4, 8])}, "a": ${entry('I8', [2, 2], [0, 4])}}`;
    const result = await open(safetensorsOf(header));
    if (!result.ok) throw new Error(result.findings[0]!.message);
    const { root, metadata } = result.checkpoint;
    expect([...(root as Dict).keys()]).toEqual(['b', 'a']);
    expect([...metadata]).toEqual([['format', 'pt']]);
  });

  it.each(safetensorsRefusals.map(({ code, what, bytes }) => [code, what, bytes] as const))(
    'refuses with safetensors-%s: %s',
    async (code, _, bytes) => {
      const started = performance.now();
      expect(await open(bytes)).toMatchObject({
        ok: false,
        findings: [
          {
            code: `safetensors-${code}`,
            message: expect.stringMatching(
              /^a\.safetensors: safetensors: [a-z_"].*[^.]$/s,
            ) as string,
            advice: expect.stringMatching(/^[A-Z].*\.$/) as string,
          },
        ],
      });
      expect(performance.now() - started).toBeLessThan(5000);
    },
  );

  it('is quick to refuse a shape of 200,000 axes', async () => {
    const shape = new Array(200_000).fill('9007199254740991').join();
    const header = `{"a": {"dtype": "F32", "shape": [${shape}], "data_offsets": [0, 8]}}`;
    const started = performance.now();
    expect(await open(safetensorsOf(header))).toMatchObject({
      findings: [{ code: 'safetensors-rank' }],
    });
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('counts bytes where the file counts the halves of them', async () => {
    const result = await open(safetensorsOf(`{"a":${entry('F4', [3, 4], [0, 6])}}`, 6));
    if (!result.ok) throw new Error(result.findings[0]!.message);
    const root = result.checkpoint.root as Dict;
    expect(root.get('a')).toMatchObject({ dtype: 'float4_e2m1fn_x2', shape: [3, 2] });
    expect(new TextDecoder().decode(await write(root))).toContain('"shape":[3,4]');
  });

  const write = async (root: Value, metadata?: Map<string, string>) => {
    const sink = memorySink();
    await safetensors.write!(root, sink, { stem: 'a', metadata });
    return sink.bytes();
  };

  it('writes what it reads: padded header, largest elements first, ties written out', async () => {
    const wide = tensorFromBytes(Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]), 'int64', []);
    const bytes = tensorFromBytes(Uint8Array.of(9), 'uint8', [1]);
    const turned = {
      ...tensorFromBytes(Uint8Array.of(1, 2, 3, 4), 'int8', [2, 2]),
      strides: [1, 2],
    };
    const empty = tensorFromBytes(new Uint8Array(), 'float32', [0, 3]);
    const root = dict({ 0: bytes, tied: bytes, __proto__x: wide, turned, empty });
    const file = await write(root, new Map([['format', 'pt']]));
    const length = Number(new DataView(file.buffer).getBigUint64(0, true));
    expect([file[8], length % 8]).toEqual([0x7b, 0]);
    const result = await open(file);
    if (!result.ok) throw new Error(result.findings[0]!.message);
    const back = result.checkpoint.root as Dict;
    expect(back.size).toBe(5);
    for (const [key, tensor] of root.entries()) {
      const read = back.get(key);
      if (!isTensor(read) || !isTensor(tensor)) throw new Error(`no tensor ${String(key)}`);
      expect([read.dtype, read.shape]).toEqual([tensor.dtype, tensor.shape]);
      expect(await readTensor(read)).toEqual(await readTensor(tensor));
    }
  });

  it.each<[Value, string]>([
    [list(), 'only a dict of tensors'],
    [dict({ a: 1n }), 'the value at "a" is no tensor'],
    [new Dict([[1n, tensorFromBytes(new Uint8Array(1), 'bool', [])]]), 'the key 1 is no string'],
    [dict({ __metadata__: tensorFromBytes(new Uint8Array(1), 'bool', []) }), 'named __metadata__'],
    [
      dict({ a: tensorFromBytes(new Uint8Array(16), 'complex128', []) }),
      '"a" has the dtype complex128',
    ],
    [dict({ a: tensorFromBytes(new Uint8Array(1), 'float4_e2m1fn_x2', []) }), '"a" has no axis'],
    [dict({ '\ud800': tensorFromBytes(new Uint8Array(1), 'bool', []) }), 'has no form in UTF-8'],
    [
      dict({ a: { ...tensorFromBytes(new Uint8Array(1), 'bool', []), storage: metaStorage(1) } }),
      '"a" is on the device meta',
    ],
  ])('does not write %#', async (root, message) => {
    await expect(write(root)).rejects.toThrow(message);
  });
});
