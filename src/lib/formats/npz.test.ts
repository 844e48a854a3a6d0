import { describe, expect, it } from 'vitest';
import { zipOf } from '../../../tests/fixtures/zip.ts';
import { readTensor } from '#lib/checkpoint/tensor.ts';
import { Dict, isTensor, type Value } from '#lib/checkpoint/value.ts';
import { bytesSource } from '#lib/file/source.ts';
import { openCheckpoint } from './index.ts';

/** A .npy file: magic, version, header length, header, data. */
function npy(header: string, data: Uint8Array = new Uint8Array(), version = 1): Uint8Array {
  const head = Buffer.from(`\x93NUMPY${String.fromCharCode(version)}\0`, 'latin1');
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(header.length);
  else length.writeUInt32LE(header.length);
  return new Uint8Array(Buffer.concat([head, length, Buffer.from(header), data]));
}

const literal = (descr: string, shape: string, fortran = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': (${shape}), }\n`;

async function open(bytes: Uint8Array, name = 'a.npy'): Promise<Value> {
  const result = await openCheckpoint(bytesSource(bytes, name));
  if (!result.ok) throw new Error(`${result.findings[0]!.code}: ${result.findings[0]!.message}`);
  return result.checkpoint.root;
}

async function elements(value: Value | undefined) {
  if (!isTensor(value)) throw new Error('no tensor');
  return { dtype: value.dtype, shape: value.shape, bytes: [...(await readTensor(value))] };
}

describe('npy', () => {
  const six = Uint8Array.of(1, 2, 3, 4, 5, 6);
  it.each<[string, Uint8Array, unknown]>([
    ['plain', npy(literal('|u1', '2, 3'), six), { dtype: 'uint8', shape: [2, 3], bytes: [...six] }],
    [
      'Fortran order',
      npy(literal('|i1', '2, 3', 'True'), six),
      { dtype: 'int8', shape: [2, 3], bytes: [1, 3, 5, 2, 4, 6] },
    ],
    [
      'big-endian',
      npy(literal('>i2', '3,'), six),
      { dtype: 'int16', shape: [3], bytes: [2, 1, 4, 3, 6, 5] },
    ],
    [
      'a scalar',
      npy(literal('|b1', ''), six.slice(0, 1)),
      { dtype: 'bool', shape: [], bytes: [1] },
    ],
    [
      'version 3, keys in another order, a Python 2 long',
      npy("{'shape': (3L,), 'fortran_order': False, 'descr': '<u2'}", six, 3),
      { dtype: 'uint16', shape: [3], bytes: [...six] },
    ],
    ['nothing', npy(literal('<f4', '0, 5')), { dtype: 'float32', shape: [0, 5], bytes: [] }],
  ])('%s', async (_, bytes, expected) => {
    expect(await elements(await open(bytes))).toEqual(expected);
  });

  it.each<[string, Uint8Array, string]>([
    ['objects', npy(literal('|O', '1,')), 'the dtype "|O" is not supported'],
    ['texts', npy(literal('<U3', '1,')), 'the dtype "<U3" is not supported'],
    ['a dtype of every object', npy(literal('<toString', '1,')), 'is not supported'],
    ['a call', npy("{'descr': __import__('os'), 'shape': (1,)}"), 'is not understood'],
    ['no header', npy(''), 'is not understood'],
    ['a negative size', npy(literal('<f4', '-1,')), 'is not understood'],
    [
      'too few bytes',
      npy(literal('<f4', '2,'), six),
      '6 bytes follow the header, float32 [2] needs 8',
    ],
    ['too many bytes', npy(literal('|u1', '2,'), six), '6 bytes follow the header'],
    ['a huge shape', npy(literal('<f4', '99999999, 99999999, 9')), 'too large'],
    ['a long header', npy(' '.repeat(10_001)), 'the header claims 10001 bytes'],
    ['a header past the end', npy(literal('<f4', '1,')).subarray(0, 20), 'the header claims'],
  ])('refuses %s', async (_, bytes, message) => {
    await expect(open(bytes)).rejects.toThrow(/^npy-broken: a\.npy: npy: a\.npy: /);
    await expect(open(bytes)).rejects.toThrow(message);
  });
});

describe('npz', () => {
  const bytes = npy(literal('|u1', '3,'), Uint8Array.of(1, 2, 3));
  it.each([false, true])('reads members, deflated %s', async (deflated) => {
    const file = zipOf([
      { name: 'x.npy', bytes, deflated },
      { name: 'readme.txt', bytes },
      { name: '__proto__.npy', bytes, deflated },
    ]);
    const root = (await open(file, 'a.npz')) as Dict;
    expect([...root.keys()]).toEqual(['x', '__proto__']);
    expect(await elements(root.get('__proto__'))).toMatchObject({ bytes: [1, 2, 3] });
  });

  it('opens without inflating the elements', async () => {
    const member = npy(literal('|u1', `${2 ** 24},`), new Uint8Array(2 ** 24));
    // Damaged at the end, which only who reads it all can see.
    const root = (await open(
      zipOf([{ name: 'x.npy', bytes: member, deflated: true, crc: 1 }]),
    )) as Dict;
    const tensor = root.get('x');
    if (!isTensor(tensor)) throw new Error('no tensor');
    expect(tensor.shape).toEqual([2 ** 24]);
    await expect(readTensor(tensor)).rejects.toThrow('entry x.npy is damaged');
  });

  it('names the member that is broken', async () => {
    const file = zipOf([{ name: 'y.npy', bytes: Uint8Array.of(1) }]);
    await expect(open(file, 'a.npz')).rejects.toThrow('npy: y.npy: 1 bytes are too few');
  });
});
