import { describe, expect, it } from 'vitest';
import { npyHeader, npyOf, npyRefusals } from '../../../tests/fixtures/npy.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { isTensor, list, type Value } from '#lib/checkpoint/value.ts';
import { memorySink } from '#lib/file/sink.ts';
import { bytesSource } from '#lib/file/source.ts';
import { openCheckpoint } from './index.ts';
import { npy } from './npy.ts';

async function open(bytes: Uint8Array): Promise<Tensor> {
  const result = await openCheckpoint(bytesSource(bytes, 'a.npy'));
  if (!result.ok) throw new Error(`${result.findings[0]!.code}: ${result.findings[0]!.message}`);
  const { root } = result.checkpoint;
  if (!isTensor(root)) throw new Error('no tensor');
  return root;
}

async function elements(tensor: Tensor) {
  return { dtype: tensor.dtype, shape: tensor.shape, bytes: [...(await readTensor(tensor))] };
}

const six = Uint8Array.of(1, 2, 3, 4, 5, 6);

describe('npy', () => {
  it.each<[string, Uint8Array, unknown]>([
    [
      'plain',
      npyOf(npyHeader("'|u1'", '2, 3'), six),
      { dtype: 'uint8', shape: [2, 3], bytes: [...six] },
    ],
    [
      'Fortran order',
      npyOf(npyHeader("'|i1'", '2, 3', 'True'), six),
      { dtype: 'int8', shape: [2, 3], bytes: [1, 3, 5, 2, 4, 6] },
    ],
    [
      'big-endian',
      npyOf(npyHeader("'>i2'", '3,'), six),
      { dtype: 'int16', shape: [3], bytes: [2, 1, 4, 3, 6, 5] },
    ],
    [
      'a scalar',
      npyOf(npyHeader("'|b1'", ''), six.slice(0, 1)),
      { dtype: 'bool', shape: [], bytes: [1] },
    ],
    [
      'keys in another order, double quotes, no spaces, a Python 2 long',
      npyOf('{"shape":(3L,),"fortran_order":False,"descr":"<u2"}', six, { version: 2 }),
      { dtype: 'uint16', shape: [3], bytes: [...six] },
    ],
    [
      'spaces and lines everywhere',
      npyOf(" { 'shape' :\n( 3 , 1 , ) , 'descr' : 'u2' , 'fortran_order' : True }", six, {
        version: 3,
      }),
      { dtype: 'uint16', shape: [3, 1], bytes: [...six] },
    ],
    ['nothing', npyOf(npyHeader("'<f4'", '0, 5')), { dtype: 'float32', shape: [0, 5], bytes: [] }],
  ])('reads %s', async (_, bytes, expected) => {
    expect(await elements(await open(bytes))).toEqual(expected);
  });

  it('reads a part of big-endian elements by their words', async () => {
    const { storage } = await open(npyOf(npyHeader("'>i2'", '3,'), six));
    expect([...(await storage.read(1, 4))]).toEqual([1, 4, 3]);
  });

  it.each(npyRefusals.map((refusal) => [refusal.code, refusal.what, refusal.bytes] as const))(
    'refuses with npy-%s: %s',
    async (code, _, bytes) => {
      const started = performance.now();
      expect(await openCheckpoint(bytesSource(bytes, 'a.npy'))).toMatchObject({
        ok: false,
        findings: [
          {
            code: `npy-${code}`,
            message: expect.stringMatching(/^a\.npy: npy: [a-z0-9].*[^.]$/s) as string,
            advice: expect.stringMatching(/^\S.*\.$/) as string,
          },
        ],
      });
      expect(performance.now() - started).toBeLessThan(5000);
    },
  );

  it('writes a transposed tensor as it lies, in Fortran order', async () => {
    const tensor = { ...tensorFromBytes(six, 'uint8', [2, 3]), shape: [3, 2], strides: [1, 3] };
    const sink = memorySink();
    await npy.write!(tensor, sink, { stem: 'a' });
    const bytes = sink.bytes();
    expect(bytes.subarray(-6)).toEqual(six);
    expect(new TextDecoder('latin1').decode(bytes)).toContain("'fortran_order': True");
    expect(await elements(await open(bytes))).toEqual(await elements(tensor));
  });

  it.each<[Value, string]>([
    [list(), 'npy: the file holds one array, and this is no tensor'],
    [
      tensorFromBytes(new Uint8Array(2), 'bfloat16', []),
      'npy: the tensor has the dtype bfloat16, which NumPy lacks',
    ],
  ])('does not write %#', async (root, message) => {
    await expect(npy.write!(root, memorySink(), { stem: 'a' })).rejects.toThrow(message);
  });
});
