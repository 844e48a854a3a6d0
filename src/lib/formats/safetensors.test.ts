import { describe, expect, it } from 'vitest';
import { tensorFromBytes, readTensor } from '#lib/checkpoint/tensor.ts';
import { Dict, dict, isTensor, list, type Value } from '#lib/checkpoint/value.ts';
import { memorySink } from '#lib/file/sink.ts';
import { bytesSource } from '#lib/file/source.ts';
import { openCheckpoint } from './index.ts';
import { safetensors } from './safetensors.ts';

function fileOf(header: string, data = 8, length?: number): Uint8Array {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length ?? json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const open = (bytes: Uint8Array) => openCheckpoint(bytesSource(bytes, 'a.safetensors'));
const entry = (dtype: string, shape: number[], offsets: number[]) =>
  JSON.stringify({ dtype, shape, data_offsets: offsets });

describe('safetensors', () => {
  it('keeps the order of the header, whatever the order of the data', async () => {
    const header = `{"__metadata__": {"format": "pt"}, "b": ${entry('F32', [1], [4, 8])}, "a": ${entry('I8', [2, 2], [0, 4])}}`;
    const result = await open(fileOf(header));
    if (!result.ok) throw new Error(result.findings[0]!.message);
    const { root, metadata } = result.checkpoint;
    expect([...(root as Dict).keys()]).toEqual(['b', 'a']);
    expect([...metadata]).toEqual([['format', 'pt']]);
  });

  it.each<[string, string, string, number?, number?]>([
    ['header-length', 'longer than the file', '{"a"', 0, 500],
    ['header-json', 'no JSON', '{"a": }'],
    ['header-json', 'nested too deep', `{"a": ${'['.repeat(200)}`],
    ['duplicate-key', 'a name twice', `{"a": ${entry('F32', [2], [0, 8])}, "a": 1}`],
    ['duplicate-key', 'a field twice', '{"a": {"dtype": "F32", "dtype": "I32"}}'],
    ['duplicate-key', 'metadata twice', '{"__metadata__": {"a": "1", "a": "2"}}', 0],
    ['metadata', 'metadata that is a list', '{"__metadata__": []}', 0],
    ['metadata', 'metadata that is a number', '{"__metadata__": {"a": 1}}', 0],
    ['header', 'no shape', '{"a": {"dtype": "F32"}}'],
    ['header', 'no object', '{"a": 7}'],
    ['header', 'a negative size', `{"a": ${entry('F32', [-2], [0, 8])}}`],
    ['header', 'a fraction', `{"a": ${entry('F32', [1.5], [0, 8])}}`],
    ['header', 'an exponent', '{"a": {"dtype": "F32", "shape": [2e0], "data_offsets": [0, 8]}}'],
    [
      'header',
      'a size over 2⁵³',
      '{"a": {"dtype": "F32", "shape": [9007199254740993], "data_offsets": [0, 8]}}',
    ],
    ['offsets', 'three offsets', `{"a": ${entry('F32', [2], [0, 8, 9])}}`],
    ['offsets', 'an end before the start', `{"a": ${entry('F32', [2], [8, 0])}}`],
    ['dtype', 'an unknown dtype', `{"a": ${entry('F4', [2], [0, 8])}}`],
    ['dtype', 'a dtype of every object', `{"a": ${entry('constructor', [2], [0, 8])}}`],
    ['span', 'a span of another size', `{"a": ${entry('F32', [3], [0, 8])}}`],
    [
      'span',
      'a shape that overflows',
      `{"a": ${entry('F32', [2 ** 52, 2 ** 52, 2 ** 52], [0, 8])}}`,
    ],
    [
      'shape',
      'a shape without end',
      `{"a": ${entry('F32', Array(65).fill(1) as number[], [0, 8])}}`,
    ],
    ['hole', 'a hole', `{"a": ${entry('F32', [1], [4, 8])}}`],
    [
      'overlap',
      'an overlap',
      `{"a": ${entry('F32', [2], [0, 8])}, "b": ${entry('F32', [1], [4, 8])}}`,
    ],
    ['size', 'bytes behind the last', `{"a": ${entry('F32', [1], [0, 4])}}`],
    ['size', 'bytes that are missing', `{"a": ${entry('F32', [4], [0, 16])}}`],
  ])('refuses with %s: %s', async (code, _, header, data = 8, length) => {
    const started = performance.now();
    const result = await open(fileOf(header, data, length));
    expect(result).toMatchObject({
      ok: false,
      findings: [
        {
          code: `safetensors-${code}`,
          message: expect.stringMatching(/^a\.safetensors: safetensors: [a-z_"].*[^.]$/) as string,
        },
      ],
    });
    expect(performance.now() - started).toBeLessThan(500);
  });

  it('is quick to refuse a shape of 200,000 axes', async () => {
    const shape = new Array(200_000).fill('9007199254740991').join();
    const header = `{"a": {"dtype": "F32", "shape": [${shape}], "data_offsets": [0, 8]}}`;
    const started = performance.now();
    expect(await open(fileOf(header))).toMatchObject({
      findings: [{ code: 'safetensors-shape' }],
    });
    expect(performance.now() - started).toBeLessThan(2000);
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
    [dict({ a: 1n }), 'the value at a is no tensor'],
    [new Dict([[1n, tensorFromBytes(new Uint8Array(1), 'bool', [])]]), 'the value at 1 is no'],
    [dict({ __metadata__: tensorFromBytes(new Uint8Array(1), 'bool', []) }), 'named __metadata__'],
    [dict({ a: tensorFromBytes(new Uint8Array(16), 'complex128', []) }), 'dtype complex128'],
  ])('does not write %#', async (root, message) => {
    await expect(write(root)).rejects.toThrow(message);
  });
});
