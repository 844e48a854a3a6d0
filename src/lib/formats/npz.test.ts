import { describe, expect, it } from 'vitest';
import { npyHeader, npyOf } from '../../../tests/fixtures/npy.ts';
import { zipOf } from '../../../tests/fixtures/zip.ts';
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { dict, Dict, isTensor, list, tuple, type Value } from '#lib/checkpoint/value.ts';
import { memorySink } from '#lib/file/sink.ts';
import { bytesSource } from '#lib/file/source.ts';
import { openCheckpoint } from './index.ts';
import { npz } from './npz.ts';

async function open(source = bytesSource(new Uint8Array())): Promise<Checkpoint> {
  const result = await openCheckpoint(source);
  if (!result.ok) throw new Error(`${result.findings[0]!.code}: ${result.findings[0]!.message}`);
  return result.checkpoint;
}

async function bytesAt(root: Value, key: string): Promise<number[]> {
  const value = (root as Dict).get(key);
  if (!isTensor(value)) throw new Error(`no tensor ${key}`);
  return [...(await readTensor(value))];
}

const bytes = npyOf(npyHeader("'|u1'", '3,'), Uint8Array.of(1, 2, 3));
const objects = npyOf(npyHeader("'|O'", '1,'), Uint8Array.of(0x80, 4, 0x4e, 0x2e));

describe('npz', () => {
  it.each([false, true])('reads members by their names, deflated %s', async (deflated) => {
    const file = zipOf([
      { name: 'x.npy', bytes, deflated },
      { name: '__proto__.npy', bytes, deflated },
      { name: 'encoder/layer.0/w.npy', bytes, deflated },
      { name: 'params/', bytes: new Uint8Array() },
    ]);
    const { root, findings } = await open(bytesSource(file, 'a.npz'));
    expect([...(root as Dict).keys()]).toEqual(['x', '__proto__', 'encoder/layer.0/w']);
    expect(await bytesAt(root, '__proto__')).toEqual([1, 2, 3]);
    expect(findings).toEqual([]);
  });

  it('leaves out what holds no numbers, and says so', async () => {
    const file = zipOf([
      { name: 'x.npy', bytes },
      { name: 'words.npy', bytes: objects },
      ...['readme.txt', 'b', 'c', 'd', 'e', 'f'].map((name) => ({ name, bytes })),
    ]);
    const { root, findings } = await open(bytesSource(file, 'a.npz'));
    expect([...(root as Dict).keys()]).toEqual(['x']);
    expect(findings).toMatchObject([
      {
        code: 'npy-objects',
        severity: 'warning',
        where: 'words.npy',
        message: expect.stringContaining('npy: "words.npy": the elements are Python obj') as string,
      },
      {
        code: 'npz-others',
        severity: 'warning',
        message:
          'npz: members that are no .npy are left out: "readme.txt", "b", "c", "d", "e" and 1 more',
      },
    ]);
  });

  it('is lazy: reads headers, and none of the elements', async () => {
    const large = npyOf(npyHeader("'|u1'", `${2 ** 20},`), new Uint8Array(2 ** 20));
    const inner = bytesSource(zipOf([{ name: 'x.npy', bytes: large }]), 'a.npz');
    let read = 0;
    const source = {
      ...inner,
      read: (from: number, to: number) => ((read += to - from), inner.read(from, to)),
    };
    const { root } = await open(source);
    expect(read).toBeLessThan(70_000); // where the end of a zip is looked for
    expect(await bytesAt(root, 'x')).toHaveLength(2 ** 20);
  });

  it('opens without inflating the elements', async () => {
    const member = npyOf(npyHeader("'|u1'", `${2 ** 24},`), new Uint8Array(2 ** 24));
    // Damaged at the end, which only who reads it all can see.
    const file = zipOf([{ name: 'x.npy', bytes: member, deflated: true, crc: 1 }]);
    const { root } = await open(bytesSource(file, 'a.npz'));
    await expect(bytesAt(root, 'x')).rejects.toThrow('entry x.npy is damaged');
  });

  it.each<[string, Uint8Array, string]>([
    [
      'a damaged member',
      zipOf([
        { name: 'x.npy', bytes },
        { name: 'y.npy', bytes: Uint8Array.of(1) },
      ]),
      'npy-magic: a.npz: npy: "y.npy": the file does not begin with',
    ],
    [
      'a name twice',
      zipOf([
        { name: 'x.npy', bytes },
        { name: 'x.npy', bytes },
      ]),
      'zip-ambiguous',
    ],
    [
      'objects alone',
      zipOf([{ name: 'x.npy', bytes: objects }]),
      'npy-objects: a.npz: npy: "x.npy"',
    ],
  ])('refuses %s', async (_, file, message) => {
    await expect(open(bytesSource(file, 'a.npz'))).rejects.toThrow(message);
  });

  const one = tensorFromBytes(Uint8Array.of(7), 'uint8', []);
  const write = async (root: Value) => {
    const sink = memorySink();
    await npz.write!(root, sink, { stem: 'a' });
    return sink.bytes();
  };

  it('writes what it reads, in the order of the dict', async () => {
    const pairs: [string, Value][] = [
      ['b', one],
      ['encoder/w', tensorFromBytes(Uint8Array.of(1, 2, 3, 4), 'float32', [1])],
      ['', tensorFromBytes(new Uint8Array(), 'int64', [0, 3])],
      ['Gewicht ü 重', one],
      ['a.npy', one],
    ];
    const { root } = await open(bytesSource(await write(new Dict(pairs)), 'a.npz'));
    expect([...(root as Dict).keys()]).toEqual(pairs.map(([key]) => key));
    expect(await bytesAt(root, 'encoder/w')).toEqual([1, 2, 3, 4]);
  });

  it.each<[Value, string]>([
    [dict({}), 'npz: there is no tensor to write'],
    [list(), 'npz: only a dict of tensors can be written'],
    [dict({ model: dict({ w: one }) }), 'npz: the value at "model" is no tensor'],
    [new Dict([[tuple(1n), one]]), 'npz: the key of kind tuple is no string'],
    [new Dict([[1n, one]]), 'npz: the key 1 is no string'],
    [dict({ a: one, 'a.npy': one }), 'numpy.load cannot tell "a.npy" from'],
    [dict({ 'a\0b': one }), 'a zip cannot hold the name'],
    [dict({ '\ud800': one }), 'a zip cannot hold the name'],
    [dict({ ['w'.repeat(70_000)]: one }), 'a zip cannot hold the name'],
    [
      dict({ w: tensorFromBytes(new Uint8Array(1), 'float8_e5m2', []) }),
      'npy: "w" has the dtype float8_e5m2, which NumPy lacks',
    ],
  ])('does not write %#', async (root, message) => {
    await expect(write(root)).rejects.toThrow(message);
  });
});
