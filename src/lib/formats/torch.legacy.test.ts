import { describe, expect, it } from 'vitest';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { dict, isTensor, list, tuple, type Dict, type Value } from '#lib/checkpoint/value.ts';
import { bytesSource } from '#lib/file/source.ts';
import { writePickle } from '#lib/pickle/write.ts';
import { openCheckpoint } from './index.ts';

const name = (module: string, name: string): Value => ({ kind: 'global', module, name });

/** `torch.tensor([1.0, 2.0])` in a storage, as torch's calls say it. */
function tensor(key: string, numel: bigint, view: Value = null, offset = 0n): Value {
  const storage = tuple('storage', name('torch', 'FloatStorage'), key, 'cuda:0', numel, view);
  return {
    kind: 'call',
    how: 'reduce',
    callable: name('torch._utils', '_rebuild_tensor_v2'),
    args: tuple({ kind: 'persistent', id: storage }, offset, tuple(2n), tuple(1n), false, dict()),
  };
}

interface Parts {
  magic?: Value;
  protocol?: Value;
  littleEndian?: boolean;
  object?: Value;
  keys?: Value;
  storages?: { count: bigint; values: number[] }[];
}

function legacyFile(parts: Parts = {}): Uint8Array {
  const little = parts.littleEndian ?? true;
  const pickles = [
    parts.magic ?? 0x1950a86a20f9469cfc6cn,
    parts.protocol ?? 1001n,
    dict({ protocol_version: 1001n, little_endian: little }),
    parts.object ?? dict({ w: tensor('7', 2n) }),
    parts.keys ?? list('7'),
  ].map((value) => writePickle(value));
  const storages = (parts.storages ?? [{ count: 2n, values: [1, 2] }]).map(({ count, values }) => {
    const view = new DataView(new ArrayBuffer(8 + 4 * values.length));
    view.setBigInt64(0, count, true);
    values.forEach((value, index) => view.setFloat32(8 + 4 * index, value, true));
    return new Uint8Array(view.buffer);
  });
  return Uint8Array.from([...pickles, ...storages].flatMap((bytes) => [...bytes]));
}

async function open(bytes: Uint8Array) {
  const result = await openCheckpoint(bytesSource(bytes, 'old.pth'));
  return result.ok ? result.checkpoint : result.findings[0]!;
}

async function numbers(bytes: Uint8Array, key = 'w'): Promise<number[]> {
  const opened = await open(bytes);
  if (!('root' in opened)) throw new Error(opened.message);
  const value = (opened.root as Dict).get(key);
  if (!isTensor(value)) throw new Error('no tensor');
  const read = await readTensor(value);
  return [...new Float32Array(read.slice().buffer)];
}

describe('torch legacy', () => {
  it('reads a tensor behind the pickles, little-endian whoever wrote it', async () => {
    expect(await numbers(legacyFile())).toEqual([1, 2]);
    expect(await numbers(legacyFile({ littleEndian: false }))).toEqual([1, 2]);
  });

  it('reads the part of a storage that an old view names', async () => {
    const file = legacyFile({
      object: dict({ w: tensor('7', 4n), v: tensor('7', 4n, tuple('8', 1n, 3n), 1n) }),
      storages: [{ count: 4n, values: [1, 2, 3, 4] }],
    });
    expect(await numbers(file)).toEqual([1, 2]);
    expect(await numbers(file, 'v')).toEqual([3, 4]);
  });

  it('refuses a file that is cut off, wherever', async () => {
    const whole = legacyFile();
    for (let size = 20; size < whole.length; size++) {
      const opened = await open(whole.subarray(0, size));
      expect(opened).toMatchObject({ severity: 'error' });
    }
  });

  it.each([
    ['a protocol that never was', { protocol: 1002n }, 'protocol 1002 is unknown'],
    ['a key that no tensor uses', { keys: list('8') }, 'no tensor uses the storage "8"'],
    ['a storage that is not listed', { keys: list(), storages: [] }, 'storage "7" is not in'],
    ['keys that are no list', { keys: dict() }, 'the list of keys is no list'],
    [
      'a view that is negative',
      { object: dict({ w: tensor('7', 2n, tuple('8', -1n, 2n)) }) },
      "the view's offset in storage",
    ],
    [
      'a view that leaves the storage',
      { object: dict({ w: tensor('7', 2n, tuple('8', 1n, 2n)) }) },
      'holds 8 bytes',
    ],
  ] as [string, Parts, string][])('refuses %s', async (_, parts, message) => {
    const opened = await open(legacyFile(parts));
    expect(opened).toMatchObject({ severity: 'error' });
    expect('message' in opened && opened.message).toContain(message);
  });

  it('opens a file that names a command as data, and says so', async () => {
    const object = dict({ w: tensor('7', 2n), run: name('os', 'system') });
    expect(await open(legacyFile({ object }))).toMatchObject({
      findings: [
        {
          code: 'pickle-dangerous',
          severity: 'error',
          message: expect.stringContaining('would look up os.system') as string,
        },
      ],
    });
  });

  it('refuses an element count that is not the pickle’s when the tensor is read', async () => {
    const file = legacyFile({ storages: [{ count: 3n, values: [1, 2] }] });
    await expect(numbers(file)).rejects.toThrow('storage "7" holds 3 elements, the pickle says 2');
  });

  it('finds pickles that are longer than what is read first', async () => {
    const object = dict({ w: tensor('7', 2n), text: 'x'.repeat(3_000_000) });
    expect(await numbers(legacyFile({ object }))).toEqual([1, 2]);
  });
});
